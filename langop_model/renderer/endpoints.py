"""The base address that an endpoint means, whatever its author copied it from.

People paste what a portal or a curl example shows: the whole URL of a request, or a host without /v1. The row of the
provider (schema/providers.json) says what a base address looks like and what LiteLLM appends to it. What can only mean one
thing is understood, with an info; what could mean another is refused.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import cache, lru_cache
from ipaddress import ip_address
from types import MappingProxyType
from urllib.parse import SplitResult, unquote, urlsplit

from langop_model.renderer import catalogue
from langop_model.renderer.catalogue import PLACEHOLDER, Provider
from langop_model.renderer.findings import Findings, Path, dotted
from langop_model.renderer.record import Record

VERSION_QUERY = r"\?api-version=(?P<version>[\w.-]+)\Z"  # the one query that an endpoint may have: Azure's
_VERSION_SEGMENT = r"/v\d+\w*(/|\Z)"  # /v1, /v3/openai, /compatible-mode/v1, /engines/llama.cpp/v1, /v1beta
# The last words of a URL that servers with OpenAI's protocol are asked at; an ending of another comes after it.
_OPERATIONS = (
    "/chat/completions", "/completions", "/embeddings", "/responses", "/rerank", "/moderations", "/images/generations",
    "/images/edits", "/audio/transcriptions", "/audio/translations", "/audio/speech",
)  # fmt: skip
# Whose requests have a path that tells them from each other's.
_PROTOCOLS = ("openai-compatible", "azure", "anthropic", "bedrock", "gemini", "vertex", "ollama", "ollama_chat")
_ANY_NAME = "/MODEL"  # what follows such an address is the model's name alone: any last segment would look like one
_FIELDS = {"PROJECT": "project", "LOCATION": "location", "REGION": "region"}


class Endpoint(Record):
    """What an endpoint says: its `base` address, and `fields` of a spec that its URL gives, such as apiVersion."""

    base: str
    fields: Mapping[str, str] = MappingProxyType({})


def read(provider: Provider, url: str, model: str, path: Path, found: Findings, named_by: str = "provider") -> Endpoint:
    """Return what `url`, a valid one, means as the address of `provider`, asked for `model`.

    `path` is the field of the URL, `named_by` that of the provider.

    Records an info for what is understood and was not written as a base address, and an error for what is not understood.
    """
    version = re.search(VERSION_QUERY, url)
    parts = urlsplit(re.sub(VERSION_QUERY, "", url))
    given = parts.path.rstrip("/")
    shortened, said = _without_request(provider, given, model)
    base_path = _completed(provider, parts, shortened)
    base = parts._replace(path=base_path).geturl()
    own = _own_host(provider, parts)
    form = provider.endpoint_format or provider.address
    other = _other_protocol(provider, given, len(given) - len(shortened))
    if other:
        found.add("LM233", "spec", named_by, provider=provider.name, other=other, form=form, endpoint=dotted(path))
    elif version is not None and "api_version" not in provider.parameters:
        found.add("LM232", *path, provider=provider.name)
    elif own is not None and base_path != provider.base_path:
        found.add("LM234", *path, provider=provider.name, place=base_path, form=form)
    elif base_path != shortened:
        found.add("LM130", *path, address=base)
    elif shortened != given:
        found.add("LM131", *path, address=base)
    _compare(said, own or {}, model, path, found)
    said = {**said, **(own or {})}
    fields = {name: said[placeholder] for placeholder, name in _FIELDS.items() if placeholder in said}
    return Endpoint(base, {**fields, **({"apiVersion": version["version"]} if version else {})})


def host(url: str) -> str:
    """Return the host of a URL in lower case, without its port; an IPv6 address without brackets."""
    return urlsplit(url).hostname or ""


@lru_cache(maxsize=100)
def is_loopback(url: str) -> bool:
    """Whether a URL leads to the machine that asks: RFC 6761 (localhost), 127.0.0.0/8 and ::1; 0.0.0.0 does on Linux."""
    name = host(url)
    try:
        address = ip_address(name)
    except ValueError:
        return name == "localhost" or name.endswith(".localhost")
    return address.is_loopback or address.is_unspecified


def lacks_version(provider: Provider, url: str) -> bool:
    """Whether a base address has no version in its path, where the provider's own has one and no provider is known there."""
    parts = urlsplit(url)
    path = parts.path.rstrip("/")
    has_version = re.search(_VERSION_SEGMENT, provider.base_path) is not None
    return (
        has_version
        and not re.search(_VERSION_SEGMENT, path)
        and path not in _known_paths(parts.hostname or "", provider.appends)
    )


