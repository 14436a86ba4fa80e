"""What an editor shows about a field: the schema's sentence with unit, default, values and fidelity."""

from __future__ import annotations

import json
from typing import Any


def text(node: dict[str, Any]) -> str:
    """Return the description of a field with its unit, its default and how faithfully it is kept."""
    parts = [node.get("description", "")]
    if "x-allowed" in node:
        parts.append(f"Allowed: {node['x-allowed']}.")
    if "x-unit" in node and node["x-unit"] != "duration":
        parts.append(f"Unit: {node['x-unit']}.")
    if "default" in node:
        parts.append(f"Default: {json.dumps(node['default'])}.")
    if "x-fidelity" in node:
        parts.append(f"Kept: {node['x-fidelity']}.")
    return " ".join(part for part in parts if part)


def examples(node: dict[str, Any]) -> list[Any]:
    """Return two examples of a field: those that the schema states, or the first of the values that it may have."""
    if "examples" in node:
        stated: list[Any] = node["examples"]
        return stated
    if node.get("type") == "boolean":
        return [True, False]
    values = node.get("enum", node.get("x-strict", {}).get("enum", []))
    return list(values[:2])
