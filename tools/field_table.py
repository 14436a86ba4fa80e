"""`make field-table`: the table of all fields in docs/fields.md, from schema/languagemodel.schema.json.

A field is a leaf of the specification. x-becomes says where it shows in the configuration, x-fidelity how faithfully it
is kept, x-proof which tests see it at work.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from langop_model.resources import load_json
from tools import generated

DOCUMENT = Path("docs/fields.md")
START, END = "<!-- field table: make field-table -->", "<!-- end of the field table -->"


def fields(node: dict[str, Any], name: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield name and schema of every field that has no fields of its own, in the order of the schema."""
    items = node.get("items", {})
    children = node.get("properties") or items.get("properties")
    if not children or "x-becomes" in node:
        yield name, node
        return
    prefix = f"{name}[]" if items else name
    for key, child in children.items():
        yield from fields(child, f"{prefix}.{key}" if prefix else key)


def table() -> str:
    """Return the table in Markdown."""
    lines = ["| field | becomes | kept | tested by |", "|---|---|---|---|"]
    for name, node in fields(load_json("languagemodel.schema.json")["properties"]["spec"]):
        proof = node["x-proof"]
        lines.append(f"| `{name}` | {node['x-becomes']} | {node['x-fidelity']} | [{Path(proof).stem}](../{proof}) |")
    return "\n".join(lines)


def filled(text: str) -> str:
    """Return the text of docs/fields.md with the table between its marks."""
    return generated.between(text, START, END, table())


def main() -> None:
    """Write the table, or with --check say whether it is stale."""
    text = DOCUMENT.read_text(encoding="utf-8")
    if "--check" in sys.argv:
        sys.exit(0 if filled(text) == text else "docs/fields.md: the field table is stale; run make field-table")
    DOCUMENT.write_text(filled(text), encoding="utf-8")


if __name__ == "__main__":
    main()
