"""From a client's request to the answer of some provider: limits, endpoints, retries, and fallbacks by cause."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from langop_model.contract.settings import Cause
from langop_model.gateway.accounting import estimate
from langop_model.gateway.limits.admission import RateLimitTimeoutError
from langop_model.gateway.limits.sliding_window import Reservation
from langop_model.gateway.routing.endpoints import State
from langop_model.gateway.routing.failure_causes import is_endpoints_fault, may_do_better_elsewhere
from langop_model.gateway.routing.group_resolution import Resolved
from langop_model.gateway.routing.retry_delay import delay
from langop_model.gateway.routing.runtime import GroupRuntime
from langop_model.gateway.upstreams import parameters
from langop_model.gateway.upstreams.base import Answer, FailureKind, File, Route, UpstreamError, UpstreamRequest, Usage


@dataclass(slots=True)
class Call:
    """A client's request. `model` is the name that the client wrote, `asked` what that means for its group.

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


class Observer:
    """What the dispatcher tells of its work; each method may be overridden (accounting/)."""

    def queued(self, runtime: GroupRuntime, seconds: float) -> None:
        """A request waited so long for the limits of its model."""

    def limited(self, runtime: GroupRuntime, error: RateLimitTimeoutError) -> None:
        """A request was refused by a limit."""

    def attempted(self, runtime: GroupRuntime, endpoint_id: str) -> None:
        """An endpoint is asked."""

    def failed(self, runtime: GroupRuntime, endpoint_id: str, error: UpstreamError, seconds: float) -> None:
        """An attempt has failed."""

    def answered(self, runtime: GroupRuntime, endpoint_id: str, seconds: float) -> None:
        """An answer has begun."""

    def falls_back(self, runtime: GroupRuntime, target: str, error: UpstreamError) -> None:
        """Another group is asked."""


