"""The metrics of one worker.

Every model and endpoint has its series from the start, at 0: a rate sees only what grows.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterable, Mapping
from pathlib import Path

from langop_model.contract.settings import Cause, Group
from langop_model.gateway.accounting import request_definitions as of
from langop_model.gateway.accounting import state_definitions as state
from langop_model.gateway.accounting.definitions import BY_NAME
from langop_model.gateway.accounting.exposition import TEXT, Exposition
from langop_model.gateway.accounting.registry import Registry
from langop_model.gateway.accounting.snapshots import load_current, take
from langop_model.gateway.upstreams.base import CLIENT_ERROR, Route

OUTCOMES = ("success", "client_error", "rate_limited", "failure", "left")
ATTEMPT_OUTCOMES = ("success", "left", CLIENT_ERROR, *(cause.value for cause in Cause))
# OpenTelemetry's names of operations, where it has one: https://opentelemetry.io/docs/specs/semconv/registry/attributes/gen-ai/
OPERATIONS = {route: route.value for route in Route}
OPERATIONS |= {Route.COMPLETIONS: "text_completion", Route.RESPONSES: "chat", Route.MESSAGES: "chat"}
CHAT = "chat"
TOKEN_TYPES = ("input", "output", "cached", "cache_creation", "reasoning", "audio_input", "audio_output")
# The limits by the names that refusals have always had: the fields of the specification.
LIMITS = {
    "requests_per_minute": "rateLimits.requestsPerMinute",
    "tokens_per_minute": "rateLimits.tokensPerMinute",
    "concurrent_requests": "rateLimits.concurrentRequests",
}
CERTIFICATE = "certificate"  # in place of a status, where the provider's certificate can't be verified
REASONS = ("health_check", "failures", "peer")


def operation(route: Route | None) -> str:
    """Return the operation of a route, empty for a request to no route of a model."""
    return "" if route is None else OPERATIONS[route]


class Metrics:
    """All metrics of this worker, each as a family by the name of its definition in lower case: `metrics.requests`.

    `regions` are those of endpoints by their ids. An internal group, which no client can ask for, has only the series of its
    limits and endpoints.
    """

    def __init__(self, groups: Iterable[Group] = (), regions: Mapping[str, str] | None = None) -> None:  # noqa: PLR0915
        self.registry = Registry()
        self.regions = dict(regions or {})
        value, histogram = self.registry.value, self.registry.histogram
        self.requests = value(of.REQUESTS)
        self.responses = value(of.RESPONSES)
        self.refused = value(of.REFUSED)
        self.in_flight = value(of.IN_FLIGHT)
        self.request_duration = histogram(of.REQUEST_DURATION)
        self.time_to_first_token = histogram(of.TIME_TO_FIRST_TOKEN)
        self.time_per_output_token = histogram(of.TIME_PER_OUTPUT_TOKEN)
        self.token_usage = histogram(of.TOKEN_USAGE)
        self.upstream_duration = histogram(of.UPSTREAM_DURATION)
        self.overhead_duration = histogram(of.OVERHEAD_DURATION)
        self.attempts_of_endpoint = value(of.ATTEMPTS_OF_ENDPOINT)
        self.provider_errors = value(of.PROVIDER_ERRORS)
        self.attempts_of_request = histogram(of.ATTEMPTS_OF_REQUEST)
        self.fallbacks = value(of.FALLBACKS)
        self.cost = value(of.COST)
        self.unpriced = value(of.UNPRICED)
        self.tokens_of_endpoint = value(of.TOKENS_OF_ENDPOINT)
        self.estimated_tokens = value(of.ESTIMATED_TOKENS)
        self.limit = value(state.LIMIT)
        self.limit_used = value(state.LIMIT_USED)
        self.queue_length = value(state.QUEUE_LENGTH)
        self.queue_wait = histogram(state.QUEUE_WAIT)
        self.refusals = value(state.REFUSALS)
        self.cache_requests = value(state.CACHE_REQUESTS)
        self.cache_sent = value(state.CACHE_SENT)
        self.cache_tokens = value(state.CACHE_TOKENS)
        self.cache_size = value(state.CACHE_SIZE)
        self.endpoint_up = value(state.ENDPOINT_UP)
        self.endpoint_down = value(state.ENDPOINT_DOWN)
        self.endpoint_cooldown = value(state.ENDPOINT_COOLDOWN)
        self.endpoint_in_flight = value(state.ENDPOINT_IN_FLIGHT)
        self.checks = value(state.CHECKS)
        self.check_time = value(state.CHECK_TIME)
        self.check_duration = value(state.CHECK_DURATION)
        self.redis_up = value(state.REDIS_UP)
        self.translator_up = value(state.TRANSLATOR_UP)
        self.translator_restarts = value(state.TRANSLATOR_RESTARTS)
        self.workers = value(state.WORKERS)
        self.worker_restarts = value(state.WORKER_RESTARTS)
        self.reload_successful = value(state.RELOAD_SUCCESSFUL)
        self.reload_time = value(state.RELOAD_TIME)
        self.config_info = value(state.CONFIG_INFO)
        self.models = value(state.MODELS)
        self.build_info = value(state.BUILD_INFO)
        self.cpu = value(state.CPU)
        self.memory = value(state.MEMORY)
        self.start_time = value(state.START_TIME)
        self.descriptors = value(state.DESCRIPTORS)
        self.started = time.time()
        every = list(groups)
        self._exposition = Exposition(self.registry, {group.name for group in every})
        self._begin_all(every)

    def describe(self, configuration: str, **models: int) -> None:
        """Say which `configuration` is served, by its fingerprint, and how many LanguageModels are in each state."""
        self.config_info.labels(configuration).set(1)
        for name, count in models.items():
            self.models.labels(name).set(count)

    def snapshot(self) -> bytes:
        """Return what this worker has counted, for the process that answers a scrape."""
        self._process()
        return take(self.registry)

    def text(self, snapshots: Iterable[bytes] = (), retired: bytes | None = None, media_type: str = TEXT) -> bytes:
        """Return the text of /metrics: of this worker, with the `snapshots` of the others and what ended ones had counted."""
        self._process()
        every = [*snapshots, *([retired] if retired else [])]
        served = {child.key for child in self.config_info.children.values()}
        return self._exposition.text(load_current(every, BY_NAME, state.CONFIG_INFO.name, served), media_type)

    def endpoint_labels(self, group: str, endpoint: str) -> tuple[str, str, str]:
        """Return the labels of an endpoint: model, endpoint, region."""
        return group, endpoint, self.regions.get(endpoint, "")

    def _begin_all(self, groups: Iterable[Group]) -> None:
        for status in ("400", "401", "404"):
            self.refused.labels(status)
        for group in groups:
            self._begin_upstream(group)
            if not group.internal:
                self._begin(group)

    def _begin(self, group: Group) -> None:
        """Let a group have the series of its clients."""
        name = group.name
        for outcome in OUTCOMES:
            self.requests.labels(name, outcome)
        self.responses.labels(name, CHAT, "200")
        self.request_duration.labels(name, CHAT, "success")
        for kind in ("input", "output"):
            self.token_usage.labels(name, CHAT, kind)
        for family in (self.time_to_first_token, self.time_per_output_token, self.overhead_duration, self.attempts_of_request):
            family.labels(name)
        self.in_flight.labels(name)
        self._begin_fallbacks(group)
        if group.caching is not None:
            for result in ("hit", "miss"):
                self.cache_requests.labels(name, result)
            self.cache_sent.labels(name)
            for kind in ("input", "output"):
                self.cache_tokens.labels(name, kind)

    def _begin_upstream(self, group: Group) -> None:
        """Let a group have the series of its limits and endpoints."""
        if group.limits.any:
            self._begin_limits(group)
        for endpoint in group.endpoints:
            self._begin_endpoint(group, endpoint.id)

    def _begin_fallbacks(self, group: Group) -> None:
        every = [cause.value for cause in Cause if cause is not Cause.ERROR]
        for fallback in group.fallbacks:
            for cause in every if Cause.ERROR.value in fallback.causes else sorted(fallback.causes):
                for outcome in ("success", "failure"):
                    self.fallbacks.labels(group.name, fallback.group, cause, outcome)

    def _begin_limits(self, group: Group) -> None:
        for member, limit in LIMITS.items():
            figure = getattr(group.limits, member)
            if figure:
                self.limit.labels(group.name, limit).set(figure)
                self.limit_used.labels(group.name, limit)
                self.refusals.labels(group.name, limit)
        self.queue_length.labels(group.name)
        self.queue_wait.labels(group.name)

    def _begin_endpoint(self, group: Group, endpoint: str) -> None:
        labels = self.endpoint_labels(group.name, endpoint)
        for outcome in ATTEMPT_OUTCOMES:
            self.attempts_of_endpoint.labels(*labels, outcome)
        self.upstream_duration.labels(*labels, "success")
        for status in ("401", "403", "429", "500", CERTIFICATE):
            self.provider_errors.labels(*labels, status)
        self.cost.labels(*labels)
        self.unpriced.labels(*labels)
        for kind in TOKEN_TYPES:
            self.tokens_of_endpoint.labels(*labels, kind)
        for kind in ("input", "output"):
            self.estimated_tokens.labels(*labels, kind)
        self.endpoint_up.labels(*labels).set(1)
        for reason in REASONS:
            self.endpoint_down.labels(*labels, reason)
        self.endpoint_cooldown.labels(*labels)
        self.endpoint_in_flight.labels(*labels)
        if group.health_check is not None:
            for result in ("success", "failure"):
                self.checks.labels(*labels, result)
            self.check_time.labels(*labels)
            self.check_duration.labels(*labels)

    def _process(self) -> None:
        """Read what the system knows about this process. Without /proc, as on macOS, memory and descriptors stay 0."""
        times = os.times()
        self.cpu.labels().set(times.user + times.system)
        self.start_time.labels().set(round(self.started, 3))
        try:
            pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
            self.memory.labels().set(pages * os.sysconf("SC_PAGE_SIZE"))
            self.descriptors.labels().set(len(os.listdir("/proc/self/fd")))  # noqa: PTH208 - names, not paths
        except OSError:
            return
