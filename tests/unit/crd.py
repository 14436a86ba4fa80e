"""The older resource: its schema as the API server holds it, and values that this schema accepts.

The schema is `openAPIV3Schema` of the CustomResourceDefinition in tests/data/. It is plain JSON Schema but for `format: int32`,
which the API server enforces. What the schema does not say but its descriptions do is kept too: endpoint is "required for
openai-compatible, azure, custom". Fields that the schema does not know are not made: the API server prunes them.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Any

import yaml
from hypothesis import strategies as st

from tests.conftest import ROOT

NEEDS_ENDPOINT = ("azure", "openai-compatible", "custom")
INT32 = (-(2**31), 2**31 - 1)

Path = tuple[str, ...]


@cache
def definition() -> dict[str, Any]:
    """Return the CustomResourceDefinition."""
    found: dict[str, Any] = yaml.safe_load((ROOT / "tests" / "data" / "languagemodel-crd.yaml").read_text(encoding="utf-8"))
    return found


@cache
def schema() -> dict[str, Any]:
    """Return the schema of the whole resource."""
    (version,) = definition()["spec"]["versions"]
    found: dict[str, Any] = version["schema"]["openAPIV3Schema"]
    return found


def fields(
    node: dict[str, Any], path: Path = (), definitions: dict[str, Any] | None = None
) -> Iterator[tuple[Path, dict[str, Any]]]:
    """Yield path and schema of every field below `node`; "[]" means an item of a list, "{}" for any key."""
    if "$ref" in node and definitions is not None:
        node = definitions[node["$ref"].rsplit("/", 1)[-1]]
    yield path, node
    for name, child in node.get("properties", {}).items():
        yield from fields(child, (*path, name), definitions)
    if isinstance(node.get("items"), dict):
        yield from fields(node["items"], (*path, "[]"), definitions)
    if isinstance(node.get("additionalProperties"), dict):
        yield from fields(node["additionalProperties"], (*path, "{}"), definitions)


@st.composite
def specs(draw: st.DrawFn) -> dict[str, Any]:
    """Draw a spec that the API server would store."""
    spec: dict[str, Any] = draw(values(schema()["properties"]["spec"]))
    if spec["provider"] in NEEDS_ENDPOINT:
        spec.setdefault("endpoint", "https://llm.example.com/v1")
    return spec


def values(node: dict[str, Any]) -> st.SearchStrategy[Any]:
    """Return a strategy for the values that `node` accepts; boundaries and each value of an enum are drawn often."""
    if "enum" in node:
        return st.sampled_from(node["enum"])
    if node["type"] == "boolean":
        return st.booleans()
    return _BY_TYPE[node["type"]](node)


def _objects(node: dict[str, Any]) -> st.SearchStrategy[Any]:
    if "additionalProperties" in node:
        return st.dictionaries(st.text(), values(node["additionalProperties"]), max_size=3)
    properties = {name: values(child) for name, child in node.get("properties", {}).items()}
    required = {name: properties.pop(name) for name in node.get("required", [])}
    return st.fixed_dictionaries(required, optional=properties)


def _lists(node: dict[str, Any]) -> st.SearchStrategy[Any]:
    return st.lists(values(node["items"]), max_size=3)


def _texts(node: dict[str, Any]) -> st.SearchStrategy[Any]:
    if "pattern" in node:
        return st.from_regex(node["pattern"], fullmatch=True)
    return st.text(min_size=node.get("minLength", 0), max_size=node.get("maxLength"))


def _whole_numbers(node: dict[str, Any]) -> st.SearchStrategy[Any]:
    least, most = node.get("minimum", INT32[0]), node.get("maximum", INT32[1])
    return st.sampled_from([least, most]) | st.integers(least, most)


def _numbers(_: dict[str, Any]) -> st.SearchStrategy[Any]:
    return st.integers() | st.floats(allow_nan=False, allow_infinity=False)


_BY_TYPE = {
    "object": _objects,
    "array": _lists,
    "string": _texts,
    "integer": _whole_numbers,
    "number": _numbers,
}
