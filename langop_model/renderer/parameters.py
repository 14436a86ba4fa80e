"""spec.configuration.additionalParameters: texts that get the type LiteLLM gives the parameter."""

from __future__ import annotations

import re
from functools import cache
from typing import Any

from langop_model.renderer import source
from langop_model.renderer.findings import Findings, Path, SpecError
from langop_model.resources import load_json

PATH: Path = ("spec", "configuration", "additionalParameters")
LONGEST_VALUE = 40  # characters of a wrong value that are worth repeating
_NUMBER = re.compile(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][-+]?[0-9]+)?")


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
            found.add("LM208", *PATH, name, value=_shown(text), allowed=_allowed(name))
            continue
        problem = _refusal(name, value)
        if problem:
            found.add(problem, *PATH, name, value=_shown(text), allowed=_allowed(name))
        result[name] = value
    return result


@cache
def known() -> dict[str, Any]:
    """Return LiteLLM's parameters of a deployment: name to JSON Schema."""
    section = load_json("litellm-config.schema.json")["properties"]["model_list"]["items"]["properties"]
    properties: dict[str, Any] = section["litellm_params"]["properties"]
    return properties


@cache
def credential() -> re.Pattern[str]:
    """Return the pattern of names that hold credentials, from schema/languagemodel.schema.json."""
    spec = load_json("languagemodel.schema.json")["properties"]["spec"]["properties"]
    names = spec["configuration"]["properties"]["additionalParameters"]["propertyNames"]
    return re.compile(names["x-strict"]["allOf"][0]["not"]["pattern"])


def _refusal(name: str, value: Any) -> str | None:
    """Return the code of what is wrong with a value, or None.

    A header such as Authorization is a credential too: it would stand in the configuration. And LiteLLM replaces a text
    that starts with os.environ/ wherever it stands.
    """
    for path, leaf in source.walk(value):
        if any(isinstance(segment, str) and credential().search(segment) for segment in path):
            return "LM206"
        if isinstance(leaf, str) and leaf.startswith("os.environ/"):
            return "LM108"
    if name not in known():
        return None
    from langop_model.renderer.json_schema import validator

    return None if validator(known()[name]).is_valid(value) else "LM208"


def _allowed(name: str) -> str:
    schema = known().get(name, {})
    if "enum" in schema:
        return f"one of {', '.join(map(str, schema['enum']))}"
    kind = " or ".join(_types(name))
    values = schema.get("additionalProperties")
    of = f" of {values['type']} values" if isinstance(values, dict) and "type" in values else ""
    return f"a value of type {kind}{of}" if kind else "plain text, or JSON without duplicate keys and deep nesting"


def _shown(text: str) -> str:
    """Return what a message may repeat of a value: JSON may hold a key, and nobody reads a page."""
    return repr(text) if len(text) <= LONGEST_VALUE and not credential().search(text) and text[:1] not in "{[" else "a text"


def _types(name: str) -> list[str]:
    types = known().get(name, {}).get("type", [])
    return [name for name in ([types] if isinstance(types, str) else types) if name != "null"]


def _typed(text: str, types: list[str]) -> Any:
    """Return what `text` says in one of `types`, or the text itself where text is allowed; else raise ValueError."""
    if types == ["string"]:
        return text
    if not (text.lstrip()[:1] in ("{", "[") or text in ("true", "false") or _NUMBER.fullmatch(text)):
        return _as_text(text, types)
    try:
        value = source.parse_json("", text)
    except SpecError as problem:
        raise ValueError(problem) from None
    except ValueError:  # it only looks like JSON
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
