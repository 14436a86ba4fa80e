"""jsonschema, set up for this project: no time is lost on properties that are not there, nor on those that only have a type."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from jsonschema import Draft202012Validator, FormatChecker, ValidationError
from jsonschema.validators import extend

_ANNOTATIONS = frozenset({"$comment", "default", "description", "title"})
_only_types: dict[int, list[str] | None] = {}  # by the identity of a schema: they live as long as the process


def validator(schema: dict[str, Any], formats: FormatChecker | None = None) -> Any:
    """Return a validator of `schema` (JSON Schema 2020-12) that also checks `formats`."""
    return _Validator(schema, format_checker=formats)


def _properties(validator: Any, properties: dict[str, Any], instance: Any, _: Any) -> Iterator[ValidationError]:
    """The keyword `properties`, walking the instance: LiteLLM's parameters are 500, a deployment has ten."""
    if not isinstance(instance, dict):
        return
    for key, value in instance.items():
        schema = properties.get(key)
        if schema is None or any(validator.is_type(value, kind) for kind in _types_alone(schema) or ()):
            continue
        yield from validator.descend(value, schema, path=key, schema_path=key)


def _additional_properties(validator: Any, rule: Any, instance: Any, schema: Any) -> Iterator[ValidationError]:
    """The keyword `additionalProperties`, for a map whose values only have a type; else jsonschema's own."""
    kinds = _types_alone(rule) if "properties" not in schema and "patternProperties" not in schema else None
    values = instance.values() if kinds and isinstance(instance, dict) else [...]
    if all(any(validator.is_type(value, kind) for kind in kinds or ()) for value in values):
        return
    yield from Draft202012Validator.VALIDATORS["additionalProperties"](validator, rule, instance, schema)


def _types_alone(schema: Any) -> list[str] | None:
    """Return the types of a schema that asks for nothing else; None when it does."""
    if not isinstance(schema, dict):
        return None
    known = _only_types.get(id(schema), ...)
    if known is ...:
        rules = {key for key in schema if key not in _ANNOTATIONS and not key.startswith("x-")}
        kind = schema.get("type")
        known = None if rules != {"type"} else [kind] if isinstance(kind, str) else kind
        _only_types[id(schema)] = known
    return known


_extend: Any = extend
_Validator: Any = _extend(Draft202012Validator, {"properties": _properties, "additionalProperties": _additional_properties})
