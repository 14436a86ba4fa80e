"""What the dispatcher says of a request, once: it becomes metrics, a line of the log, and spans."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from langop_model.contract.settings import Cause, Group
from langop_model.gateway import call_ids
from langop_model.gateway.accounting import trace_context
from langop_model.gateway.accounting.logged_answer import LoggedAnswer
from langop_model.gateway.accounting.metrics import CERTIFICATE, Metrics
from langop_model.gateway.accounting.prices import PICTURE_ROUTES, Prices
from langop_model.gateway.accounting.request_log import RequestLog
from langop_model.gateway.accounting.request_record import LEFT, RequestRecord
from langop_model.gateway.accounting.series import EndpointSeries, Series
from langop_model.gateway.accounting.settlement import Settlement, Turn
from langop_model.gateway.accounting.traces import Traces
from langop_model.gateway.upstreams.base import CLIENT_ERROR, FailureKind, Route, UpstreamError, Usage

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import Span


class Accounting:
    """What all requests of a worker are recorded with. `traces` is None where they are off; `turn` is for Settlement."""

    def __init__(
        self,
        metrics: Metrics,
        log: RequestLog,
        prices: Prices,
        traces: Traces | None = None,
        turn: Turn | None = None,
    ) -> None:
        self.metrics = metrics
        self.series = Series(metrics)
        self.log = log
        self.prices = prices
        self.traces = traces
        self.settlement = Settlement(metrics, self.series, log, traces, turn)

    def begin(
        self,
        method: str,
        path: str,
        route: Route | None = None,
        call_id: str = "",
        traceparent: str | None = None,
        agent: str | None = None,
    ) -> Recorder:
        """Begin the record of a request that has just arrived. Its `finished` must be called, whatever happens."""
        return Recorder(self, method, path, route, call_id or call_ids.new(), traceparent, agent)


class Recorder(RequestRecord):
    """Records one request, from its arrival to the end of its answer."""

    __slots__ = ("_accounting", "_asked", "_attempt", "_attempt_began", "_attempt_span", "_is_over", "_priced", "_waits_since")

    def __init__(  # noqa: PLR0913, PLR0917 - what is known when a request arrives
        self,
        accounting: Accounting,
        method: str,
        path: str,
        route: Route | None,
        call_id: str,
        traceparent: str | None,
        agent: str | None,
    ) -> None:
        super().__init__(method, path, route, call_id, agent)
        self._accounting = accounting
        self._attempt: EndpointSeries | None = None  # what the attempt that goes on adds to
        self._attempt_began = 0.0
        self._attempt_span: Span | None = None
        self._waits_since: float | None = None
        self._asked: tuple[str, str, str] | None = None  # the model, its fallback, the cause
        self._priced = self._is_over = False
        parent = trace_context.read(traceparent) if traceparent else None
        if parent is not None:
            self.trace_id = parent.trace_id
        if accounting.traces is not None:
            self.span = accounting.traces.begin(self, parent)
            self.trace_id = accounting.traces.trace_id(self.span)

    # What was asked.

    def asked(self, group: Group, body: Mapping[str, Any] | None = None, model: str = "", stream: bool = False) -> None:
        """Note which group the request is for. `model` is the client's name for it, which only the log has."""
        self.group = group
        self.body = body
        self.model = model or group.name
        self.stream = stream
        self._accounting.series.models[group.name].in_flight.value += 1
        if group.log.responses and self.route is not None:
            self.logged_answer = LoggedAnswer(self.route)

    # Before a provider is asked.

    def cached(self, hit: bool, size: int = 0, group: str = "") -> None:
        """Note what the cache of a `group` said, the request's own unless it is named; `size` is the answer's, in bytes."""
        self.cache = "hit" if hit else "miss"
        metrics, name = self._accounting.metrics, group or self._group_name()
        metrics.cache_requests.labels(name, self.cache).inc()
        if hit:
            self.cost, self.served_by = 0.0, name
            metrics.cache_sent.labels(name).inc(size)

    def waits(self) -> None:
        """Note that the request waits for room in the limits, until `admitted` or `refused`."""
        if self._waits_since is None:
            self._waits_since = time.monotonic()

    def admitted(self, group: str = "") -> None:
        """Note that the limits of a group have let an attempt through: of the request's own group, unless another is named."""
        waited = self._waited()
        self._accounting.metrics.queue_wait.labels(group or self._group_name()).observe(waited)

    def refused(self, limit: str, group: str = "", queued: int = 0) -> None:
        """Note that a limit, by the name of its field, left no room in time; `queued` others wait for it."""
        self._waited()
        self.limit, self.queue_length = limit, queued
        self._accounting.metrics.refusals.labels(group or self._group_name(), limit).inc()

    def backs_off(self, seconds: float) -> None:
        """Note a wait before a retry."""
        self.backoff += seconds

    def falls_back(self, group: str, fallback: str, cause: str) -> None:
        """Note that another group is asked, and why."""
        if self._asked is not None:
            self._fallback_over(*self._asked, answered=False)
        self._asked = (group, fallback, cause)
        self.fallback = fallback

    # An attempt.

    def attempt(self, group: Group, endpoint: str, model: str = "") -> dict[str, str] | None:
        """Begin an attempt at an endpoint; `model` is what it is asked for, where the group serves any.

        Return the headers that continue the trace at the provider; None where traces are off.
        """
        accounting = self._accounting
        name = group.name
        self._attempt = series = accounting.series.endpoints[name, endpoint]
        series.in_flight.value += 1
        deployment = accounting.prices.deployments.get(endpoint)
        self.attempts += 1
        self.served_by = name
        self.endpoint = endpoint
        self.region = series.labels[2]
        self.deployed_model = deployment.named(model) if deployment is not None else model
        self._attempt_began = time.monotonic()
        traces = accounting.traces
        if traces is None:
            return None
        self._attempt_span = span = traces.begin_attempt(self, deployment.provider if deployment is not None else "")
        return {"traceparent": traces.header(span)}

    def failed(self, failure: UpstreamError) -> None:
        """Note that the attempt has failed; the request may go on."""
        self.failed_attempts += 1
        self.failure = failure
        series = self._attempt
        if series is not None and failure.kind in (FailureKind.HTTP, FailureKind.CERTIFICATE):
            status = str(failure.status) if failure.kind is FailureKind.HTTP else CERTIFICATE
            self._accounting.metrics.provider_errors.labels(*series.labels, status).inc()
        self._end_attempt(failure.cause, failure.status if failure.reached else None)

    def answered(self, status: int = 200) -> None:
        """Note that the whole answer is here; a stream's attempt ends with its stream, in `finished`."""
        self._end_attempt("success", status)

    def first_event(self) -> None:
        """Note that the first event of a stream goes to the client."""
        if self.ttft is None:
            self.ttft = time.monotonic() - self.started

    def event(self, event: bytes) -> None:
        """Note an event of a stream; needed where `wants_events` says so."""
        if self.logged_answer is not None:
            self.logged_answer.feed(event)

    @property
    def wants_events(self) -> bool:
        """Whether the log holds the answer: then each event, or the whole body, is to be given to `event` or `whole`."""
        return self.logged_answer is not None

    def whole(self, body: bytes) -> None:
        """Note the body of a whole answer."""
        if self.logged_answer is not None:
            self.logged_answer.whole(body)

    def price(self, usage: Usage) -> float | None:
        """Return what the attempt's answer costs in USD, for a header; None where nobody knows. `finished` counts it."""
        self.usage = usage
        if self.cache == "hit":
            return self.cost
        if not self.endpoint or self.route is None:
            return None
        took = self.upstream_seconds if self._attempt is None else time.monotonic() - self._attempt_began
        size = quality = ""
        if self.route in PICTURE_ROUTES and self.body is not None:
            size, quality = str(self.body.get("size") or ""), str(self.body.get("quality") or "")
        self._priced = True
        self.cost = self._accounting.prices.cost(self.endpoint, self.deployed_model, self.route, usage, took, size, quality)
        return self.cost

    # The end.

    def finished(self, status: int, usage: Usage | None = None, error: str = "", failure: UpstreamError | None = None) -> None:
        """End the record: the answer is complete, or has failed for good with an `error` (a code, never a text of others).

        A second call does nothing. `usage` is what the stream has used; a whole answer's is known from `price`. `failure` is
        what the client gets, where that is not the last attempt's.
        """
        if self._is_over:
            return
        self._is_over = True
        if self._waits_since is not None:
            self._waited()
        self.status = status
        if failure is not None:
            self.failure = failure
        self.error = error or (self._failed_with() if status >= 400 and status != LEFT else "")
        self.outcome = "left" if status == LEFT else "failure" if self.error else "success"
        self.seconds = time.monotonic() - self.started
        if usage is not None and not self._priced:
            self.price(usage)
        if self._attempt is not None:
            outcome = "left" if status == LEFT else "success" if not self.error else self._cause()
            self._end_attempt(outcome, status if outcome == "success" else None)
        if self._asked is not None:
            self._fallback_over(*self._asked, answered=status < 400 and not self.error)
        if self.group is None or not self.group.log.requests:
            self.body = None  # the record may outlive the request, and its body has no place in memory any more
        self._accounting.settlement.add(self)

    def left(self, usage: Usage | None = None) -> None:
        """End the record of a client that did not wait; `usage` is what it had by then."""
        self.finished(LEFT, usage)

    def _failed_with(self) -> str:
        if self.failure is not None:
            return self.failure.cause
        if self.limit:
            return Cause.RATE_LIMIT.value
        return CLIENT_ERROR if self.status < 500 else Cause.SERVER_ERROR.value

    def _cause(self) -> str:
        return self.failure.cause if self.failure is not None else "error"

    def _group_name(self) -> str:
        return self.group.name if self.group is not None else ""

    def _waited(self) -> float:
        """End a wait for the limits; return how long it took."""
        if self._waits_since is None:
            return 0.0
        waited = time.monotonic() - self._waits_since
        self._waits_since = None
        self.queued += waited
        return waited

    def _end_attempt(self, outcome: str, status: int | None) -> None:
        series = self._attempt
        if series is None:
            return
        self._attempt = None
        took = time.monotonic() - self._attempt_began
        self.upstream_seconds += took
        series.in_flight.value -= 1
        attempts, duration = series.ended[outcome]
        attempts.value += 1
        duration.observe(took)
        accounting = self._accounting
        if accounting.log.has_attempts:
            accounting.log.attempt(self, outcome, status, took)
        if accounting.traces is not None and self._attempt_span is not None:
            accounting.traces.end_attempt(self._attempt_span, outcome, status)

    def _fallback_over(self, group: str, fallback: str, cause: str, answered: bool) -> None:
        self._asked = None
        self._accounting.metrics.fallbacks.labels(group, fallback, cause, "success" if answered else "failure").inc()
