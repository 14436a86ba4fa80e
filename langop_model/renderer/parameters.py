"""spec.configuration.additionalParameters: texts that get the type LiteLLM gives the parameter."""

from __future__ import annotations

import json
import re
from functools import cache
from typing import Any

from langop_model.renderer.findings import Findings, Path
from langop_model.resources import load_json

PATH: Path = ("spec", "configuration", "additionalParameters")
_CREDENTIAL = re.compile(r"(?i)api[-_]?key|secret|password|credential|authorization|(^|[-_])token$")
_NUMBER = re.compile(r"^-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][-+]?[0-9]+)?$")


def typed(parameters: dict[str, str], found: Findings) -> dict[str, Any]:
    """Return `parameters` with numbers, booleans and JSON in place of their texts.

    The type is that of the parameter in schema/litellm-config.schema.json. One that LiteLLM does not know is sent to the
    provider as it is: it becomes what it looks like, and a finding names it.
    """
    result = {}
    for name, text in parameters.items():
        if name not in known():
            found.add("LM313", *PATH, name)
        try:
            value = _typed(text, _types(name))
        except ValueError:
            found.add("LM208", *PATH, name, value=text, allowed=f"a value of type {' or '.join(_types(name))}")
            continue
        if name in known() and (problem := _problem(known()[name], value)):
            found.add("LM208", *PATH, name, value=text, allowed=problem)
        if _holds_credential(value):
            found.add("LM206", *PATH, name)
        result[name] = value
    return result


@cache
def known() -> dict[str, Any]:
    """Return LiteLLM's parameters of a deployment: name to JSON Schema."""
    section = load_json("litellm-config.schema.json")["properties"]["model_list"]["items"]["properties"]
    properties: dict[str, Any] = section["litellm_params"]["properties"]
    return properties


def _problem(schema: dict[str, Any], value: Any) -> str:
    """Return what LiteLLM wants instead of `value`, or nothing when the value is right."""
    from langop_model.renderer.json_schema import validator

    error = next(iter(validator(schema).iter_errors(value)), None)
    if error is None:
        return ""
    return (
        f"one of {', '.join(map(str, error.validator_value))}" if error.validator == "enum" else f"otherwise: {error.message}"
    )


def _types(name: str) -> list[str]:
    types = known().get(name, {}).get("type", [])
    return [name for name in ([types] if isinstance(types, str) else types) if name != "null"]


def _typed(text: str, types: list[str]) -> Any:
    """Convert `text` to the first of `types` that fits; text stays text where text is allowed and nothing else is said."""
    if types == ["string"]:
        return text
    looks_typed = text.lstrip()[:1] in ("{", "[") or text in ("true", "false") or bool(_NUMBER.match(text))
    if not looks_typed:
        return _as_text(text, types)
    try:
        value = json.loads(text)
    except ValueError:
        return _as_text(text, types)
    return value if not types or _json_type(value) & set(types) else _as_text(text, types)


def _as_text(text: str, types: list[str]) -> str:
    if types and "string" not in types:
        raise ValueError(text)
    return text


def _json_type(value: Any) -> set[str]:
    if isinstance(value, bool):
        return {"boolean"}
    if isinstance(value, int):
        return {"integer", "number"}
    if isinstance(value, float):
        return {"number"}
    return {"object"} if isinstance(value, dict) else {"array"}


def _holds_credential(value: Any) -> bool:
    """An extra header such as Authorization is a credential too: it would stand in the configuration."""
    if isinstance(value, dict):
        return any(_CREDENTIAL.search(key) or _holds_credential(item) for key, item in value.items())
    return isinstance(value, list) and any(_holds_credential(item) for item in value)
