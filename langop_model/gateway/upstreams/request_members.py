"""What schema/request-members.json says: which members a request of a route has, and what they are."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from functools import cache
from typing import Any

from langop_model.gateway.upstreams.base import Route
from langop_model.resources import load_json

# Members that are for this gateway and not for the provider.
OWN = frozenset({"model", "cache", "disable_fallbacks", "num_retries"})
# Parameters of a chat that are no defaults of another route.
ABOUT_THE_CHAT = frozenset({"messages", "n", "stream", "stream_options"})
TEXT_ROUTES = frozenset(
    {Route.CHAT, Route.COMPLETIONS, Route.RESPONSES, Route.MESSAGES, Route.COUNT_TOKENS, Route.GENERATE_CONTENT}
)
"""The routes that a model which can chat serves, by translation where its provider has no such route."""


@cache
def of_route(route: Route) -> frozenset[str]:
    """Return the members that requests of a route may have, whatever the provider."""
    data = _data()
    servers = (data["servers"][name] for name in data["of"].get(route.value, ()))
    return frozenset(data["routes"][route.value]).union(*servers)


@cache
def of_apis() -> frozenset[str]:
    """Return the members that some route's own API has: a parameter beside these is a server's own."""
    return frozenset().union(*_data()["routes"].values())


def renames(route: Route) -> Mapping[str, str]:
    """Return other spellings of a route's members, each with its usual one."""
    found: Mapping[str, str] = _data()["renames"].get(route.value, {})
    return found


@cache
def hints() -> frozenset[str]:
    """Return the members without which a request still gets what it asked for."""
    return frozenset(_data()["hints"])


@cache
def aliases(name: str) -> frozenset[str]:
    """Return all names of a parameter, its own included."""
    return next((frozenset(names) for names in _data()["aliases"] if name in names), frozenset({name}))


def default_name(route: Route, name: str, own: Collection[str], *, over_chat: bool = False) -> str | None:
    """Return the name on a route of a specification's default, None where the route has no such parameter.

    `own` are the provider's own parameters. A parameter that no API has is a server's own, and goes to all text routes.
    `over_chat`: the server is asked for a chat, so that the chat's parameters go with it.
    """
    named: Mapping[str, str] = _data()["defaults"].get(route.value, {})
    if name in named:
        return named[name]
    if route not in TEXT_ROUTES or route is Route.COUNT_TOKENS:
        return None
    if over_chat and name in of_route(Route.CHAT) - ABOUT_THE_CHAT:
        return name
    is_known = name in of_route(route) or name not in of_apis() or name in own
    return name if is_known else None


def value(route: Route, name: str, value: Any) -> Any:
    """Return what the value of a default is called in a route's own API, by the member's name there; None where nothing is."""
    words: Mapping[str, Any] = _data()["values"].get(route.value, {}).get(name, {})
    return words.get(value, value) if isinstance(value, str) else value


def _data() -> dict[str, Any]:
    data: dict[str, Any] = load_json("request-members.json")
    return data
