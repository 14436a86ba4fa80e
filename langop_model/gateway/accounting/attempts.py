"""One attempt at a provider: its time, and what it adds to the metrics of its endpoint."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from langop_model.gateway.accounting.prices import Deployment
from langop_model.gateway.accounting.series import Series

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import Span


class Attempt:
    """An attempt, from its construction to `end`. `asked` is the model for a group that serves any."""

    __slots__ = ("endpoint", "group", "model", "provider", "series", "span", "started")

    def __init__(self, group: str, endpoint: str, asked: str, series: Series, deployment: Deployment | None) -> None:
        self.group = group
        self.endpoint = endpoint
        self.series = series.endpoints[group, endpoint]
        self.provider = deployment.provider if deployment is not None else ""
        self.model = deployment.named(asked) if deployment is not None else asked
        self.span: Span | None = None
        self.started = time.monotonic()
        self.series.in_flight.value += 1

    def end(self, outcome: str) -> float:
        """Count the attempt and return how long it took, in seconds; `outcome` is success, left, or a cause."""
        took = time.monotonic() - self.started
        series = self.series
        series.in_flight.value -= 1
        attempts, duration = series.ended[outcome]
        attempts.value += 1
        duration.observe(took)
        return took
