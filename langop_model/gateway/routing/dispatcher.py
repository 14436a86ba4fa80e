"""From a client's request to the answer of some provider: the cache, retries, and fallbacks by cause."""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from langop_model.contract.settings import Cause
from langop_model.gateway.caching.keys import CacheControl
from langop_model.gateway.routing.attempt import Attempt
from langop_model.gateway.routing.group_resolution import Resolved
from langop_model.gateway.routing.observer import Observer
from langop_model.gateway.routing.retry_decisions import is_retried, may_do_better_elsewhere
from langop_model.gateway.routing.retry_delay import delay
from langop_model.gateway.routing.runtime import GroupRuntime
from langop_model.gateway.upstreams.base import Answer, FailureKind, File, Route, UpstreamError, UpstreamRequest

NOTHING = Answer()  # until there is one


# What is made for each request is made with positional arguments: with keywords a class takes twice as long.


@dataclass(slots=True)
class Call:
    """A client's request. `model` is the name that the client wrote, `resolved` what it means.

    `retries` is the most that the client allows, None for the policy's own; without `uses_fallbacks` no other group is asked.
    """

    route: Route
    model: str
    resolved: Resolved
    body: Mapping[str, Any]
    stream: bool = False
    files: tuple[File, ...] = ()
    headers: Mapping[str, str] = field(default_factory=dict)
    call_id: str = ""
    agent: str | None = None
    retries: int | None = None
    uses_fallbacks: bool = True


@dataclass(slots=True)
class Served:
    """An answer that has begun: of which group and endpoint, after how many attempts, and whether the cache had it.

    `dropped` are the hints of the client that the model does not take. `fell_back` is whether another model answers.
    """

    answer: Answer
    runtime: GroupRuntime
    dropped: tuple[str, ...] = ()
    fell_back: bool = False
    is_hit: bool = False
    endpoint_id: str = ""
    attempts: int = 0


class Dispatcher:
    """Finds an answer for each call. One event loop uses it."""

    def __init__(
        self,
        runtimes: Mapping[str, GroupRuntime],
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        *,
        refuses_unsupported: bool = False,
    ) -> None:
        self.runtimes = runtimes
        self.sleep = sleep
        self.refuses_unsupported = refuses_unsupported

    async def serve(self, call: Call, observer: Observer) -> Served:
        """Return an answer that has begun. Raises the UpstreamError of the first group where no other one does better."""
        first, *others = call.resolved.groups
        try:
            return await self._group(self.runtimes[first], call, observer, call.resolved.model)
        except UpstreamError as problem:
            error = problem
        try:
            for target in self._targets(first, others, error, call):
                runtime = self.runtimes[target]
                observer.falls_back(first, target, error.cause)
                is_fallback = target not in others
                try:
                    return await self._group(runtime, call, observer, target, is_fallback=is_fallback)
                except UpstreamError:  # the client gets the error of the model that it asked for
                    continue
            raise error
        finally:
            del error  # its traceback knows this function, which must not know it too

    def _targets(self, first: str, others: list[str], error: UpstreamError, call: Call) -> list[str]:
        """Return the groups to ask after an error, each once: those that share the name, then the fallbacks for its cause."""
        targets = others if may_do_better_elsewhere(error) else []
        if call.uses_fallbacks:
            entries = self.runtimes[first].group.fallbacks
            targets = [*targets, *(entry.group for entry in entries if entry.causes & {Cause.ERROR, error.cause})]
        return [target for target in dict.fromkeys(targets) if target != first and target in self.runtimes]

    async def _group(
        self, runtime: GroupRuntime, call: Call, observer: Observer, model: str, *, is_fallback: bool = False
    ) -> Served:
        """Ask one group, or its cache."""
        refuses, group = self.refuses_unsupported, runtime.group
        prepared = runtime.parameters.prepare(call.route, call.body, call.stream, model, refuses=refuses)
        request = UpstreamRequest(
            call.route,
            model,
            prepared.body,
            call.stream,
            call.files,
            call.headers,
            group.stream_timeout if call.stream and group.stream_timeout else group.timeout,
            call.call_id,
            call.agent,
            "" if is_fallback else call.model,
            prepared.strips_usage,
        )
        attempt = Attempt(runtime, request, runtime.upstream(prepared), observer)
        served = Served(NOTHING, runtime, prepared.dropped, is_fallback)
        if runtime.cache is None:
            served.answer = await self._try(attempt, call, served, None)
        else:
            ask = functools.partial(self._try, attempt, call, served)
            served.answer, served.is_hit = await runtime.cache.get_or_ask(request, ask, CacheControl.of(call.body))
        if served.answer.dropped:
            served.dropped = tuple(dict.fromkeys((*served.dropped, *served.answer.dropped)))
        if served.is_hit:
            served.attempts = 0
        else:
            served.endpoint_id = attempt.endpoint_id
        return served

    async def _try(self, attempt: Attempt, call: Call, served: Served, entry: str | None) -> Answer:
        """Try by the retry policy. A fallback gets one attempt: so two models may back each other up."""
        policy = attempt.runtime.group.retries
        retries = policy.attempts if call.retries is None else min(policy.attempts, call.retries)
        if served.fell_back:
            retries = 0
        number = 0
        while True:
            served.attempts = number = number + 1
            try:
                return await attempt.run(entry if number == 1 else None)
            except UpstreamError as error:
                is_final = error.kind in (FailureKind.RATE_LIMITED, FailureKind.UNSUPPORTED)
                if number > retries or is_final or not is_retried(error, policy.status_codes):
                    raise
                seconds = delay(policy, number, error.retry_after)
                attempt.observer.backs_off(seconds)
                await self.sleep(seconds)
