"""Validation against schema/languagemodel.schema.json, all errors at once, and the resource's defaults."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any

from langop_model.contract.references import REFERENCE
from langop_model.renderer import durations
from langop_model.renderer.findings import Findings, Path
from langop_model.renderer.manifest import Resource
from langop_model.renderer.verdict import Checker, Format
from langop_model.resources import load_json


def validate(resource: Resource, found: Findings) -> None:
    """Record a finding for everything in the resource that the schema does not accept, and for its x-finding fields."""
    if not _checker().accepts(resource.manifest):
        from langop_model.renderer import schema_errors

        for finding in schema_errors.findings_of_all(_validator().iter_errors(resource.manifest)):
            found.record(finding)
    _report_annotated(_annotations(), resource.manifest, (), found)
    _refuse_references(resource.manifest.get("spec"), ("spec",), found)


def with_defaults(resource: Resource) -> dict[str, Any]:
    """Return the spec with the resource's defaults inside every object that is there, as the API server fills them.

    An absent object stays absent: it asks for nothing. The resource is left as it is.
    """
    filled: dict[str, Any] = _fill(_written_schema()["properties"]["spec"], resource.manifest["spec"], resource.bare)
    return filled


def errors_of(field: Sequence[str], value: Any) -> list[Any]:
    """Return jsonschema's errors about `value` as the field of a spec: ("retryPolicy", "maxAttempts")."""
    node = node_of(field)
    return [] if accepts(node, value) else list(_validator().evolve(schema=node).iter_errors(value))


def accepts(node: dict[str, Any], value: Any) -> bool:
    """Whether `node`, a part of `schema()`, accepts a value."""
    return _checker().accepts(value, node)


def node_of(field: Sequence[str]) -> dict[str, Any]:
    """Return the schema of a field of a spec, as `schema` has it. Raises KeyError for none."""
    return _node_of(tuple(field))


@cache
def _node_of(field: tuple[str, ...]) -> dict[str, Any]:
    node: dict[str, Any] = _written_schema()["properties"]["spec"]
    for name in field:
        node = node["properties"][name]
    merged: dict[str, Any] = _merge_strict(node)
    return merged


@cache
def schema() -> dict[str, Any]:
    """Return the input schema with its x-strict rules merged in: what langop/model accepts."""
    strict: dict[str, Any] = _merge_strict(_written_schema())
    return strict


def _written_schema() -> dict[str, Any]:
    """Return the schema as it is written: x-strict has no fields and no defaults (a test), and merging takes time."""
    written: dict[str, Any] = load_json("languagemodel.schema.json")
    return written


@cache
def _checker() -> Checker:
    return Checker(_written_schema(), FORMATS)


@cache
def _validator() -> Any:
    from langop_model.renderer.json_schema import FormatChecker, validator

    checker = FormatChecker(formats=())
    for name, check in FORMATS.items():
        checker.checks(name, raises=ValueError)(check)
    return validator(schema(), checker)


def _is_duration(value: object) -> bool:
    if isinstance(value, str):
        durations.seconds(value)  # raises ValueError for any other text
    return True


def _is_url(value: object) -> bool:
    """A URL that can be a base: nothing may follow its path but Azure's api-version, and a password in it would be shown."""
    if not isinstance(value, str):
        return True
    import re
    from urllib.parse import urlsplit

    from langop_model.renderer.endpoints import VERSION_QUERY

    value = re.sub(VERSION_QUERY, "", value)
    parts = urlsplit(value)  # ValueError for a bracket that is not closed
    _ = parts.port  # ValueError for a port that is not a number
    plain = parts.scheme in ("http", "https") and parts.hostname and "@" not in parts.netloc
    return bool(plain) and not any(letter in "?#" or letter.isspace() or letter < " " for letter in value)


FORMATS: dict[str, Format] = {"go-duration": _is_duration, "http-url": _is_url}
"""The formats that the schema has: functions that return False, or raise ValueError, for a text that has not."""


def _merge_strict(node: Any) -> Any:
    if isinstance(node, list):
        return [_merge_strict(item) for item in node]
    if not isinstance(node, dict):
        return node
    merged = {key: _merge_strict(value) for key, value in node.items() if key != "x-strict"}
    return {**merged, **node.get("x-strict", {})}


def _fill(node: dict[str, Any], value: Any, bare: bool) -> Any:
    if isinstance(value, list) and "items" in node:
        return [_fill(node["items"], item, bare) for item in value]
    if isinstance(value, float) and node.get("type") == "integer":
        return int(value)  # JSON does not tell 100 from 100.0
    if not isinstance(value, dict) or "properties" not in node:
        return value
    filled = {}
    for key, child in node["properties"].items():
        if key in value:
            filled[key] = _fill(child, value[key], bare)
        elif "default" in child:
            filled[key] = child["x-omitted"] if bare and "x-omitted" in child else child["default"]
    return filled


def _report_annotated(node: dict[str, Any], value: Any, path: Path, found: Findings) -> None:
    if "x-finding" in node:
        found.add(node["x-finding"], *path)
    if isinstance(value, dict):
        known = node.get("properties", {})
        for key, item in value.items():
            if key in known:
                _report_annotated(known[key], item, (*path, key), found)
    elif isinstance(value, list) and "items" in node:
        for index, item in enumerate(value):
            _report_annotated(node["items"], item, (*path, index), found)


@cache
def _annotations() -> dict[str, Any]:
    """Return the schema without the parts that have no x-finding: five fields of a hundred have one."""
    return _annotated(_written_schema())


def _annotated(node: dict[str, Any]) -> dict[str, Any]:
    """Return what is left of a part of the schema; empty for nothing."""
    left: dict[str, Any] = {"x-finding": node["x-finding"]} if "x-finding" in node else {}
    properties = {name: part for name, child in node.get("properties", {}).items() if (part := _annotated(child))}
    items = _annotated(node["items"]) if "items" in node else {}
    return left | ({"properties": properties} if properties else {}) | ({"items": items} if items else {})


def _refuse_references(value: Any, path: Path, found: Findings) -> None:
    """LiteLLM replaces a text that starts with os.environ/ by that variable of its process: no spec may read it."""
    if isinstance(value, dict):
        for key, item in value.items():
            _refuse_references(item, (*path, key), found)
    elif isinstance(value, list):
        for index, item in enumerate(value):
            _refuse_references(item, (*path, index), found)
    elif isinstance(value, str) and value.startswith(REFERENCE):
        found.add("LM108", *path)
