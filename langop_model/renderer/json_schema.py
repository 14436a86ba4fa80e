"""jsonschema, set up for this project: no time is lost on properties that are not there."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from jsonschema import Draft202012Validator, FormatChecker, ValidationError
from jsonschema.validators import extend


def validator(schema: dict[str, Any], formats: FormatChecker | None = None) -> Any:
    """Return a validator of `schema` (JSON Schema 2020-12) that also checks `formats`."""
    return _Validator(schema, format_checker=formats)


def _properties(validator: Any, properties: dict[str, Any], instance: Any, _: Any) -> Iterator[ValidationError]:
    """The keyword `properties`, walking the instance: LiteLLM's parameters are 600, a deployment has ten."""
    if isinstance(instance, dict):
        for key, value in instance.items():
            if key in properties:
                yield from validator.descend(value, properties[key], path=key, schema_path=key)


_extend: Any = extend
_Validator: Any = _extend(Draft202012Validator, {"properties": _properties})