class Served:
    """An answer that has begun, and what it holds until it is complete: a place within the limits, tokens, an endpoint."""

    __slots__ = ("_is_settled", "answer", "dropped", "question", "reservation", "runtime", "state", "usage")

    def __init__(self, answer: Answer, runtime: GroupRuntime, state: State, reservation: Reservation, question: int) -> None:
        self.answer = answer
        self.runtime = runtime
        self.state = state
        self.reservation = reservation
        self.question = question
        self.dropped: tuple[str, ...] = ()
        self.usage: Usage | None = None
        self._is_settled = False

    def settle(self) -> Usage:
        """Give back what is held, once the answer is complete or nobody waits for it; return its usage."""
        usage = self.usage or self._usage()
        if not self._is_settled:
            self._is_settled = True
            self.usage = usage
            self.runtime.admission.settle(self.reservation, usage.total)
            self.runtime.endpoints.released(self.state)
        return usage

    def _usage(self) -> Usage:
        """The provider's own count, else an estimate."""
        answer = self.answer
        account = answer.account
        found = answer.usage or (account.usage() if account is not None else None)
        if found is not None:
            return found
        if account is not None:
            return account.estimate(self.question)
        return estimate.estimated(self.question, len(answer.body or b"") // estimate.BYTES_PER_TOKEN)


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
        tried = {first}
        try:
            return await self._group(self.runtimes[first], call, observer, call.resolved.model, is_fallback=False)
        except UpstreamError as problem:
            error = problem
        targets = others if may_do_better_elsewhere(error) else []
        if call.uses_fallbacks:
            entries = self.runtimes[first].group.fallbacks
            targets = [*targets, *(entry.group for entry in entries if entry.causes & {Cause.ERROR, error.cause})]
        for target in targets:
            runtime = self.runtimes.get(target)
            if runtime is None or target in tried:
                continue
            tried.add(target)
            observer.falls_back(runtime, target, error)
            try:
                return await self._group(runtime, call, observer, target, is_fallback=target not in others)
            except UpstreamError:  # the client gets the error of the model that it asked for
                continue
        raise error

    async def _group(self, runtime: GroupRuntime, call: Call, observer: Observer, model: str, *, is_fallback: bool) -> Served:
        """Ask one group, again by its retry policy. A fallback gets one attempt: so two models may back each other up."""
        group = runtime.group
        prepared = parameters.prepare(group, call.route, call.body, call.stream, refuses=self.refuses_unsupported)
        request = UpstreamRequest(
            route=call.route,
            model=model,
            body=prepared.body,
            stream=call.stream,
            files=call.files,
            headers=call.headers,
            timeout=group.timeout,
            call_id=call.call_id,
            agent=call.agent,
            shown_model="" if is_fallback else call.model,
            strips_usage=prepared.strips_usage,
        )
        upstream = runtime.upstream(call.route, translated=prepared.is_translated)
        attempt = _Attempt(runtime, request, upstream, observer, parameters.most_tokens(call.route, prepared.body))
        policy = group.retries
        retries = 0 if is_fallback else policy.attempts if call.retries is None else min(policy.attempts, call.retries)
        for number in range(1, retries + 2):
            try:
                served = await attempt.run()
            except UpstreamError as error:
                is_final = error.kind in (FailureKind.RATE_LIMITED, FailureKind.UNSUPPORTED)
                if number > retries or is_final or error.status not in policy.status_codes:
                    raise
                await self.sleep(delay(policy, number, error.retry_after))
            else:
                served.dropped = prepared.dropped
                return served
        raise AssertionError("the last attempt returns or raises")


class _Attempt:
    """One attempt: each endpoint that may do better is asked before it counts as failed."""

    def __init__(
        self, runtime: GroupRuntime, request: UpstreamRequest, upstream: Any, observer: Observer, most_tokens: int | None
    ) -> None:
        self.runtime = runtime
        self.request = request
        self.upstream = upstream
        self.observer = observer
        self.most_tokens = most_tokens

    async def run(self) -> Served:
        """Return an answer that has begun. Raises the UpstreamError of the last endpoint."""
        tried: set[str] = set()
        runtime = self.runtime
        while True:
            reservation = await self._admit()
            state = runtime.endpoints.choose(tried)
            assert state is not None  # noqa: S101 - the loop ends when all were tried
            tried.add(state.endpoint.id)
            try:
                return await self._ask(state, reservation)
            except UpstreamError as error:
                if not is_endpoints_fault(error) or len(tried) >= len(runtime.endpoints.states):
                    raise

    async def _admit(self) -> Reservation:
        admission = self.runtime.admission
        started = time.monotonic()
        try:
            reservation = await admission.admit(self.most_tokens, started + admission.limits.wait)
        except RateLimitTimeoutError as refused:
            self.observer.limited(self.runtime, refused)
            raise UpstreamError(
                FailureKind.RATE_LIMITED,
                429,
                f"{self.runtime.group.resource}: {refused}",
                cause=Cause.RATE_LIMIT,
                type="rate_limit_error",
                code="rate_limit_exceeded",
                param=refused.limit,
                retry_after=refused.retry_after,
                reached=False,
            ) from None
        self.observer.queued(self.runtime, time.monotonic() - started)
        return reservation

    async def _ask(self, state: State, reservation: Reservation) -> Served:
        runtime, endpoints = self.runtime, self.runtime.endpoints
        endpoint = state.endpoint
        started = time.monotonic()
        self.observer.attempted(runtime, endpoint.id)
        try:
            answer = await self.upstream.send(runtime.group, endpoint, self.request)
        except UpstreamError as error:
            if is_endpoints_fault(error):
                endpoints.failed(state)
            runtime.admission.settle(reservation, 0, answered=error.reached)
            endpoints.released(state)
            self.observer.failed(runtime, endpoint.id, error, time.monotonic() - started)
            raise
        except BaseException:  # the client has left: the provider was asked, and its answer will not come
            runtime.admission.settle(reservation, estimate.question_tokens(self.request.body))
            endpoints.released(state)
            raise
        seconds = time.monotonic() - started
        endpoints.answered(state, seconds)
        self.observer.answered(runtime, endpoint.id, seconds)
        question = 0 if answer.usage is not None else estimate.question_tokens(self.request.body)
        return Served(answer, runtime, state, reservation, question)
