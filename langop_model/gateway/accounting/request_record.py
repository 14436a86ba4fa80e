"""What is known of one request: the recorder fills it in; metrics, the log and traces read it when the request is over."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from langop_model.contract.settings import Group
from langop_model.gateway.accounting.logged_answer import LoggedAnswer
from langop_model.gateway.upstreams.base import Route, UpstreamError, Usage

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import Span

LEFT = 499  # nginx's status for a client that did not wait for its answer


@dataclass(slots=True, eq=False)
class RequestRecord:
    """One request. Times are in seconds, costs in USD; what is empty, 0 or None has not happened or is not known."""

    method: str
    path: str
    route: Route | None  # None for a request to no route of a model
    call_id: str
    agent: str | None  # the client's name, where it has one
    started: float = field(default_factory=time.monotonic)
    trace_id: str = ""
    span: Span | None = None
    group: Group | None = None  # None for a request that was refused before its model was known
    model: str = ""  # the client's name for the group
    body: Mapping[str, Any] | None = None
    stream: bool | None = None
    dropped: tuple[str, ...] = ()  # members of the body that no provider got
    cache: str = ""  # hit or miss
    limit: str = ""  # the limit that refused it
    queue_length: int = 0  # how many others wait for that limit
    queued: float = 0.0
    backoff: float = 0.0
    fallback: str = ""  # the last group that was asked instead
    attempts: int = 0
    failed_attempts: int = 0
    endpoint: str = ""  # of the last attempt, like the next three
    region: str = ""
    deployed_model: str = ""
    served_by: str = ""  # the group
    upstream_seconds: float = 0.0  # of all attempts
    ttft: float | None = None  # time to first token
    usage: Usage | None = None
    cost: float | None = None
    failure: UpstreamError | None = None  # the last one
    status: int = 0
    seconds: float = 0.0
    error: str = ""
    outcome: str = ""  # success, failure or left, once it is over
    logged_answer: LoggedAnswer | None = None  # where the specification wants it in the log

    def logged_response(self) -> Any:
        """Return the answer for the log; None where it has none."""
        return self.logged_answer.value() if self.logged_answer is not None and not self.error else None
