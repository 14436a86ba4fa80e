"""The members of a request as one model takes them: defaults of the specification, and what the provider does not take."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from langop_model.contract.settings import Group
from langop_model.gateway.accounting import estimate
from langop_model.gateway.upstreams.base import Route

# Members that are for this gateway and not for the provider.
OWN = frozenset({"model", "cache", "disable_fallbacks", "num_retries"})
LIMITS = ("max_completion_tokens", "max_tokens", "max_output_tokens")
STREAMS_WITH_OPTIONS = (Route.CHAT, Route.COMPLETIONS)
# The name of a default of chat completions on other routes; what a route does not name, it does not take.
DEFAULTS: dict[Route, dict[str, str]] = {
    Route.CHAT: {},
    Route.COMPLETIONS: {},
    Route.RESPONSES: {"temperature": "temperature", "top_p": "top_p", "max_tokens": "max_output_tokens"},
    Route.MESSAGES: {"temperature": "temperature", "top_p": "top_p", "stop": "stop_sequences", "top_k": "top_k"},
}


@dataclass(frozen=True, slots=True)
class Prepared:
    """A request's body for one model, the names of hints that were dropped, and whether LiteLLM has to translate it.

    `strips_usage`: the body asks for the usage of a stream, and the client did not.
    """

    body: dict[str, Any]
    dropped: tuple[str, ...] = ()
    is_translated: bool = False
    strips_usage: bool = False


def prepare(group: Group, route: Route, body: Mapping[str, Any], stream: bool, *, refuses: bool = False) -> Prepared:  # noqa: ARG001
    """Return what a model of `group` is asked for `body`."""
    prepared = {name: value for name, value in body.items() if name not in OWN and value is not None}
    _add_defaults(prepared, group.defaults, route)
    strips_usage = False
    if stream and route in STREAMS_WITH_OPTIONS:
        options = prepared.get("stream_options")
        strips_usage = not (isinstance(options, dict) and options.get("include_usage"))
        prepared["stream_options"] = {**(options or {}), "include_usage": True}
    return Prepared(prepared, strips_usage=strips_usage)


def _add_defaults(body: dict[str, Any], defaults: Mapping[str, Any], route: Route) -> None:
    names = DEFAULTS.get(route)
    if names is None:
        return
    for name, value in defaults.items():
        own = names.get(name) if names else name
        if own is None or own in body or (own in LIMITS and any(limit in body for limit in LIMITS)):
            continue
        body[own] = value


def most_tokens(route: Route, body: Mapping[str, Any]) -> int | None:  # noqa: ARG001 - every route names its limit alike
    """Return the most tokens that a request may use, question included; None where it sets no limit."""
    most = next((body[name] for name in LIMITS if isinstance(body.get(name), int)), None)
    return most + estimate.question_tokens(body) if most is not None else None
