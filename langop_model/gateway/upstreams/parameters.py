"""The members of a request as one model takes them: defaults of the specification, and what the provider does not take."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from langop_model.contract.settings import Group
from langop_model.gateway.upstreams import estimate, request_members
from langop_model.gateway.upstreams.base import Route
from langop_model.gateway.upstreams.route_plan import WITH_USAGE, RoutePlan, refusal

LIMITS = ("max_completion_tokens", "max_tokens", "max_output_tokens")
OPTIONS = "stream_options"
MAX_PLANS = 1000  # of a group that serves any model: clients choose the names


@dataclass(slots=True)
class Prepared:
    """A request's body for one model, the names of hints that were dropped, and whether LiteLLM has to translate it.

    Never changed. `strips_usage`: the body asks for the usage of a stream, and the client did not.
    """

    body: dict[str, Any]
    dropped: tuple[str, ...] = ()
    is_translated: bool = False
    strips_usage: bool = False


class Parameters:
    """The requests of one group. What depends on the route and the model's name alone is computed once."""

    def __init__(self, group: Group) -> None:
        self.group = group
        upstream = group.upstream
        self.patterns = [re.compile(rules.match) for rules in upstream.models] if upstream is not None else []
        self.unsupported = [re.compile(rules.match) for rules in group.unsupported_defaults]
        self._plans: dict[tuple[Route, tuple[int, int]], RoutePlan] = {}
        self._rules: dict[str, tuple[int, int]] = {}

    def prepare(self, route: Route, body: Mapping[str, Any], stream: bool, model: str, *, refuses: bool = False) -> Prepared:
        """Return what the model is asked for `body`. Raises UpstreamError for a route or a member that it does not take.

        With `refuses` that includes hints, which are dropped otherwise.
        """
        plan = self._plan(route, model)
        prepared, dropped = plan.apply(body)
        is_translated = plan.translates(prepared)
        if is_translated and OPTIONS in dropped and plan.route in WITH_USAGE:  # the translator asks for usage in its own way
            dropped.remove(OPTIONS)
            prepared[OPTIONS] = body[OPTIONS]
        if dropped and refuses:
            message = f"{', '.join(dropped)}: this model does not take that. Send the request without it"
            raise refusal(message, dropped[0])
        if plan.dropped_defaults:
            dropped += [name for name in plan.without(prepared) if name not in dropped]
        strips_usage = False
        if stream and plan.asks_usage:
            options = prepared.get(OPTIONS)
            if not isinstance(options, dict):
                options = {}
            strips_usage = not options.get("include_usage")
            prepared[OPTIONS] = {**options, "include_usage": True}
        return Prepared(prepared, tuple(dropped), is_translated, strips_usage)

    def _check_route(self, route: Route) -> None:
        """Raise UpstreamError for a route that the provider does not serve: LiteLLM might ask another host with its key."""
        served = self.group.routes
        if served is None or route in served or (route in request_members.TEXT_ROUTES and Route.CHAT in served):
            return
        also = sorted(request_members.TEXT_ROUTES - {*served, Route.COUNT_TOKENS}) if Route.CHAT in served else []
        named = ", ".join([*served, *also]) or "nothing"
        message = f"the model {self.group.name} does not serve {route}. It serves {named}"
        raise refusal(message, "model", "unsupported_route")

    def _plan(self, route: Route, model: str) -> RoutePlan:
        which = self._which(model) if self.patterns or self.unsupported else (-1, -1)
        plan = self._plans.get((route, which))
        if plan is None:
            self._check_route(route)
            group, (rules, unsupported) = self.group, which
            plan = self._plans[route, which] = RoutePlan(
                group,
                route,
                group.upstream.models[rules] if group.upstream is not None and rules >= 0 else None,
                group.unsupported_defaults[unsupported].names if unsupported >= 0 else (),
            )
        return plan

    def _which(self, model: str) -> tuple[int, int]:
        """Return the numbers of the rules and of the unsupported defaults that a model's name fits, -1 for none."""
        found = self._rules.get(model)
        if found is None:
            found = _first(self.patterns, model), _first(self.unsupported, model)
            if len(self._rules) < MAX_PLANS:
                self._rules[model] = found
        return found


def _first(patterns: list[re.Pattern[str]], model: str) -> int:
    return next((number for number, pattern in enumerate(patterns) if pattern.fullmatch(model)), -1)


def most_tokens(route: Route, body: Mapping[str, Any]) -> int | None:
    """Return the most tokens that a request may use, question included; None where it sets no limit."""
    if route is Route.GENERATE_CONTENT:
        settings = body.get("generationConfig")
        most = settings.get("maxOutputTokens") if isinstance(settings, dict) else None
        return most + estimate.question_tokens(body) if isinstance(most, int) else None
    for name in LIMITS:
        most = body.get(name)
        if isinstance(most, int):
            return most + estimate.question_tokens(body)
    return None