def _other_protocol(provider: Provider, given: str, own: int) -> str:
    """Return the provider to whom a request has a path that ends like this one; empty where `provider` itself may be meant.

    `own` is how many characters at its end are those of a request to `provider`. Where its row says no such ending, LiteLLM
    takes any address as it is.
    """
    if not provider.appends or given in ("", provider.base_path):
        return ""
    endings = {name: max(map(len, _endings(catalogue.named(name), given)), default=0) for name in _PROTOCOLS}
    other = max(endings, key=lambda name: endings[name])
    return other if endings[other] > own else ""


def _compare(said: Mapping[str, str], by_host: Mapping[str, str], model: str, path: Path, found: Findings) -> None:
    """Record an error where the path of a URL contradicts its host, or names another model than the spec."""
    for placeholder in said.keys() & by_host.keys():
        if said[placeholder] != by_host[placeholder]:
            found.add("LM236", *path, said=said[placeholder], other=by_host[placeholder])
    named = unquote(said.get("MODEL", model))
    if model != named and not model.endswith(f"/{named}"):
        found.add("LM230", "spec", "modelName", named=named, model=model, endpoint=dotted(path))


def _endings(provider: Provider, given: str) -> Iterator[str]:
    """Yield the ends of a path that are the end of a request to `provider`."""
    for form in (provider.appends, *(cut for cut in provider.strip_suffixes if cut.endswith("METHOD"))):
        match = _pattern(form).search(given)
        if match is not None:
            yield match[0]


def _without_request(provider: Provider, given: str, model: str) -> tuple[str, dict[str, str]]:
    """Return a path without what LiteLLM appends to it, and what that said of the model, the project and so on."""
    said: dict[str, str] = {}
    if provider.appends == _ANY_NAME:
        given = given.removesuffix(f"/{model}")
    whole = _pattern(provider.appends).search(given) if provider.appends not in ("", _ANY_NAME) else None
    if whole is not None:
        said.update(whole.groupdict())
        given = given[: whole.start()]
    elif provider.appends.endswith(_OPERATIONS):
        given = given.removesuffix(next(filter(given.endswith, _OPERATIONS), ""))
    for form in _cuts(provider):
        match = _pattern(form).search(given)
        if match is not None:
            said = {**match.groupdict(), **said}
            given = given[: match.start()].rstrip("/")
    return given.rstrip("/"), said


def _cuts(provider: Provider) -> list[str]:
    """Return what is cut after the last words of a request, the longest first."""
    last = next(filter(provider.appends.endswith, _OPERATIONS), "")
    return sorted({*provider.strip_suffixes, provider.appends.removesuffix(last)} - {"", _ANY_NAME}, key=len, reverse=True)


def _completed(provider: Provider, parts: SplitResult, path: str) -> str:
    """Return the path of a base address: for one that is not whole, that of whose host it is, or the provider's own.

    Without a path the provider's own is added where it is a version and no more, or part of the form that the row asks for:
    another server has that too. A path such as /openai/v1 is one provider's.
    """
    known = _known_paths(parts.hostname or "", provider.appends) or (
        (provider.base_path,) if parts.hostname == urlsplit(provider.address).hostname else ()
    )
    for whole in known:
        if path == whole or whole.startswith(f"{path}/"):
            return whole
    if path or known or not provider.appends or not (provider.endpoint_format or provider.base_path == "/v1"):
        return path
    return provider.base_path


@cache
def _known_paths(name: str, appends: str) -> tuple[str, ...]:
    """Return the paths of the base addresses that the catalogue has on a host, for requests that end in the same words."""
    usable = catalogue.usable() if name else []
    return tuple(
        provider.base_path
        for provider in usable
        if urlsplit(provider.address).hostname == name and provider.appends == appends != ""
    )


def _own_host(provider: Provider, parts: SplitResult) -> dict[str, str] | None:
    """Return what the host says where it is one of the provider's own (`hosts` of its row); None for any other host."""
    for form in provider.hosts:
        match = _pattern(form, r"[^.]+").fullmatch(parts.hostname or "")
        if match is not None:
            return match.groupdict()
    return None


@cache
def _pattern(form: str, part: str = r"[^/]+") -> re.Pattern[str]:
    """Return the pattern of the end of a path (or of a host) in which each placeholder matches one part of it."""
    pattern, end, seen = "", 0, set[str]()
    for placeholder in re.finditer(PLACEHOLDER, form):
        name = placeholder[0]
        group = "[A-Za-z-]+" if name == "METHOD" else part
        pattern += re.escape(form[end : placeholder.start()]) + (f"(?P={name})" if name in seen else f"(?P<{name}>{group})")
        seen.add(name)
        end = placeholder.end()
    return re.compile(f"{pattern}{re.escape(form[end:])}\\Z")
