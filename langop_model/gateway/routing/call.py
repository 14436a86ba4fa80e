"""One attempt at one endpoint: what it waits for, what it holds, and what is learnt from it."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Mapping
from contextvars import ContextVar
from typing import Any

from langop_model.contract.settings import Group
from langop_model.gateway import metrics, scope
from langop_model.gateway.limits.admission import Admission
from langop_model.gateway.limits.redis_connection import RedisConnection
from langop_model.gateway.limits.redis_window import RedisWindow
from langop_model.gateway.limits.sliding_window import Reservation
from langop_model.gateway.routing import causes
from langop_model.gateway.routing.endpoints import Endpoints, State
from langop_model.gateway.routing.peer_reports import PeerReports
from langop_model.gateway.secrets import Keys

present: ContextVar[Call | None] = ContextVar("langop_call", default=None)


class Served:
    """A model group as this process serves it; with `shared`, as all processes do that serve this LanguageModel."""

    def __init__(self, group: Group, shared: RedisConnection | None = None) -> None:
        self.group = group
        self.endpoints = Endpoints(group)
        self.keys = Keys(group.keys)
        name = f"{group.namespace}/{group.resource}"
        store = RedisWindow(shared, name, group.limits) if shared is not None and group.limits.any else None
        self.admission = Admission(group.limits, store=store)


def serve(groups: Mapping[str, Group], shared: RedisConnection | None) -> dict[str, Served]:
    """Return what serves each group. Its limits, and what is known of its endpoints, are `shared` where there is a redis."""
    served = {name: Served(group, shared) for name, group in groups.items()}
    if shared is not None:
        balanced: defaultdict[str, list[Endpoints]] = defaultdict(list)
        for each in served.values():
            if len(each.group.endpoints) > 1:
                balanced[each.group.namespace].append(each.endpoints)
        for namespace, endpoints in balanced.items():
            PeerReports(shared, namespace, endpoints)
        shared.start()
    return served


class Call:
    """An attempt, from the choice of its endpoint to the end of its answer.

    LiteLLM chooses a deployment first (`choose`), then looks into its cache, then calls the provider (`enter` in between). What
    the call holds it gives back when it fails, or when the answer is complete.
    """

    def __init__(self, served: Served, tokens: int | None, tried: set[str]) -> None:
        self.tried = tried
        self.served = served
        self.tokens = tokens
        self.state: State | None = None
        self.reservation: Reservation | None = None
        self.entered_at: float | None = None
        self.held: list[Callable[[], None]] = []

    def choose(self) -> str | None:
        """Choose an endpoint that this request has not tried; return its id, None when there is none left."""
        state = self.served.endpoints.choose(self.tried)
        if state is None:
            return None
        self.state = state
        self.tried.add(state.endpoint.id)
        self.held.append(lambda: self.served.endpoints.released(state))
        return state.endpoint.id

    async def enter(self) -> None:
        """Wait until the limits allow one more call, once, as long as an attempt may take. Raises RateLimitTimeoutError."""
        if self.entered_at is not None:
            return
        admission = self.served.admission
        started = time.monotonic()
        self.reservation = await admission.admit(self.tokens, started + admission.limits.wait)
        self.entered_at = time.monotonic()
        metrics.QUEUED.labels(self.served.group.name).observe(self.entered_at - started)

    def answered(self, response: Any) -> None:
        """Learn from an answer that has begun; hold what is held until it is complete."""
        if self.state is not None:
            if self.entered_at is None:
                self.served.endpoints.forget(self.state)
            else:
                self.served.endpoints.answered(self.state, time.monotonic() - self.entered_at)
        sent = scope.tokens_sent()  # LiteLLM keeps no account of a stream of /v1/responses or /v1/messages
        self.held.append(lambda: self._settle(tokens_used(response) or sent()))
        if not scope.at_end(self.release):
            self.release()

    def failed(self, error: BaseException) -> None:
        """Learn from a failure, and give everything back."""
        if self.state is not None:
            if self.entered_at is None:
                self.served.endpoints.forget(self.state)
            elif causes.is_endpoints_fault(error):
                self.served.endpoints.failed(self.state)
        self.held.append(lambda: self._settle(0, answered=not causes.is_connection(error)))
        self.release()

    def release(self) -> None:
        """Give back what is held."""
        while self.held:
            self.held.pop()()

    def _settle(self, used: int | None, answered: bool = True) -> None:
        if self.reservation is not None:
            self.served.admission.settle(self.reservation, self.reservation.tokens if used is None else used, answered)
            self.reservation = None


def tokens_used(response: Any) -> int | None:
    """Return the tokens of an answer, question included; None where it does not say."""
    import litellm

    chunks = getattr(response, "chunks", None)
    if isinstance(chunks, list) and chunks:
        response = litellm.stream_chunk_builder(chunks)
    usage = response.get("usage") if isinstance(response, dict) else getattr(response, "usage", None)
    total = usage.get("total_tokens") if isinstance(usage, dict) else getattr(usage, "total_tokens", None)
    if total is None and isinstance(usage, dict):
        parts = [usage.get("input_tokens"), usage.get("output_tokens")]
        return sum(part for part in parts if isinstance(part, int)) or None
    return total if isinstance(total, int) else None


def tokens_asked(request: dict[str, Any]) -> int | None:
    """Return the most tokens that a request may use; None where it sets no limit. Four letters count as a token."""
    most = next(
        (request[name] for name in ("max_completion_tokens", "max_tokens", "max_output_tokens") if request.get(name)), None
    )
    if not isinstance(most, int):
        return None
    return most + len(str(request.get("messages") or request.get("input") or request.get("prompt") or "")) // 4
