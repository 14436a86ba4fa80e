"""The metrics of requests: what clients see, what providers took, and what it costs (definitions.py)."""

from __future__ import annotations

from langop_model.gateway.accounting.registry import Definition, MetricType

COUNTER, GAUGE, HISTOGRAM = MetricType.COUNTER, MetricType.GAUGE, MetricType.HISTOGRAM

# OpenTelemetry's buckets; those of durations go on to 655 s, as long as a request may take, so that its percentiles are known.
DURATION = (0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92, 163.84, 327.68, 655.36)
FIRST_TOKEN = (0.001, 0.005, 0.01, 0.02, 0.04, 0.06, 0.08, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0)
PER_TOKEN = (0.01, 0.025, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.75, 1.0, 2.5)
TOKENS = tuple(float(4**power) for power in range(14))
OVERHEAD = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0)
ATTEMPTS = (0, 1, 2, 3, 5, 8)

MODEL = ("model",)
ENDPOINT = ("model", "endpoint", "region")

# What clients see.
REQUESTS = Definition(
    "langop_requests",
    COUNTER,
    "Requests to a model by how they ended: success, client_error, rate_limited, failure, left (the client did not wait).",
    ("model", "outcome"),
    replaces=(
        ("litellm_proxy_total_requests_metric_total", ""),
        ("litellm_proxy_failed_requests_metric_total", 'outcome!~"success|left"'),
    ),
)
RESPONSES = Definition(
    "langop_responses",
    COUNTER,
    "Answers to clients by the route that they asked and the HTTP status.",
    ("model", "operation", "status_code"),
    replaces=(("litellm_proxy_total_requests_metric_total", "by status_code"),),
)
REFUSED = Definition(
    "langop_refused_requests",
    COUNTER,
    "Requests that were refused before a model was asked: without a key (401), to a closed route (404), with a bad body (400).",
    ("status_code",),
)
IN_FLIGHT = Definition(
    "langop_requests_in_flight",
    GAUGE,
    "Requests of a model that are being answered or wait for room in its limits; a figure to scale by.",
    MODEL,
    replaces=(("litellm_in_flight_requests", ""),),
)
REQUEST_DURATION = Definition(
    "gen_ai_server_request_duration_seconds",
    HISTOGRAM,
    "Time from a request's arrival to the end of its answer, streams to their last event.",
    ("model", "operation", "outcome"),
    "seconds",
    DURATION,
    replaces=(("litellm_request_total_latency_metric", 'outcome="success"'),),
)
TIME_TO_FIRST_TOKEN = Definition(
    "gen_ai_server_time_to_first_token_seconds",
    HISTOGRAM,
    "Time from a streamed request's arrival to the first event of its answer.",
    MODEL,
    "seconds",
    FIRST_TOKEN,
    replaces=(("litellm_llm_api_time_to_first_token_metric", ""),),
)
TIME_PER_OUTPUT_TOKEN = Definition(
    "gen_ai_server_time_per_output_token_seconds",
    HISTOGRAM,
    "Time for each token of a stream after the first.",
    MODEL,
    "seconds",
    PER_TOKEN,
)
TOKEN_USAGE = Definition(
    "gen_ai_client_token_usage",
    HISTOGRAM,
    "Tokens of a request, token_type input and output.",
    ("model", "operation", "token_type"),
    "",
    TOKENS,
)

# Us or them.
UPSTREAM_DURATION = Definition(
    "gen_ai_client_operation_duration_seconds",
    HISTOGRAM,
    "Time that one attempt spent at its provider, to the end of the answer.",
    (*ENDPOINT, "outcome"),
    "seconds",
    DURATION,
    replaces=(("litellm_llm_api_latency_metric", 'outcome="success"'),),
)
OVERHEAD_DURATION = Definition(
    "langop_gateway_overhead_seconds",
    HISTOGRAM,
    "Time of a request that was spent neither at a provider, nor in the queue of a limit, nor between retries.",
    MODEL,
    "seconds",
    OVERHEAD,
    replaces=(("litellm_overhead_latency_metric", ""),),
)
ATTEMPTS_OF_ENDPOINT = Definition(
    "langop_attempts",
    COUNTER,
    "Attempts at an endpoint by their outcome: success, left, client_error, or the cause of the failure.",
    (*ENDPOINT, "outcome"),
    replaces=(
        ("litellm_deployment_total_requests_total", ""),
        ("litellm_deployment_success_responses_total", 'outcome="success"'),
        ("litellm_deployment_failure_responses_total", 'outcome!~"success|left"'),
    ),
)
PROVIDER_ERRORS = Definition(
    "langop_provider_errors",
    COUNTER,
    "Errors of a provider, by its HTTP status. 401 and 403 mean its key, certificate that its certificate can't be verified.",
    (*ENDPOINT, "status_code"),
    replaces=(("litellm_deployment_failure_responses_total", "by status_code"),),
)
ATTEMPTS_OF_REQUEST = Definition(
    "langop_request_attempts",
    HISTOGRAM,
    "Attempts that a request took, over retries and fallbacks; 0 for one that the cache answered or a limit refused.",
    MODEL,
    "",
    ATTEMPTS,
)
FALLBACKS = Definition(
    "langop_fallbacks",
    COUNTER,
    "Requests of a model that were handed to its fallback, by the cause and whether the fallback answered.",
    ("model", "fallback", "cause", "outcome"),
    replaces=(
        ("litellm_deployment_successful_fallbacks_total", 'outcome="success"'),
        ("litellm_deployment_failed_fallbacks_total", 'outcome="failure"'),
    ),
)

# What it costs.
COST = Definition(
    "langop_cost_usd",
    COUNTER,
    "Cost of answers in US dollars, by the prices of the specification or of LiteLLM's list.",
    ENDPOINT,
    "usd",
    replaces=(("litellm_spend_metric_total", ""),),
)
UNPRICED = Definition(
    "langop_unpriced_requests", COUNTER, "Answers whose price is not known, and is not in the cost.", ENDPOINT
)
TOKENS_OF_ENDPOINT = Definition(
    "langop_tokens",
    COUNTER,
    "Tokens by type: input and output are all of them, cached, cache_creation, reasoning, audio_input and audio_output parts.",
    (*ENDPOINT, "token_type"),
    replaces=(
        ("litellm_input_tokens_metric_total", 'token_type="input"'),
        ("litellm_output_tokens_metric_total", 'token_type="output"'),
        ("litellm_total_tokens_metric_total", 'token_type=~"input|output"'),
    ),
)
ESTIMATED_TOKENS = Definition(
    "langop_estimated_tokens",
    COUNTER,
    "Tokens among them that were estimated, because the provider reported none.",
    (*ENDPOINT, "token_type"),
)

SECTIONS: dict[str, tuple[Definition, ...]] = {
    "What clients see": (
        *(REQUESTS, RESPONSES, REFUSED, IN_FLIGHT, REQUEST_DURATION, TIME_TO_FIRST_TOKEN, TIME_PER_OUTPUT_TOKEN),
        TOKEN_USAGE,
    ),
    "Us or them": (
        *(UPSTREAM_DURATION, OVERHEAD_DURATION, ATTEMPTS_OF_ENDPOINT, PROVIDER_ERRORS, ATTEMPTS_OF_REQUEST, FALLBACKS),
    ),
    "What it costs": (COST, UNPRICED, TOKENS_OF_ENDPOINT, ESTIMATED_TOKENS),
}
