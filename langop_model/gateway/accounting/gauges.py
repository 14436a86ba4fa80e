"""Gauges that are read when somebody looks: the state of endpoints as the dispatcher has it."""

from __future__ import annotations

import math
import time
from collections.abc import Iterable

from langop_model.gateway.accounting.metrics import Metrics
from langop_model.gateway.routing.endpoints import Endpoints, State
from langop_model.gateway.routing.runtime import GroupRuntime


def read(metrics: Metrics, runtimes: Iterable[GroupRuntime]) -> None:
    """Set the gauges of these groups. To be called before a snapshot."""
    for runtime in runtimes:
        for state in runtime.endpoints.states:
            _endpoint(metrics, runtime.group.name, runtime.endpoints, state)


def reason(state: State, now: float) -> str:
    """Return why an endpoint is down, as the label `reason`; empty where it is up."""
    if state.checked_down:
        return "health_check"
    if now < state.down_until:
        return "failures"
    return "peer" if state.is_down(now) else ""


def _endpoint(metrics: Metrics, group: str, endpoints: Endpoints, state: State) -> None:
    now = endpoints.clock()
    labels = metrics.endpoint_labels(group, state.endpoint.id)
    down = reason(state, now)
    metrics.endpoint_up.labels(*labels).set(0 if down else 1)
    for each in ("health_check", "failures", "peer"):
        metrics.endpoint_down.labels(*labels, each).set(1 if each == down else 0)
    metrics.endpoint_cooldown.labels(*labels).set(1 if now < state.down_until else 0)
    if state.checked_at > -math.inf:
        metrics.check_time.labels(*labels).set(round(time.time() - (now - state.checked_at), 3))
