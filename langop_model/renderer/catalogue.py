"""The providers: schema/providers.json, one row each, whose own comment says what each member of a row means."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import cache
from types import MappingProxyType
from typing import Any
from urllib.parse import urlsplit

from langop_model.renderer.record import Record
from langop_model.resources import load_json

PLACEHOLDER = r"[A-Z][A-Z_]{3,}"  # HOST, REGION, MODEL: differs from one user, or one request, to the next
SETTING_ENDINGS = ("API_KEY", "API_BASE", "BASE_URL")  # of the variables that LiteLLM reads for a provider

_compiled = cache(re.compile)  # the patterns of names in the catalogue, which each model is compared with


class Check(Record):
    """A GET below a provider's address that costs nothing and shows that it answers."""

    path: str
    headers: Mapping[str, str] = MappingProxyType({})


class Relay(Record):
    """How a provider is asked in its own protocol, where that is the client's too: see schema/providers.schema.json."""

    routes: Mapping[str, str]
    streams: Mapping[str, str] = MappingProxyType({})
    headers: Mapping[str, str] = MappingProxyType({})
    drops: tuple[str, ...] = ()
    renames: Mapping[str, str] = MappingProxyType({})
    translates: tuple[str, ...] = ()
    models: tuple[Mapping[str, Any], ...] = ()
    query: Mapping[str, Mapping[str, str]] = MappingProxyType({})
    developer_role: bool = False

    def rules(self, model: str) -> dict[str, Any]:
        """Return `drops`, `renames` and `translates` of a model, those of all models included; the first match counts."""
        own = next((rules for rules in self.models if _compiled(rules["match"]).fullmatch(model)), {})
        return {
            "drops": [*self.drops, *own.get("drops", ())],
            "renames": {**self.renames, **own.get("renames", {})},
            "translates": [*self.translates, *own.get("translates", ())],
        }


class Provider(Record):
    """A row. schema/providers.schema.json says what each member means."""

    name: str
    title: str
    link: str
    litellm: str
    routes: tuple[str, ...]
    relay: Relay | None = None
    template: str = "deployment.yaml.j2"
    address: str = ""
    endpoint_format: str = ""
    endpoint_locked: bool = False
    always_set_api_base: bool = False
    appends: str = ""
    strip_suffixes: tuple[str, ...] = ()
    hosts: tuple[str, ...] = ()
    prefixes: tuple[str, ...] = ()
    slashless: bool = False
    key: str = ""
    keyless: bool = False
    credentials: Mapping[str, list[str]] = MappingProxyType({})
    files: tuple[str, ...] = ()
    environment: tuple[str, ...] = ()
    shadowing_variables: tuple[str, ...] = ()
    folder: str = ""
    credential_sets: tuple[tuple[str, ...], ...] = ()
    ambient: tuple[str, ...] = ()
    parameters: Mapping[str, str] = MappingProxyType({})
    requires: tuple[tuple[str, ...], ...] = ()
    unsupported_fields: tuple[str, ...] = ()
    unsupported_parameters: Mapping[str, list[str]] = MappingProxyType({})
    unsupported_fields_by_model: Mapping[str, list[str]] = MappingProxyType({})
    conflicting_fields_by_model: Mapping[str, list[list[str]]] = MappingProxyType({})
    members: tuple[str, ...] = ()
    fixed_routes: tuple[str, ...] = ()
    no_streaming_reason: str = ""
    check: Check | None = None
    extra_hosts: tuple[str, ...] = ()
    note: str = ""
    unsupported_reason: str = ""

    @property
    def main_credential(self) -> str:
        """The parameter that spec.apiKeySecretRef fills: the first one. Empty where one key is not enough."""
        return next(iter(self.credentials), "")

    @property
    def base_path(self) -> str:
        """The path of its base address, such as /openai/v1; empty for none, or for one that differs from user to user."""
        path = urlsplit(self.address or self.endpoint_format).path.rstrip("/")
        return "" if re.search(PLACEHOLDER, path) else path

    @property
    def named_in_path(self) -> bool:
        """Whether a request names the model in its path, where a name has no slash."""
        return "MODEL" in self.appends

    @property
    def key_header(self) -> tuple[str, str]:
        """The name of the header with the key, and what stands before the key in it."""
        name, _, value = self.key.partition(": ")
        return name, value.removesuffix("KEY")

    @property
    def needs_key(self) -> bool:
        """Whether its own address refuses a request without a key, and nothing can stand in for one."""
        return bool(self.key or self.credential_sets) and not self.keyless and not self.ambient

    @property
    def secret(self) -> str:
        """The fields of a spec that can name its credentials, in words; empty where it has none."""
        if not (self.credentials or self.folder):
            return ""
        one = self.credentials and (not self.credential_sets or (self.main_credential,) in self.credential_sets)
        several = "credentialsSecretRef" if self.folder or self.credential_sets else ""
        return " or ".join(part for part in ("apiKeySecretRef" if one else "", several) if part)

    @property
    def needs(self) -> str:
        """What a spec must say beside provider and modelName, in words."""
        endpoint = "" if self.address else f"endpoint ({self.endpoint_format})"
        key = "" if self.keyless else self.secret + (", or the pod's own identity" if self.ambient else "")
        required = [f"params.{' or params.'.join(names)}" for names in self.requires]
        return "; ".join(part for part in (endpoint, key, *required) if part) or "nothing else"

    @property
    def remarks(self) -> str:
        """What is special about it, in a sentence."""
        streams = f"no streams: {self.no_streaming_reason}" if self.no_streaming_reason else ""
        asks = f"asks {', '.join(self.extra_hosts)} too" if self.extra_hosts else ""
        return "; ".join(part for part in (self.note, asks, streams) if part)

    @property
    def all_routes(self) -> list[str]:
        """The routes that it has: those that LiteLLM can ask it, and those on which it speaks the client's protocol."""
        return list(dict.fromkeys([*self.routes, *(self.relay.routes if self.relay is not None else ())]))

    def unsupported_fields_of(self, model: str) -> list[str]:
        """Return the fields of spec.configuration that a model of this provider does not know."""
        by_model = (drops for pattern, drops in self.unsupported_fields_by_model.items() if _compiled(pattern).fullmatch(model))
        return [*self.unsupported_fields, *next(by_model, [])]

    def conflicts_of(self, model: str) -> list[list[str]]:
        """Return the sets of fields of spec.configuration that a model of this provider refuses together."""
        by_model = (sets for pattern, sets in self.conflicting_fields_by_model.items() if _compiled(pattern).fullmatch(model))
        return next(by_model, [])

    def serves(self, route: str) -> bool:
        """Whether LiteLLM can ask it for `route`."""
        return route in self.routes


