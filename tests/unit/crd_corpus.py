"""Resources at the edges of what the cluster's schema accepts, as the operator writes them for the gateway.

Each has one field at a boundary. The API server fills in the defaults first. Then the operator writes a bare spec from Go
structs: a field of a pointer type keeps its zero, any other field with `omitempty` loses it. Which fields are pointers is not
known here, so both forms are in the corpus.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from typing import Any

from tests.unit import crd
from tests.unit.crd import INT32, Path

ADDRESS = "https://llm.example.com/v1"
TEXTS = ("", " ", "x", "模型-ü-🦙", "two\nlines", "os.environ/HOME", "x" * 600)
DURATIONS = ("0s", "1ns", "1ms", "5m", "99999999h")
NUMBERS = (-1, 0, 0.5, 1, 2.5, 1e308)
BASE = {"provider": "openai-compatible", "modelName": "edge", "endpoint": ADDRESS}
SPEC = crd.schema()["properties"]["spec"]


def corpus() -> Iterator[tuple[Path, Any, dict[str, Any]]]:
    """Yield each boundary of each field, by its path and value, with a spec as the operator writes it."""
    for path, node in crd.fields(SPEC):
        for value in boundaries(node) if path else ():
            stored = with_defaults(SPEC, spec_with(path, value))
            written = without_zeros(SPEC, stored)
            yield path, value, stored
            if json.dumps(written) != json.dumps(stored):
                yield path, value, written


def boundaries(node: dict[str, Any]) -> list[Any]:  # noqa: PLR0911 - one for each kind of field
    """Return the values at the edges of what a field accepts."""
    if "enum" in node:
        return list(node["enum"])
    match node["type"]:
        case "boolean":
            return [False, True]
        case "integer":
            lowest, highest = node.get("minimum", INT32[0]), node.get("maximum", INT32[1])
            return sorted({lowest, highest, *(value for value in (-1, 0, 1) if lowest <= value <= highest)})
        case "number":
            return list(NUMBERS)
        case "string" if "pattern" in node:
            return list(DURATIONS)
        case "string":
            return [text for text in TEXTS if len(text) >= node.get("minLength", 0)]
        case "array":
            return [[], [least("", node["items"])], [least("", node["items"]), least("", node["items"])]]
        case _:
            more = [{"": ""}, {"名": "1"}] if "additionalProperties" in node else []
            return [least("", node), *more]


def least(name: str, node: dict[str, Any]) -> Any:
    """Return the least that a field called `name` accepts and that means something."""
    if "enum" in node:
        return node["enum"][0]
    if node["type"] == "object":
        return {key: least(key, node["properties"][key]) for key in node.get("required", [])}
    text = ADDRESS if name in ("url", "endpoint") else "x"
    plain: dict[str, Any] = {"array": [], "boolean": False, "integer": node.get("minimum", 0), "number": 0, "string": text}
    return plain[node["type"]]


def spec_with(path: Path, value: Any) -> dict[str, Any]:
    """Return a spec with `value` at `path`, and the least that goes with it."""
    return {**BASE, **_nested("", SPEC, path, value)}


def _nested(name: str, node: dict[str, Any], path: Path, value: Any) -> Any:
    if not path:
        return value
    if path[0] == "[]":
        return [_nested(name, node["items"], path[1:], value)]
    if path[0] == "{}":
        return {"user": value}
    others = {} if node is SPEC else least(name, node)
    return {**others, path[0]: _nested(path[0], node["properties"][path[0]], path[1:], value)}


def with_defaults(node: dict[str, Any], value: Any) -> Any:
    """Return `value` as the API server stores it."""
    if isinstance(value, list):
        return [with_defaults(node["items"], item) for item in value]
    if not isinstance(value, dict) or "properties" not in node:
        return copy.deepcopy(value)
    absent = {key: child["default"] for key, child in node["properties"].items() if "default" in child and key not in value}
    return {key: with_defaults(node["properties"][key], item) for key, item in {**value, **absent}.items()}


def without_zeros(node: dict[str, Any], value: Any) -> Any:
    """Return `value` as Go writes it where no optional field is a pointer: objects are, or they would all be there."""
    if isinstance(value, list):
        return [without_zeros(node["items"], item) for item in value]
    if not isinstance(value, dict) or "properties" not in node:
        return value
    required = node.get("required", ())
    return {
        key: without_zeros(node["properties"][key], item)
        for key, item in value.items()
        if key in required or item not in (0, "", [])  # False is 0
    }
