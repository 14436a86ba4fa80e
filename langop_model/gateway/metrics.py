"""Metrics that LiteLLM does not have: what the limits did. They are on the same /metrics."""

from __future__ import annotations

from prometheus_client import Counter, Histogram

REFUSED = Counter(
    "langop_rate_limit_refusals",
    "Requests that were refused because a limit of the LanguageModel left no room in time",
    ["model", "limit"],
)
QUEUED = Histogram(
    "langop_queue_seconds",
    "Seconds that a call waited for room in the limits of its LanguageModel",
    ["model"],
    buckets=(0.001, 0.01, 0.1, 0.5, 1, 5, 15, 30, 60, 120, 300),
)
