"""GET /health: the last known state of each endpoint, as requests and checks have shown it. No provider is asked for it."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

from langop_model.gateway.configuration import Configuration
from langop_model.gateway.routing.endpoints import FAILURES_IN_A_ROW, State
from langop_model.gateway.routing.runtime import GroupRuntime

UNKNOWN, UP, DOWN = "unknown", "up", "down"
_SEVERITY = ("healthy", "degraded", "unhealthy")


def report(runtimes: Iterable[GroupRuntime], configuration: Configuration) -> dict[str, Any]:
    """Return what GET /health answers: names and figures, no address and no text of a caller.

    `status` is unhealthy where all endpoints of a model are down, degraded where some endpoint is, or where a model can't be
    served as it is specified: `unavailable` are not served at all, of those in `outdated` the previous version is.
    The HTTP status is 200 all the same: a pod that is restarted because a provider is down can no longer use fallbacks, caches
    and retries.
    """
    models = {runtime.group.name: _model(runtime) for runtime in runtimes if not runtime.group.internal}
    worst = max((model["status"] for model in models.values()), key=_SEVERITY.index, default="healthy")
    found: dict[str, Any] = {"status": worst, "models": models}
    for member, rejected in (("unavailable", configuration.unavailable), ("outdated", configuration.outdated)):
        if rejected:
            found["status"] = max(worst, "degraded", key=_SEVERITY.index)
            found[member] = [
                {"resource": each.resource, "namespace": each.namespace, "reason": each.reason} for each in rejected
            ]
    return found


def _model(runtime: GroupRuntime) -> dict[str, Any]:
    now = runtime.endpoints.clock()
    endpoints = [_endpoint(state, now) for state in runtime.endpoints.states]
    down = [endpoint for endpoint in endpoints if endpoint["status"] == DOWN]
    status = "healthy" if not down else "degraded" if len(down) < len(endpoints) else "unhealthy"
    return {"status": status, "resource": runtime.group.resource, "endpoints": endpoints}


def _endpoint(state: State, now: float) -> dict[str, Any]:
    """One endpoint: ages in seconds, absent for what has not happened. A single endpoint is asked however often it fails."""
    heard = max(state.answered_at, state.checked_at if state.successful_checks else -math.inf)
    is_down = state.is_down(now) or state.failures >= FAILURES_IN_A_ROW
    ages = {
        "last_answer_seconds_ago": state.answered_at,
        "last_failure_seconds_ago": state.failed_at,
        "last_check_seconds_ago": state.checked_at,
    }
    return {
        "id": state.endpoint.id,
        "status": DOWN if is_down else UP if heard > -math.inf else UNKNOWN,
        "failures_in_a_row": state.failures,
        "in_flight": state.in_flight,
        **{name: round(now - at, 1) for name, at in ages.items() if at > -math.inf},
    }
