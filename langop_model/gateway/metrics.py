"""Metrics that LiteLLM does not have: what the limits did, and what was refused before it. They are on the same /metrics."""

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
TURNED_AWAY = Counter(
    "langop_refused_requests",
    "Requests that were answered in front of LiteLLM: without a key (401), to a closed route (404) or with a bad body (400)",
    ["status_code"],
)
