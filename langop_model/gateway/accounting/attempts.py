"""One attempt at a provider: its time, and what it adds to the metrics of its endpoint."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from langop_model.gateway.accounting.metrics import Metrics
from langop_model.gateway.accounting.prices import Deployment

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import Span


class Attempt:
    """An attempt, from its construction to `end`. `asked` is the model for a group that serves any."""

    __slots__ = ("endpoint", "group", "labels", "model", "provider", "span", "started")

    def __init__(self, group: str, endpoint: str, asked: str, metrics: Metrics, deployment: Deployment | None) -> None:
        self.group = group
        self.endpoint = endpoint
        self.labels = metrics.endpoint_labels(group, endpoint)
        self.provider = deployment.provider if deployment is not None else ""
        self.model = deployment.named(asked) if deployment is not None else asked
        self.span: Span | None = None
        self.started = time.monotonic()
        metrics.endpoint_in_flight.labels(*self.labels).inc()

    def end(self, metrics: Metrics, outcome: str) -> float:
        """Count the attempt and return how long it took, in seconds; `outcome` is success, left, or a cause."""
        took = time.monotonic() - self.started
        metrics.endpoint_in_flight.labels(*self.labels).dec()
        metrics.attempts_of_endpoint.labels(*self.labels, outcome).inc()
        metrics.upstream_duration.labels(*self.labels, outcome).observe(took)
        return took
