"""Gauges, which are read when somebody looks: requests do nothing for them.

What each worker knows is in `Gauges`; what only the supervisor knows comes with its state, once for all workers.
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterable

from langop_model.gateway.accounting import state_definitions as of
from langop_model.gateway.accounting.metrics import LIMITS, REASONS, Metrics
from langop_model.gateway.accounting.registry import SEPARATOR, Definition, Value
from langop_model.gateway.accounting.snapshots import Counted, dump
from langop_model.gateway.caching.memory import MemoryBackend
from langop_model.gateway.limits.sliding_window import Used
from langop_model.gateway.limits.usage import used_of
from langop_model.gateway.routing.endpoints import State
from langop_model.gateway.routing.runtime import GroupRuntime
from langop_model.gateway.shared_state import SharedState
from langop_model.gateway.supervisor_state import SupervisorState


def reason(state: State, now: float) -> str:
    """Return why an endpoint is down, as the label `reason`; empty where it is up."""
    if state.checked_down:
        return "health_check"
    if now < state.down_until:
        return "failures"
    return "peer" if state.is_down(now) else ""


class Gauges:
    """The gauges of one worker."""

    def __init__(self, metrics: Metrics, runtimes: Iterable[GroupRuntime], shared: SharedState | None = None) -> None:
        self.limits: list[_Limits] = []
        self.endpoints: list[_Endpoint] = []
        self.caches: dict[MemoryBackend, Value] = {}
        self.shared = shared
        self.redis_up = metrics.redis_up.labels() if shared is not None and shared.has_redis else None
        common = shared.memory if shared is not None else None
        if common is not None:
            self.caches[common] = metrics.cache_size.labels("")
        for runtime in runtimes:
            if runtime.group.limits.any:
                self.limits.append(_Limits(metrics, runtime))
            self.endpoints += [_Endpoint(metrics, runtime, state) for state in runtime.endpoints.states]
            backend = runtime.cache.backend if runtime.cache is not None else None
            if isinstance(backend, MemoryBackend) and backend is not common:
                self.caches[backend] = metrics.cache_size.labels(runtime.group.name)

    def read(self) -> None:
        """Set them by what this worker knows; to be called before a snapshot."""
        for limits in self.limits:
            limits.set(limits.admission.store.used_here())
        self._read_others()

    async def read_shared(self) -> None:
        """Set them, those of limits by what all processes use that count together."""
        self._read_others()
        used = await used_of([limits.admission for limits in self.limits])
        for limits, each in zip(self.limits, used, strict=True):
            limits.set(each)

    def _read_others(self) -> None:
        for endpoint in self.endpoints:
            endpoint.read()
        for backend, size in self.caches.items():
            size.set(backend.size)
        if self.redis_up is not None and self.shared is not None:
            self.redis_up.set(1 if self.shared.redis_up else 0)


class _Limits:
    """The gauges of a model's limits."""

    def __init__(self, metrics: Metrics, runtime: GroupRuntime) -> None:
        self.admission = runtime.admission
        name = runtime.group.name
        self.queue = metrics.queue_length.labels(name)
        self.used = [
            (at, metrics.limit_used.labels(name, limit))
            for at, (member, limit) in enumerate(LIMITS.items())
            if getattr(runtime.group.limits, member)
        ]

    def set(self, used: Used) -> None:
        self.queue.set(self.admission.queued)
        for at, gauge in self.used:
            gauge.set(used[at])


class _Endpoint:
    """The gauges of an endpoint."""

    def __init__(self, metrics: Metrics, runtime: GroupRuntime, state: State) -> None:
        self.clock, self.state = runtime.endpoints.clock, state
        labels = metrics.endpoint_labels(runtime.group.name, state.endpoint.id)
        self.up = metrics.endpoint_up.labels(*labels)
        self.down = [(each, metrics.endpoint_down.labels(*labels, each)) for each in REASONS]
        self.cooldown = metrics.endpoint_cooldown.labels(*labels)
        self.reason = ""
        self.checked_at = -math.inf
        self.is_checked = runtime.group.health_check is not None
        if self.is_checked:
            self.successes, self.failures = (metrics.checks.labels(*labels, result) for result in ("success", "failure"))
            self.check_time, self.check_duration = metrics.check_time.labels(*labels), metrics.check_duration.labels(*labels)

    def read(self) -> None:
        state, now = self.state, self.clock()
        down = reason(state, now)
        if down != self.reason:
            self.reason = down
            self.up.set(0 if down else 1)
            for name, gauge in self.down:
                gauge.set(1 if name == down else 0)
        self.cooldown.value = 1 if now < state.down_until else 0
        if self.is_checked and state.checked_at != self.checked_at:
            self.checked_at = state.checked_at
            self.successes.set(state.checks[True])
            self.failures.set(state.checks[False])
            self.check_time.set(round(time.time() - (now - state.checked_at), 3))
            self.check_duration.set(round(state.check_seconds, 6))


def snapshot_of(state: SupervisorState) -> bytes:
    """Return what the supervisor knows as a worker's snapshot is: it adds to the others."""
    found: dict[Definition, float] = {
        of.WORKERS: state.workers,
        of.WORKER_RESTARTS: state.worker_restarts,
        of.RELOAD_SUCCESSFUL: 0 if state.reload.refused else 1,
        of.RELOAD_TIME: round(state.reload.loaded_at, 3),
        of.BUILD_INFO: 1,
    }
    if state.translator_up is not None:
        found[of.TRANSLATOR_UP] = int(state.translator_up)
        found[of.TRANSLATOR_RESTARTS] = state.translator_restarts
    labels = {of.BUILD_INFO: SEPARATOR.join(state.versions)}
    return dump({each.name: Counted(labels.get(each, ""), [number], {}) for each, number in found.items()})
