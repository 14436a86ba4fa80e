"""What an answer of LiteLLM's used, read as the gateway reads a provider's, and what the client is told of it."""

from __future__ import annotations

from collections.abc import Mapping, MutableMapping
from typing import Any

from langop_model.gateway.upstreams.base import Route, Usage
from langop_model.gateway.upstreams.usage import usage_of

_MEMBERS = ("usage", "usageMetadata")
_REQUIRED = frozenset({Route.MESSAGES})  # an answer without one is none in Anthropic's protocol


def taken_from(content: MutableMapping[str, Any], route: Route) -> Usage | None:
    """Return the usage of an answer or an event, whose own usage stays as the provider said it; None without tokens.

    LiteLLM writes zeros where the provider has reported nothing, and a cost of its own: neither is told to the client, but for
    the zeros where the protocol demands a usage.
    """
    found = tokens(content, route)
    for name in _MEMBERS:
        said = content.get(name)
        if said is None:
            continue
        if isinstance(said, dict):
            said.pop("cost", None)
        if route not in _REQUIRED and not _has_number(said):
            del content[name]
    return found


def tokens(content: Mapping[str, Any], route: Route) -> Usage | None:
    """Return the usage of an answer that counts tokens. What else has a price the gateway reads from the answer itself."""
    found = usage_of(route, content)
    return found if found is not None and found.total else None


def _has_number(said: Any) -> bool:
    """Whether a usage counts something: of a recording it is seconds."""
    if isinstance(said, Mapping):
        return any(_has_number(value) for value in said.values())
    if isinstance(said, list):
        return any(_has_number(value) for value in said)
    return isinstance(said, int | float) and not isinstance(said, bool) and said != 0
