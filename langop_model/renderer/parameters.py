"""Parameters by their own names: spec.configuration.additionalParameters, which are texts, and spec.params, which are JSON."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Mapping
from functools import cache
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from langop_model.contract.references import REFERENCE
from langop_model.renderer import source, wording
from langop_model.renderer.catalogue import Provider
from langop_model.renderer.findings import Findings, Path, SpecError
from langop_model.renderer.verdict import Checker
from langop_model.resources import load_json

if TYPE_CHECKING:
    from langop_model.renderer.extra.table import Row

TEXTS: Path = ("spec", "configuration", "additionalParameters")
VALUES: Path = ("spec", "params")
OPENED = "allowed_openai_params"  # members of requests that clients may send to this model beside the usual ones
LONGEST_VALUE = 40  # characters of a wrong value that are worth repeating
# LiteLLM's names of a deployment's share in a model group, ours, and the least value.
SHARE = {"weight": ("weight", 0), "order": ("priority", -(2**31))}
_NONE: Mapping[str, str] = MappingProxyType({})
_NUMBER = r"-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][-+]?[0-9]+)?"


def of_spec(provider: Provider, spec: Mapping[str, Any], found: Findings) -> dict[str, Any]:
    """Return the parameters that a valid spec names. spec.params comes before spec.configuration.additionalParameters."""
    texts = spec.get("configuration", {}).get("additionalParameters", {})
    values = spec.get("params", {})
    for name in texts.keys() & values.keys():
        found.add("LM415", *TEXTS, name, by=f"spec.params.{name}")
    return {**typed(texts, found, provider.parameters), **checked(values, found, provider.parameters)}


def typed(texts: Mapping[str, str], found: Findings, own: Mapping[str, str] = _NONE) -> dict[str, Any]:
    """Return `texts` with numbers, booleans and JSON in place of them.

    The type is that of the parameter in schema/litellm-config.schema.json, or in `own`, the provider's row of the catalogue.
    One that neither knows is sent to the provider as it is: it becomes what it looks like, and a finding names it.
    """
    values = {}
    for name, text in texts.items():
        schema = _schema(name, own)
        try:
            values[name] = _typed(text, _types(schema))
        except ValueError:
            found.add("LM208", *TEXTS, name, value=shown(text), allowed=_allowed(schema))
    return _checked(values, texts, TEXTS, found, own)


def checked(values: Mapping[str, Any], found: Findings, own: Mapping[str, str] = _NONE) -> dict[str, Any]:
    """Return `values`, which have their types already, and record a finding for each that LiteLLM or a rule refuses."""
    return _checked(values, values, VALUES, found, own)


def _checked(
    values: Mapping[str, Any], stated: Mapping[str, Any], path: Path, found: Findings, own: Mapping[str, str]
) -> dict[str, Any]:
    for name, value in values.items():
        schema = _schema(name, own)
        if not schema:
            found.add("LM313", *path, name)
        problem = _refusal(schema, value)
        if problem:
            found.add(problem, *path, name, value=shown(stated[name]), allowed=_allowed(schema))
        row = _row(name)
        if row is not None and row.effect == "refused":
            found.add("LM218", *path, name, because=row.because, instead=row.instead)
    allowed = values.get(OPENED)
    for wrong in [each for each in allowed if not may_be_allowed(str(each))] if isinstance(allowed, list) else ():
        because = f"{shown(wrong)} is a setting or a credential, which no client may choose"
        found.add("LM218", *path, OPENED, because=because, instead="name members of requests only")
    return dict(values)


def _row(name: str) -> Row | None:
    """Return what becomes of a parameter of LiteLLM's; None for one that its table does not have."""
    from langop_model.renderer.extra import table

    return table.by_key().get(f"model_list[].litellm_params.{name}")


@cache
def request_members() -> frozenset[str]:
    """Return the names of parameters that are members of a request to a model, not settings of LiteLLM."""
    data = load_json("request-members.json")
    return frozenset(data["spec_only"]).union(*data["routes"].values(), *data["servers"].values())


def is_request_member(name: str) -> bool:
    """Whether a parameter goes into the body of requests: one that LiteLLM does not know is the provider's."""
    return name in request_members() or name not in known()


def may_be_allowed(name: str) -> bool:
    """Whether params.allowed_openai_params may open a member of requests to clients: never a setting or a credential."""
    return is_request_member(name) and not credential().search(name)


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


def said_in(text: str, name: str) -> Any:
    """Return what `text` says in the type of LiteLLM's parameter `name`; the text itself where it has another type."""
    with contextlib.suppress(ValueError):
        return _typed(text, _types(known()[name]))
    return text


def share(spec: Mapping[str, Any], values: dict[str, Any], found: Findings) -> dict[str, int]:
    """Take weight and order out of `values`, the parameters of a spec, and return them by our names.

    They are what its resource gets of a modelName that others have too. Records an error (LM208) for what is not an integer.
    """
    taken: dict[str, int] = {}
    for name, (member, least) in SHARE.items():
        if name not in values:
            continue
        value = values.pop(name)
        if isinstance(value, int) and value >= least:
            taken[member] = value
        else:
            found.add("LM208", *place(spec, name), value=shown(value), allowed=f"an integer, at least {least}")
    return taken


def place(spec: Mapping[str, Any], name: str) -> Path:
    """Return where a spec names the parameter that counts."""
    return (*(VALUES if name in spec.get("params", {}) else TEXTS), name)


def _schema(name: str, own: Mapping[str, str]) -> dict[str, Any]:
    """Return the JSON Schema of a parameter; empty for one that nobody knows."""
    return known().get(name) or ({"type": own[name]} if name in own else {})


def _refusal(schema: dict[str, Any], value: Any) -> str | None:
    """Return the code of what is wrong with a value, or None.

    A header such as Authorization is a credential too: it would be in the configuration. And LiteLLM replaces a text
    that starts with os.environ/ wherever it stands.
    """
    for path, leaf in source.walk(value):
        if any(isinstance(segment, str) and credential().search(segment) for segment in path):
            return "LM206"
        if isinstance(leaf, str) and leaf.startswith(REFERENCE):
            return "LM108"
    return None if Checker(schema).accepts(value) else "LM208"


def _allowed(schema: dict[str, Any]) -> str:
    if "enum" in schema:
        return f"one of {', '.join(map(str, schema['enum']))}"
    kind, values = _in_words(schema), schema.get("additionalProperties")
    of = f", each value {_in_words(values)}" if isinstance(values, dict) and _types(values) else ""
    return f"{kind}{of}" if kind else "plain text, or JSON without duplicate keys and deep nesting"


def shown(value: Any) -> str:
    """Return what a message may repeat of a value: JSON may hold a key, and nobody reads a page."""
    if isinstance(value, bool | int | float | None):
        return wording.shown(value)
    harmless = isinstance(value, str) and len(value) <= LONGEST_VALUE and value[:1] not in ("{", "[")
    return wording.shown(value, hidden=not harmless or bool(credential().search(value)))


def _in_words(schema: dict[str, Any]) -> str:
    return " or ".join(wording.TYPES[name] for name in _types(schema))


def _types(schema: dict[str, Any]) -> list[str]:
    types = schema.get("type", [])
    return [name for name in ([types] if isinstance(types, str) else types) if name != "null"]


def _typed(text: str, types: list[str]) -> Any:
    """Return what `text` says in one of `types`, or the text itself where text is allowed; else raise ValueError."""
    if types == ["string"]:
        return text
    if not (text.lstrip()[:1] in ("{", "[") or text in ("true", "false") or re.fullmatch(_NUMBER, text)):
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
