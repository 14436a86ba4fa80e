"""What the dispatcher tells of its work, for logs, metrics and traces."""

from __future__ import annotations

from langop_model.gateway.limits.admission import RateLimitTimeoutError
from langop_model.gateway.routing.runtime import GroupRuntime
from langop_model.gateway.upstreams.base import UpstreamError, Usage


class Observer:
    """Follows one request; each method may be overridden. Times in seconds."""

    def queued(self, runtime: GroupRuntime, seconds: float) -> None:
        """The request waited so long for the limits of its model."""

    def limited(self, runtime: GroupRuntime, error: RateLimitTimeoutError) -> None:
        """A limit refused the request."""

    def attempted(self, runtime: GroupRuntime, endpoint_id: str) -> None:
        """An endpoint is asked."""

    def failed(self, runtime: GroupRuntime, endpoint_id: str, error: UpstreamError, seconds: float) -> None:
        """An attempt has failed."""

    def answered(self, runtime: GroupRuntime, endpoint_id: str, seconds: float) -> None:
        """An answer has begun."""

    def settled(self, runtime: GroupRuntime, endpoint_id: str, usage: Usage) -> None:
        """An answer is complete, or nobody waits for it."""

    def falls_back(self, runtime: GroupRuntime, target: str, error: UpstreamError) -> None:
        """Another group is asked."""
