"""What a request that is over adds to the metrics."""

from __future__ import annotations

from langop_model.gateway.accounting.metrics import Metrics, operation
from langop_model.gateway.accounting.request_record import RequestRecord
from langop_model.gateway.accounting.series import EndpointSeries, Series
from langop_model.gateway.upstreams.base import Usage


def count(record: RequestRecord, metrics: Metrics, series: Series) -> None:
    """Count a request. One that was for no group is counted by its status alone: a client could name any model."""
    group = record.group
    if group is None:
        if record.status >= 400:
            metrics.refused.labels(str(record.status)).inc()
        return
    name, kind = group.name, operation(record.route)
    model = series.models[name]
    model.in_flight.value -= 1
    outcome = record.outcome if record.outcome != "failure" else _failure(record.status)
    requests, responses, duration = model.ended[kind, outcome, record.status]
    requests.value += 1
    responses.value += 1
    trace_id = record.trace_id if record.span is not None and record.span.is_recording() else ""
    duration.observe(record.seconds, trace_id)
    model.attempts.observe(record.attempts)
    own = record.seconds - record.upstream_seconds - record.queued - record.backoff
    model.overhead.observe(own if own > 0 else 0.0)
    if record.ttft is not None:
        metrics.time_to_first_token.labels(name).observe(record.ttft, trace_id)
    usage = record.usage
    if usage is None:
        return
    if record.cache == "hit":
        metrics.cache_tokens.labels(record.served_by, "input").inc(usage.input_tokens)
        metrics.cache_tokens.labels(record.served_by, "output").inc(usage.output_tokens)
        return
    question, answer = model.tokens[kind]
    question.observe(usage.input_tokens)
    answer.observe(usage.output_tokens)
    if record.ttft is not None and usage.output_tokens > 1:
        per_token = max(record.seconds - record.ttft, 0.0) / (usage.output_tokens - 1)
        metrics.time_per_output_token.labels(name).observe(per_token)
    if record.endpoint:
        _count_at(series.endpoints[record.served_by, record.endpoint], record, usage, metrics)


def _failure(status: int) -> str:
    """Return how a request failed: rate_limited, client_error or failure."""
    if status == 429:
        return "rate_limited"
    return "client_error" if 400 <= status < 500 else "failure"


def _count_at(endpoint: EndpointSeries, record: RequestRecord, usage: Usage, metrics: Metrics) -> None:
    _count_tokens(endpoint, usage)
    if usage.estimated:
        metrics.estimated_tokens.labels(*endpoint.labels, "input").inc(usage.input_tokens)
        metrics.estimated_tokens.labels(*endpoint.labels, "output").inc(usage.output_tokens)
    if record.cost is None:
        endpoint.unpriced.value += 1
    elif record.cost:
        endpoint.cost.value += record.cost


def _count_tokens(endpoint: EndpointSeries, usage: Usage) -> None:
    """Count the tokens of each kind. Written out: a loop over the kinds takes a fiftieth of a request's instructions more."""
    tokens = endpoint.tokens
    if usage.input_tokens:
        tokens["input"].value += usage.input_tokens
    if usage.output_tokens:
        tokens["output"].value += usage.output_tokens
    if usage.cached_tokens:
        tokens["cached"].value += usage.cached_tokens
    if usage.cache_creation_tokens:
        tokens["cache_creation"].value += usage.cache_creation_tokens
    if usage.reasoning_tokens:
        tokens["reasoning"].value += usage.reasoning_tokens
    if usage.audio_input_tokens:
        tokens["audio_input"].value += usage.audio_input_tokens
    if usage.audio_output_tokens:
        tokens["audio_output"].value += usage.audio_output_tokens
