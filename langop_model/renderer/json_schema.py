"""jsonschema, set up for this project: no time is lost on properties that are not there, nor on those that only have a type."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Any

# What jsonschema takes along where it is installed, for formats that no schema here has. The first builds a parser of URIs when
# it is imported: a second of CPU, more than all else that a command does. None means a module that can't be imported.
_FORMATS = ("rfc3987_syntax", "rfc3987", "isoduration", "fqdn", "uri_template", "webcolors")
_left_out = [name for name in _FORMATS if name not in sys.modules]
sys.modules.update(dict.fromkeys(_left_out))  # type: ignore[arg-type]
from jsonschema import Draft202012Validator, FormatChecker, ValidationError  # noqa: E402
from jsonschema.exceptions import best_match  # noqa: E402
from jsonschema.validators import extend  # noqa: E402

for _name in _left_out:
    del sys.modules[_name]

__all__ = ["FormatChecker", "best_match", "validator"]

_ANNOTATIONS = frozenset({"$comment", "default", "description", "title"})
_simple: dict[int, dict[str, Any] | None] = {}  # by the identity of a schema: they live as long as the process


def validator(schema: dict[str, Any], formats: FormatChecker | None = None) -> Any:
    """Return a validator of `schema` (JSON Schema 2020-12) that also checks `formats`."""
    return _Validator(schema, format_checker=formats)


def _properties(validator: Any, properties: dict[str, Any], instance: Any, _: Any) -> Iterator[ValidationError]:
    """The keyword `properties`, walking the instance: LiteLLM's parameters are 500, a deployment has ten."""
    if not isinstance(instance, dict):
        return
    for key, value in instance.items():
        schema = properties.get(key)
        if schema is not None and not _accepts(validator, schema, value):
            yield from validator.descend(value, schema, path=key, schema_path=key)


def _items(validator: Any, rule: Any, instance: Any, schema: Any) -> Iterator[ValidationError]:
    """The keyword `items`, for a list of plain values; else jsonschema's own."""
    if (
        "prefixItems" in schema
        or not isinstance(instance, list)
        or not all(_accepts(validator, rule, each) for each in instance)
    ):
        yield from Draft202012Validator.VALIDATORS["items"](validator, rule, instance, schema)


def _additional_properties(validator: Any, rule: Any, instance: Any, schema: Any) -> Iterator[ValidationError]:
    """The keyword `additionalProperties`, for a map of plain values; else jsonschema's own."""
    closed = "properties" in schema or "patternProperties" in schema or not isinstance(instance, dict)
    if closed or not all(_accepts(validator, rule, value) for value in instance.values()):
        yield from Draft202012Validator.VALIDATORS["additionalProperties"](validator, rule, instance, schema)


def _accepts(validator: Any, schema: Any, value: Any) -> bool:
    """Whether `schema` asks for a type or a choice and nothing else, and `value` is that; False may mean anything."""
    rules = _simple.get(id(schema), ...)
    if rules is ...:
        rules = _rules(schema)
        _simple[id(schema)] = rules
    if rules is None:
        return False
    if "enum" in rules and not (isinstance(value, str) and value in rules["enum"]):
        return False
    kinds = rules.get("type")
    return kinds is None or any(validator.is_type(value, kind) for kind in ([kinds] if isinstance(kinds, str) else kinds))


def _rules(schema: Any) -> dict[str, Any] | None:
    if not isinstance(schema, dict):
        return None
    rules = {key: value for key, value in schema.items() if key not in _ANNOTATIONS and not key.startswith("x-")}
    return rules if rules and rules.keys() <= {"type", "enum"} else None


_extend: Any = extend
_Validator: Any = _extend(
    Draft202012Validator,
    {"properties": _properties, "items": _items, "additionalProperties": _additional_properties},
)
