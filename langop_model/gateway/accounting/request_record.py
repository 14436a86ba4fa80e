"""The record of a request as the application and the dispatcher speak to it: what they say becomes a Record's events."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from langop_model.contract.settings import Group
from langop_model.gateway.access.errors import APIError
from langop_model.gateway.accounting.recorder import Accounting, Record
from langop_model.gateway.limits.admission import RateLimitTimeoutError
from langop_model.gateway.routing.observer import Observer
from langop_model.gateway.routing.runtime import GroupRuntime
from langop_model.gateway.upstreams.base import Route, UpstreamError, Usage

if TYPE_CHECKING:
    from langop_model.gateway.routing.dispatcher import Served


class RequestRecord(Observer):
    """Follows one request (app.Record): the application notes what it knows, the dispatcher what it does."""

    def __init__(
        self, accounting: Accounting, method: str, path: str, route: Route | None, call_id: str, traceparent: str | None = None
    ) -> None:
        self.record: Record = accounting.begin(method, path, route, call_id=call_id, traceparent=traceparent)
        self.asks_for = ""
        self.body: Mapping[str, Any] | None = None

    @property
    def observer(self) -> Observer:
        """What the dispatcher tells of its work."""
        return self

    @property
    def wants_events(self) -> bool:
        """Whether each event of a stream is to be given to `event`, for the log."""
        return self.record.wants_events

    def asked(self, group: Group, body: Mapping[str, Any], model: str, stream: bool, asks_for: str = "") -> None:
        """Note the group that the client means by `model`, and its body.

        `asks_for` is the model that a group which serves any is asked for.
        """
        self.asks_for = asks_for
        self.record.asked(group, body, model, stream)

    def note(self, **members: Any) -> None:
        """Note members of the log line: agent, model_group, stream, body, error."""
        record = self.record
        if "agent" in members:
            record.agent = members["agent"]
        if members.get("model_group"):
            record.model = members["model_group"]
        if "stream" in members:
            record.stream = members["stream"]
        if "error" in members:
            record.error = members["error"]
        self.body = members.get("body", self.body)

    def first_event(self) -> None:
        """The first event of a stream goes to the client."""
        self.record.first_event()

    def event(self, event: bytes) -> None:
        """An event of a stream goes to the client."""
        self.record.event(event)

    def finish(self, status: int, served: Served | None = None, error: APIError | UpstreamError | None = None) -> None:
        """The answer is complete, or the client has left (status 499)."""
        record = self.record
        usage = None
        if served is not None:
            self._for(served.runtime)
            usage = served.answer.usage
            record.drops(served.dropped)
            if served.runtime.cache is not None:
                record.cached(served.is_hit, len(served.answer.body or b""))
            if served.is_hit and usage is not None:
                record.price(usage)
            if served.answer.body is not None:
                record.whole(served.answer.body)
        if isinstance(error, UpstreamError):
            record.failure = record.failure or error
            record.finished(status, usage, error.cause)
        else:
            record.finished(status, usage, record.error or (_code(error) if error is not None else ""))

    def queued(self, runtime: GroupRuntime, seconds: float) -> None:
        """The request waited so long for the limits of its model."""
        self._for(runtime)
        self.record.admitted(runtime.group.name, seconds)

    def limited(self, runtime: GroupRuntime, error: RateLimitTimeoutError) -> None:
        """A limit refused the request."""
        self._for(runtime)
        self.record.refused(error.limit, runtime.group.name)

    def attempted(self, runtime: GroupRuntime, endpoint_id: str) -> None:
        """An endpoint is asked."""
        self._for(runtime)
        self.record.attempt(runtime.group, endpoint_id, self.asks_for)

    def failed(self, runtime: GroupRuntime, endpoint_id: str, error: UpstreamError, seconds: float) -> None:  # noqa: ARG002
        """An attempt has failed."""
        self.record.failed(error)

    def settled(self, runtime: GroupRuntime, endpoint_id: str, usage: Usage) -> None:  # noqa: ARG002
        """An answer is complete, or nobody waits for it. Its attempt ends with the request, which knows how."""
        self.record.price(usage)

    def falls_back(self, runtime: GroupRuntime, target: str, error: UpstreamError) -> None:  # noqa: ARG002
        """Another group is asked."""
        group = self.record.group
        if group is not None:
            self.record.falls_back(group.name, target, error.cause)

    def trace_headers(self) -> dict[str, str]:
        """Return the headers that continue the trace at the provider."""
        return self.record.trace_headers()

    def _for(self, runtime: GroupRuntime) -> None:
        """Take the first group that is heard of as the one that was asked, where the application has not said."""
        record = self.record
        if record.group is None:
            record.asked(runtime.group, self.body, record.model, bool(record.stream))


def _code(error: APIError) -> str:
    return error.code or error.type
