"""Rules between fields (schema/input-rules.json), each in JSON Schema and in CEL."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any

from langop_model.renderer import catalogue
from langop_model.renderer.catalogue import Provider
from langop_model.resources import load_json
from langop_model.schemas import provider_sets

Rule = dict[str, Any]


def data() -> dict[str, Any]:
    """Return schema/input-rules.json."""
    rules: dict[str, Any] = load_json("input-rules.json")
    return rules


def in_json_schema() -> Iterator[dict[str, Any]]:
    """Yield the rules that JSON Schema can say, as members of allOf: what must not be, with the sentence to show."""
    parts = data()["parts"]
    for rule in data()["rules"]:
        needed, denied = rule.get("any", []), rule.get("none", [])
        if not all("schema" in parts[name] for name in [*needed, *denied]):
            continue
        wrong: list[dict[str, Any]] = []
        if needed:
            wrong.append({"not": {"anyOf": [parts[name]["schema"] for name in needed]}})
        if denied:
            wrong.append({"anyOf": [parts[name]["schema"] for name in denied]})
        if "providers" in rule:
            wrong.insert(0, _of_providers(rule["providers"]))
        yield {"$comment": rule["finding"], "not": {"allOf": wrong}, "errorMessage": rule["message"]}


def in_cel() -> Iterator[dict[str, str]]:
    """Yield the rules as members of x-kubernetes-validations of spec."""
    parts = data()["parts"]
    for rule in data()["rules"]:
        allowed = " || ".join(f"({parts[name]['cel']})" for name in rule.get("any", []))
        denied = " || ".join(f"({parts[name].get('cel_if_denied', parts[name]['cel'])})" for name in rule.get("none", []))
        holds = allowed or f"!({denied})"
        if "providers" in rule:
            holds = f"!({_providers_in_cel(rule['providers'])}) || {holds}"
        yield {"rule": holds, "message": rule["message"]}

    yield from _names_in_cel()


# At another server than the provider's own, a name with a slash is that server's (renderer/model_names.py).
_ELSEWHERE = ("endpoint", "address-among-parameters", "endpoints", "endpoint-of-a-region")


def names_in_json_schema() -> Iterator[dict[str, Any]]:
    """Yield the rules for providers without a slash in their models' names: another provider's name is a mistake (LM235)."""
    parts = data()["parts"]
    for provider in _slashless():
        foreign = {"$ref": "#/$defs/litellmName", "not": {"pattern": "|".join(f"^{each}" for each in provider.prefixes)}}
        wrong = [_of_providers([provider.name]), {"required": ["modelName"], "properties": {"modelName": foreign}}]
        wrong += [{"not": parts[name]["schema"]} for name in _ELSEWHERE if not provider.named_in_path]
        yield {"$comment": "LM235", "not": {"allOf": wrong}, "errorMessage": _no_slash(provider)}


def litellm_names() -> str:
    """Return the pattern of a name that starts with LiteLLM's name of a provider."""
    return f"^({'|'.join(sorted(name.replace('.', chr(92) + '.') for name in catalogue.litellm_names()))})/"


def _names_in_cel() -> Iterator[dict[str, str]]:
    parts = data()["parts"]
    for provider in _slashless():
        allowed = [f"self.modelName.startsWith({json.dumps(prefix)})" for prefix in provider.prefixes]
        allowed += [f"({parts[name]['cel']})" for name in _ELSEWHERE if not provider.named_in_path]
        others = litellm_names().replace("\\", "\\\\")
        conditions = [f"!({_providers_in_cel([provider.name])})", *allowed, f"!self.modelName.matches('{others}')"]
        yield {"rule": " || ".join(conditions), "message": _no_slash(provider)}


def _slashless() -> list[Provider]:
    return [provider for provider in catalogue.usable() if provider.slashless]


def _no_slash(provider: Provider) -> str:
    return f"{provider.name} has no model with a slash in its name: this is the name of another provider"


def _of_providers(wanted: str | Sequence[str]) -> dict[str, Any]:
    names = zip(("provider", "litellmProvider"), provider_sets.names_of(wanted), strict=True)
    return {"anyOf": [{"required": [field], "properties": {field: {"enum": chosen}}} for field, chosen in names]}


def _providers_in_cel(wanted: str | Sequence[str]) -> str:
    names = zip(("provider", "litellmProvider"), provider_sets.names_of(wanted), strict=True)
    return " || ".join(f"(has(self.{field}) && self.{field} in {json.dumps(chosen)})" for field, chosen in names)