def providers() -> list[Provider]:
    """Return the providers in the order of the catalogue: the resource's own first, those that are refused too."""
    return [named(name) for name in _rows()]


def usable() -> list[Provider]:
    """Return the providers that a spec may name."""
    return [provider for provider in providers() if not provider.unsupported_reason]


def refusals() -> dict[str, str]:
    """Return LiteLLM's providers that can't be used, by LiteLLM's name, each with the reason."""
    return {provider.litellm: provider.unsupported_reason for provider in providers() if provider.unsupported_reason}


def is_named(name: str) -> bool:
    """Whether the catalogue has a provider of this name."""
    return name in _rows()


@cache
def named(name: str) -> Provider:
    """Return the provider that `spec.provider: name` means. Raises KeyError for none."""
    return provider_of(name, _rows()[name])


@cache
def of_litellm(slug: str) -> Provider:
    """Return the provider that LiteLLM calls `slug`, as `spec.litellmProvider: slug` means it. Raises KeyError for none."""
    return named(litellm_names()[slug])


def of_spec(spec: Mapping[str, Any]) -> Provider:
    """Return the provider of a valid spec."""
    return named(spec["provider"]) if "provider" in spec else of_litellm(spec["litellmProvider"])


@cache
def litellm_names() -> dict[str, str]:
    """Return the name of its row for each of LiteLLM's names. The resource has several names for some of them."""
    names: dict[str, str] = {}
    for name, row in _rows().items():
        names.setdefault(row.get("litellm", name), name)
    return names


@cache
def foreign_settings() -> frozenset[str]:
    """Return the variables of the process from which LiteLLM would take a provider's key or address."""
    return frozenset(_setting_names())


def _setting_names() -> Iterator[str]:
    for provider in providers():
        yield from (*provider.environment, *provider.shadowing_variables)
        for parameter, names in provider.credentials.items():
            yield from (name for name in names if name.isupper())
            yield from () if parameter == "api_key" else (parameter.upper(),)
        for slug in {provider.name, provider.litellm}:
            yield from (f"{slug.upper().replace('-', '_')}_{ending}" for ending in SETTING_ENDINGS)


def provider_of(name: str, row: Mapping[str, Any]) -> Provider:
    """Return a row of the catalogue as a Provider. Raises TypeError for a member that no row has, or that is missing."""
    try:
        return _provider(name, row)
    except TypeError as problem:
        raise TypeError(f"the provider {name}: {problem}") from None


def _provider(name: str, row: Mapping[str, Any]) -> Provider:
    members: dict[str, Any] = {key: tuple(value) if isinstance(value, list) else value for key, value in row.items()}
    for key in ("credential_sets", "requires"):
        if key in members:
            members[key] = tuple(tuple(names) for names in members[key])
    if "template" in row:
        members["template"] = f"providers/{row['template']}.yaml.j2"
    if "relay" in row:
        lists = {key: tuple(value) for key, value in row["relay"].items() if isinstance(value, list)}
        members["relay"] = Relay(**{**row["relay"], **lists})
    if "check" in row:
        members["check"] = Check(**row["check"])
    return Provider(**{"name": name, "litellm": name, **members})


@cache
def _rows() -> dict[str, dict[str, Any]]:
    rows: dict[str, dict[str, Any]] = load_json("providers.json")["providers"]
    return rows
