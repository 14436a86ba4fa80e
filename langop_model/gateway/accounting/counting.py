"""What a request that is over adds to the metrics."""

from __future__ import annotations

from langop_model.gateway.accounting.metrics import Metrics, operation
from langop_model.gateway.accounting.request_record import RequestRecord
from langop_model.gateway.upstreams.base import Usage


def count(record: RequestRecord, metrics: Metrics) -> None:
    """Count a request. One that was for no group is counted by its status alone: a client could name any model."""
    group = record.group
    if group is None:
        if record.status >= 400:
            metrics.refused.labels(str(record.status)).inc()
        return
    name, kind = group.name, operation(record.route)
    metrics.in_flight.labels(name).dec()
    ended = outcome(record)
    metrics.requests.labels(name, ended).inc()
    metrics.responses.labels(name, kind, str(record.status)).inc()
    trace_id = record.trace_id if record.span is not None and record.span.is_recording() else ""
    metrics.request_duration.labels(name, kind, ended).observe(record.seconds, trace_id)
    metrics.attempts_of_request.labels(name).observe(record.attempts)
    spent = record.upstream_seconds + record.queued + record.backoff
    metrics.overhead_duration.labels(name).observe(max(record.seconds - spent, 0.0))
    if record.ttft is not None:
        metrics.time_to_first_token.labels(name).observe(record.ttft, trace_id)
    if record.usage is not None and record.cache != "hit":
        _count_usage(record, record.usage, metrics, kind)
    elif record.usage is not None:
        metrics.cache_tokens.labels(record.served_by, "input").inc(record.usage.input_tokens)
        metrics.cache_tokens.labels(record.served_by, "output").inc(record.usage.output_tokens)


def outcome(record: RequestRecord) -> str:
    """Return how a request ended: success, left, rate_limited, client_error or failure."""
    ended = record.outcome
    if ended != "failure":
        return ended
    if record.status == 429:
        return "rate_limited"
    return "client_error" if 400 <= record.status < 500 else "failure"


def _count_usage(record: RequestRecord, usage: Usage, metrics: Metrics, kind: str) -> None:
    name = record.group.name if record.group is not None else ""
    metrics.token_usage.labels(name, kind, "input").observe(usage.input_tokens)
    metrics.token_usage.labels(name, kind, "output").observe(usage.output_tokens)
    if record.ttft is not None and usage.output_tokens > 1:
        per_token = max(record.seconds - record.ttft, 0.0) / (usage.output_tokens - 1)
        metrics.time_per_output_token.labels(name).observe(per_token)
    if not record.endpoint:
        return
    labels = metrics.endpoint_labels(record.served_by, record.endpoint)
    counts = (
        ("input", usage.input_tokens),
        ("output", usage.output_tokens),
        ("cached", usage.cached_tokens),
        ("cache_creation", usage.cache_creation_tokens),
        ("reasoning", usage.reasoning_tokens),
        ("audio_input", usage.audio_input_tokens),
        ("audio_output", usage.audio_output_tokens),
    )
    for token_type, tokens in counts:
        if tokens:
            metrics.tokens_of_endpoint.labels(*labels, token_type).inc(tokens)
    if usage.estimated:
        for token_type, tokens in counts[:2]:
            metrics.estimated_tokens.labels(*labels, token_type).inc(tokens)
    if record.cost is None:
        metrics.unpriced.labels(*labels).inc()
    elif record.cost:
        metrics.cost.labels(*labels).inc(record.cost)
