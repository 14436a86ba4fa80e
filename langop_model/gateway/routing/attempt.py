"""One attempt: each endpoint that may do better is asked before the attempt counts as failed."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import AsyncIterator, Callable

from langop_model.contract.settings import Cause
from langop_model.gateway.caching.entries import CachedAnswer, decode
from langop_model.gateway.limits.admission import UNLIMITED, RateLimitTimeoutError
from langop_model.gateway.limits.sliding_window import Reservation
from langop_model.gateway.routing.endpoints import State
from langop_model.gateway.routing.observer import Observer
from langop_model.gateway.routing.retry_decisions import is_endpoints_fault
from langop_model.gateway.routing.runtime import GroupRuntime
from langop_model.gateway.upstreams import estimate, parameters, whole_answer
from langop_model.gateway.upstreams.base import Answer, FailureKind, Upstream, UpstreamError, UpstreamRequest


class Attempt:
    """Asks the endpoints of a group."""

    def __init__(
        self,
        runtime: GroupRuntime,
        request: UpstreamRequest,
        upstream: Upstream,
        observer: Observer,
    ) -> None:
        self.runtime = runtime
        self.request = request
        self.upstream = upstream
        self.observer = observer
        self.endpoint_id = ""

    async def run(self, entry: str | None = None) -> Answer:
        """Return an answer that has begun; the cached one of the key `entry` where admission finds it.

        Raises the UpstreamError of the last endpoint.
        """
        tried: tuple[str, ...] = ()
        runtime = self.runtime
        while True:
            reservation = UNLIMITED if runtime.admission.open else await self._admit(entry)
            if isinstance(reservation, CachedAnswer):
                return reservation
            entry = None
            state = runtime.endpoints.choose(tried)
            assert state is not None  # noqa: S101 - the loop ends when all were tried
            try:
                return await self._ask(state, reservation)
            except UpstreamError as error:
                tried = (*tried, state.endpoint.id)
                if not is_endpoints_fault(error) or len(tried) >= len(runtime.endpoints.states):
                    raise

    async def _admit(self, entry: str | None) -> Reservation | CachedAnswer:
        admission = self.runtime.admission
        name = self.runtime.group.name
        most_tokens = parameters.most_tokens(self.request.route, self.request.body)
        deadline = time.monotonic() + admission.limits.wait
        self.observer.waits()
        try:
            if entry:
                reservation = await self._find_or_admit(entry, most_tokens, deadline)
            else:
                reservation = await admission.admit(most_tokens, deadline)
        except RateLimitTimeoutError as refused:
            self.observer.refused(refused.limit, name, refused.queued)
            raise _rate_limited(self.runtime.group.resource, refused) from None
        self.observer.admitted(name)
        return reservation

    async def _find_or_admit(self, entry: str, most_tokens: int | None, deadline: float) -> Reservation | CachedAnswer:
        """Look for a cached answer and ask for admission in one round trip to redis."""
        admission = self.runtime.admission
        found = await admission.find_or_admit(entry, most_tokens, deadline)
        if isinstance(found, Reservation):
            return found
        answer = decode(found)
        return answer if answer is not None else await admission.admit(most_tokens, deadline)

    async def _ask(self, state: State, reservation: Reservation) -> Answer:
        runtime, endpoint = self.runtime, state.endpoint
        self.endpoint_id = endpoint.id
        started = time.monotonic()
        trace = self.observer.attempt(runtime.group, endpoint.id, self.request.model)
        request = dataclasses.replace(self.request, headers={**self.request.headers, **trace}) if trace else self.request
        try:
            answer = await self.upstream.send(runtime.group, endpoint, request)
        except UpstreamError as error:
            if is_endpoints_fault(error):
                runtime.endpoints.failed(state, error.cause, error.status)
            runtime.admission.settle(reservation, 0, answered=error.reached)
            runtime.endpoints.released(state)
            self.observer.failed(error)
            raise
        except BaseException:  # the client has left: the provider was asked, and its answer will not come
            runtime.admission.settle(reservation, estimate.question_tokens(self.request.body))
            runtime.endpoints.released(state)
            raise
        runtime.endpoints.answered(state, time.monotonic() - started)
        if answer.events is None:
            self._settle(state, reservation, answer)
            self.observer.answered(answer.status)
        else:
            answer.events = _SettlingEvents(
                answer.events,
                lambda: self._settle(state, reservation, answer),
                lambda error: self._broke(state, error),
            )
        return answer

    def _broke(self, state: State, error: UpstreamError) -> None:
        """Note that a stream failed after its first event."""
        if is_endpoints_fault(error):
            self.runtime.endpoints.failed(state, error.cause, error.status)
        self.observer.failed(error)

    def _settle(self, state: State, reservation: Reservation, answer: Answer) -> None:
        usage = answer.usage = whole_answer.of(self.request, answer)
        if reservation is not UNLIMITED:
            self.runtime.admission.settle(reservation, usage.total)
        self.runtime.endpoints.released(state)


class _SettlingEvents:
    """The events of an answer; what is held is given back when they end, break, or nobody waits for them, even unread."""

    def __init__(
        self, events: AsyncIterator[bytes], settle: Callable[[], None], broke: Callable[[UpstreamError], None]
    ) -> None:
        self.events = events
        self.settle: Callable[[], None] | None = settle
        self.broke = broke

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self

    async def __anext__(self) -> bytes:
        try:
            return await anext(self.events)
        except StopAsyncIteration:
            self._settle_once()
            raise
        except UpstreamError as error:
            self.broke(error)
            self._settle_once()
            raise

    async def aclose(self) -> None:
        close = getattr(self.events, "aclose", None)
        try:
            if close is not None:
                await close()
        finally:
            self._settle_once()

    def _settle_once(self) -> None:
        settle, self.settle = self.settle, None  # it refers to the answer, and the answer to these events
        if settle is not None:
            settle()


def _rate_limited(resource: str, refused: RateLimitTimeoutError) -> UpstreamError:
    return UpstreamError(
        FailureKind.RATE_LIMITED,
        429,
        f"{resource}: {refused}",
        cause=Cause.RATE_LIMIT,
        type="rate_limit_error",
        code="rate_limit_exceeded",
        param=refused.limit,
        retry_after=refused.retry_after,
        reached=False,
    )
