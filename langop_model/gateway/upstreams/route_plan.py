"""What becomes of each member of a request to one model on one route."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from langop_model.contract.settings import Group, ModelRules
from langop_model.gateway.upstreams import conditions, request_members
from langop_model.gateway.upstreams.base import CLIENT_ERROR, FailureKind, Route, UpstreamError
from langop_model.gateway.upstreams.conditions import Condition

WITH_USAGE = (Route.CHAT, Route.COMPLETIONS)  # their streams report usage if they are asked for it
RENAMING = (Route.CHAT, Route.COMPLETIONS)  # the names of `renames` are those of chat completions
SAMPLING = frozenset({"temperature", "top_p", "top_k"})  # what a drop of chat completions means on /v1/messages too
# Protocols of their own: what `translates` says of a member of chat completions says nothing of theirs.
OTHER_MEMBERS = (Route.RESPONSES, Route.MESSAGES, Route.GENERATE_CONTENT)
# What a request must have that the specification may have a default for: so it is looked for after the defaults.
REQUIRED = {Route.MESSAGES: ("max_tokens",), Route.SPEECH: ("voice",)}


@dataclass(frozen=True, slots=True)
class Default:
    """A default of the specification: where it goes (`outer`, or `outer.inner`), and the names that clients may use for it."""

    outer: str
    inner: str
    value: Any
    names: frozenset[str]

    @property
    def name(self) -> str:
        return f"{self.outer}.{self.inner}" if self.inner else self.outer


class RoutePlan:
    """The rules of a model for the requests of one route; `rules` are those for its name beside the group's own.

    `unsupported` are defaults of the group that this model does not take.
    """

    def __init__(
        self, group: Group, route: Route, rules: ModelRules | None = None, unsupported: Collection[str] = frozenset()
    ) -> None:
        self.route = route
        upstream = group.upstream
        drops = (*upstream.drops, *(rules.drops if rules else ())) if upstream else ()
        translates = (*upstream.translates, *(rules.translates if rules else ())) if upstream else ()
        self.allowed = request_members.of_route(route).union(group.accepts)
        own_renames = _own_renames(group, rules, self.allowed) if route in RENAMING else {}
        self.renames = {**request_members.renames(route), **own_renames}
        self.drops = _drops(route, drops)
        self.is_relayed = upstream is not None and route in upstream.routes
        self.over_chat = upstream is not None and Route.CHAT in upstream.routes and not self.is_relayed
        self.inner_drops = _inner_drops(drops if self.is_relayed else [_on_route(route, text) for text in drops])
        self.conditions = _conditions(route, translates) if self.is_relayed else []
        self.asks_usage = route in WITH_USAGE and "stream_options" not in drops
        self.has_developer = upstream is None or upstream.developer_role or route is not Route.CHAT
        # Members that pass without a look: most members of most requests.
        self.plain = self.allowed - self.renames.keys() - self.drops.keys() - self.inner_drops.keys() - request_members.OWN
        self.chat_renames = _own_renames(group, rules, request_members.of_route(Route.CHAT)) if self.over_chat else {}
        self.default_drops = _drops(Route.CHAT, drops) if self.over_chat else self.drops
        self.dropped_defaults: list[Default] = []
        self.defaults = self._defaults(group, unsupported)
        self.required = REQUIRED.get(route, ())

    def apply(self, body: Mapping[str, Any]) -> tuple[dict[str, Any], list[str]]:
        """Return the body for the model, and the members that were dropped. Raises UpstreamError for what it does not take."""
        plain = self.plain
        prepared: dict[str, Any] = {}
        dropped: list[str] = []
        for name, value in body.items():
            if value is None:
                continue
            if name in plain:
                prepared[name] = value
            elif name not in request_members.OWN:
                self._special(name, value, body, prepared, dropped)
        if self.defaults:
            self._add_defaults(prepared)
        if not self.has_developer:
            _without_developer(prepared)
        for name in self.required:
            if name not in prepared:
                raise refusal(f"the request has no {name}", name, "missing_required_parameter")
        return prepared, dropped

    def without(self, prepared: Mapping[str, Any]) -> list[str]:
        """Return the defaults that a prepared request does not have because its model takes no such parameter."""
        return [default.name for default in self.dropped_defaults if _is_wanted(default, prepared)]

    def translates(self, body: Mapping[str, Any]) -> bool:
        """Whether LiteLLM has to translate a body."""
        return not self.is_relayed or (bool(self.conditions) and any(condition(body) for condition in self.conditions))

    def _special(self, name: str, value: Any, body: Mapping[str, Any], prepared: dict[str, Any], dropped: list[str]) -> None:
        """Do what the rules say with a member that does not just pass."""
        if name not in self.allowed and name not in self.renames:
            shown = name[:100]
            message = (
                f"{shown!a} is not a parameter of this request that the model takes. Send the request without it;"
                " a LanguageModel allows a parameter of its provider in params.allowed_openai_params"
            )
            raise refusal(message, shown, "unknown_parameter")
        condition = self.drops.get(name)
        if condition is not None and condition(body):
            dropped.append(name)
            return
        target = self.renames.get(name, name)
        if target != name and body.get(target, value) != value:
            raise refusal(f"{name} and {target} mean the same to this model, and differ: send one of them", name)
        if name in self.inner_drops and isinstance(value, dict):
            taken = {inner for inner, condition in self.inner_drops[name] if condition(body)}
            dropped += [f"{name}.{inner}" for inner in sorted(taken)]
            value = {inner: content for inner, content in value.items() if inner not in taken}
            if taken and not value:
                return
        prepared[target] = value

    def _add_defaults(self, prepared: dict[str, Any]) -> None:
        for default in self.defaults:
            if _is_wanted(default, prepared):
                inner = default.inner
                prepared[default.outer] = {**prepared.get(default.outer, {}), inner: default.value} if inner else default.value

    def _defaults(self, group: Group, unsupported: Collection[str]) -> list[Default]:
        """Return the defaults that this route has. Of two names of one parameter the last one counts: params before others."""
        found: dict[frozenset[str], Default] = {}
        for name, default in self._stated(group):
            if name in unsupported or default.value is None or self._is_dropped(default):
                self.dropped_defaults.append(default)
            else:
                found.pop(default.names, None)
                found[default.names] = default
        return list(found.values())

    def _stated(self, group: Group) -> Iterator[tuple[str, Default]]:
        """Yield the defaults for which this route has a parameter, each with its name in the specification."""
        for name, stated in group.defaults.items():
            target = request_members.default_name(self.route, name, group.accepts, over_chat=self.over_chat)
            if target is None or name in request_members.OWN:
                continue
            target = self.renames.get(target, target if target in self.allowed else self.chat_renames.get(target, target))
            value = request_members.value(self.route, target, stated) if self.is_relayed else stated
            outer, _, inner = target.partition(".")
            names = request_members.aliases(target) | {self.renames.get(each, each) for each in request_members.aliases(target)}
            yield name, Default(outer, inner, value, names - {outer} if inner else names)

    def _is_dropped(self, default: Default) -> bool:
        """Whether the model takes no such parameter, or not with this value."""
        if default.inner:
            body = {default.outer: {default.inner: default.value}}
            return any(condition(body) for _, condition in self.inner_drops.get(default.outer, ()))
        condition = self.default_drops.get(default.outer)
        return condition is not None and condition({default.outer: default.value})


def _own_renames(group: Group, rules: ModelRules | None, allowed: Collection[str]) -> dict[str, str]:
    """Return the names that the provider has for members of its own."""
    if group.upstream is None:
        return {}
    every = {**group.upstream.renames, **(rules.renames if rules else {})}
    known = request_members.of_apis()
    return {name: target for name, target in every.items() if target in allowed or target not in known}


def _is_wanted(default: Default, prepared: Mapping[str, Any]) -> bool:
    """Whether a request does not say by itself, under any name, what a default says."""
    if not default.names.isdisjoint(prepared):
        return False
    if not default.inner:
        return True
    outer = prepared.get(default.outer, {})
    return isinstance(outer, dict) and request_members.aliases(default.inner).isdisjoint(outer)


def _conditions(route: Route, translates: Iterable[str]) -> list[Condition]:
    """Return those of `translates` that are about a route."""
    subject = route if route in OTHER_MEMBERS else ""
    return [conditions.of(text) for place, text in map(conditions.route_of, translates) if place in (subject, route)]


def _on_route(route: Route, text: str) -> str:
    """Return a drop of chat completions as it is said on a route that is translated to them: `reasoning.effort`, for one."""
    member, inner = conditions.place_of(text)
    name = request_members.default_name(route, member, ()) if not inner else None
    return f"{name}{text[len(member) :]}" if name is not None else text


def _inner_drops(texts: Iterable[str]) -> dict[str, list[tuple[str, Condition]]]:
    """Return those of `drops` that are about a member of a member, by the outer one: the inner one, and the condition."""
    found: dict[str, list[tuple[str, Condition]]] = {}
    for text in texts:
        member, inner = conditions.place_of(text)
        if inner:
            found.setdefault(member, []).append((inner, conditions.of(text)))
    return found


def _drops(route: Route, texts: tuple[str, ...]) -> dict[str, Condition]:
    """Return the conditions of `drops` by member. Those of chat completions mean the same on other routes that have them."""
    by_member: dict[str, list[str]] = {}
    for text in texts:
        member, inner = conditions.place_of(text)
        if not inner and (route is not Route.MESSAGES or member in SAMPLING):
            by_member.setdefault(member, []).append(text)
    return {member: _any([conditions.of(text) for text in found]) for member, found in by_member.items()}


def _any(found: list[Condition]) -> Condition:
    return found[0] if len(found) == 1 else lambda body: any(condition(body) for condition in found)


def _without_developer(body: dict[str, Any]) -> None:
    """Name the role `developer` as servers call it that do not know OpenAI's newer name of it."""
    messages = body.get("messages")
    for index, message in enumerate(messages if isinstance(messages, list) else ()):
        if isinstance(message, dict) and message.get("role") == "developer":
            if messages is body["messages"]:
                body["messages"] = list(messages)  # the client's own stays as it is
            body["messages"][index] = {**message, "role": "system"}


def refusal(message: str, param: str, code: str = "unsupported_parameter") -> UpstreamError:
    """Return the error for a request that the provider is not asked."""
    return UpstreamError(
        FailureKind.UNSUPPORTED,
        400,
        message,
        cause=CLIENT_ERROR,
        type="invalid_request_error",
        code=code,
        param=param,
        reached=False,
    )
