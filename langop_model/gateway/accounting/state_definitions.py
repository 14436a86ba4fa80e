"""The metrics of what requests meet: limits, cache, endpoints, and the gateway itself (definitions.py)."""

from __future__ import annotations

from langop_model.gateway.accounting.registry import Definition, Merge, MetricType

COUNTER, GAUGE, HISTOGRAM = MetricType.COUNTER, MetricType.GAUGE, MetricType.HISTOGRAM
QUEUE = (0.001, 0.01, 0.1, 0.5, 1, 5, 15, 30, 60, 120, 300)

MODEL = ("model",)
ENDPOINT = ("model", "endpoint", "region")

# Limits, and the queue in front of them.
LIMIT = Definition("langop_limit", GAUGE, "A limit of a model over all replicas.", ("model", "limit"), merge=Merge.MAX)
LIMIT_USED = Definition(
    "langop_limit_used",
    GAUGE,
    "What is used of a limit: requests and tokens of the last minute, with reserved tokens, or requests in flight. "
    "With redis over all replicas, else of this one.",
    ("model", "limit"),
    merge=Merge.MAX,
)
QUEUE_LENGTH = Definition("langop_queue_length", GAUGE, "Requests that wait for room in the limits.", MODEL)
QUEUE_WAIT = Definition(
    "langop_queue_seconds",
    HISTOGRAM,
    "Time that a request waited for room in the limits of its model.",
    MODEL,
    "seconds",
    QUEUE,
)
REFUSALS = Definition(
    "langop_rate_limit_refusals",
    COUNTER,
    "Requests that were refused because a limit left no room in time.",
    ("model", "limit"),
)

# The cache.
CACHE_REQUESTS = Definition(
    "langop_cache_requests",
    COUNTER,
    "Requests that looked into the cache: result hit or miss.",
    ("model", "result"),
    replaces=(("litellm_cache_hits_metric_total", 'result="hit"'),),
)
CACHE_SENT = Definition("langop_cache_sent_bytes", COUNTER, "Bytes of answers that came from the cache.", MODEL, "bytes")
CACHE_TOKENS = Definition(
    "langop_cache_tokens",
    COUNTER,
    "Tokens of answers that came from the cache, for which no provider was asked.",
    ("model", "token_type"),
    replaces=(("litellm_cached_tokens_metric_total", ""),),
)
CACHE_SIZE = Definition(
    "langop_cache_size_bytes",
    GAUGE,
    "Bytes that a memory cache holds, over all workers; model is empty for the one of all models without caching.maxSize.",
    MODEL,
    "bytes",
)

# Endpoints and their health checks.
ENDPOINT_UP = Definition(
    "langop_endpoint_up",
    GAUGE,
    "Whether an endpoint gets requests: 0 while a check or failures in a row speak against it.",
    ENDPOINT,
    merge=Merge.MIN,
    replaces=(("litellm_deployment_state", "1 means up, where 0 did"),),
)
ENDPOINT_DOWN = Definition(
    "langop_endpoint_down",
    GAUGE,
    "1 for the reason why an endpoint is down: health_check, failures, peer (another replica says so).",
    (*ENDPOINT, "reason"),
    merge=Merge.MAX,
)
ENDPOINT_COOLDOWN = Definition(
    "langop_endpoint_in_cooldown", GAUGE, "1 while an endpoint is skipped after failures in a row.", ENDPOINT, merge=Merge.MAX
)
ENDPOINT_IN_FLIGHT = Definition(
    "langop_endpoint_requests_in_flight", GAUGE, "Attempts that an endpoint is answering.", ENDPOINT
)
CHECKS = Definition(
    "langop_health_checks", COUNTER, "Active health checks of an endpoint: result success or failure.", (*ENDPOINT, "result")
)
CHECK_TIME = Definition(
    "langop_health_check_last_timestamp_seconds",
    GAUGE,
    "When an endpoint was last checked, 0 before the first check; time() less this is the age of what is known about it.",
    ENDPOINT,
    "seconds",
    merge=Merge.MAX,
)
CHECK_DURATION = Definition(
    "langop_health_check_duration_seconds", GAUGE, "How long the last check took.", ENDPOINT, "seconds", merge=Merge.MAX
)

# The gateway itself.
REDIS_UP = Definition(
    "langop_redis_up", GAUGE, "1 while redis answers; absent where the environment names none.", merge=Merge.MIN
)
TRANSLATOR_UP = Definition(
    "langop_translator_up", GAUGE, "1 while the translator answers; absent until something needs it.", merge=Merge.MIN
)
TRANSLATOR_RESTARTS = Definition("langop_translator_restarts", COUNTER, "Starts of the translator after its first.")
WORKERS = Definition("langop_workers", GAUGE, "Worker processes that answer requests.")
WORKER_RESTARTS = Definition("langop_worker_restarts", COUNTER, "Workers that were started because another had died.")
RELOAD_SUCCESSFUL = Definition(
    "langop_config_last_reload_successful",
    GAUGE,
    "1 if the configuration that was last read is the one that is served, 0 while it is refused.",
    merge=Merge.MIN,
)
RELOAD_TIME = Definition(
    "langop_config_last_reload_success_timestamp_seconds",
    GAUGE,
    "When the configuration that is served was read.",
    (),
    "seconds",
    merge=Merge.MAX,
)
CONFIG_INFO = Definition("langop_config_info", GAUGE, "1 for the hash of the served configuration.", ("hash",), merge=Merge.MAX)
MODELS = Definition(
    "langop_models",
    GAUGE,
    "LanguageModels by state: served, outdated (its previous version is served), unavailable.",
    ("state",),
    merge=Merge.MAX,
)
BUILD_INFO = Definition(
    "langop_build_info",
    GAUGE,
    "1 for the versions that run.",
    ("version", "litellm_version", "python_version"),
    merge=Merge.MAX,
)
CPU = Definition("process_cpu_seconds", COUNTER, "CPU time of all workers, user and system.", (), "seconds")
MEMORY = Definition("process_resident_memory_bytes", GAUGE, "Resident memory of all workers.", (), "bytes")
START_TIME = Definition("process_start_time_seconds", GAUGE, "When the oldest worker started.", (), "seconds", merge=Merge.MIN)
DESCRIPTORS = Definition("process_open_fds", GAUGE, "Open file descriptors of all workers.")

SECTIONS: dict[str, tuple[Definition, ...]] = {
    "Limits": (LIMIT, LIMIT_USED, QUEUE_LENGTH, QUEUE_WAIT, REFUSALS),
    "The cache": (CACHE_REQUESTS, CACHE_SENT, CACHE_TOKENS, CACHE_SIZE),
    "Endpoints and their health checks": (
        *(ENDPOINT_UP, ENDPOINT_DOWN, ENDPOINT_COOLDOWN, ENDPOINT_IN_FLIGHT, CHECKS, CHECK_TIME, CHECK_DURATION),
    ),
    "The gateway": (
        *(REDIS_UP, TRANSLATOR_UP, TRANSLATOR_RESTARTS, WORKERS, WORKER_RESTARTS, RELOAD_SUCCESSFUL, RELOAD_TIME, CONFIG_INFO),
        MODELS,
        *(BUILD_INFO, CPU, MEMORY, START_TIME, DESCRIPTORS),
    ),
}
