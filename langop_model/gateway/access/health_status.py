"""GET /health: the last known state of the gateway and of each endpoint, as requests and checks have shown it.

No provider is asked for it. It holds names, figures and causes: no address, no key and no text of a caller or a provider.
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from langop_model.contract.settings import Limits
from langop_model.gateway.configuration import Configuration
from langop_model.gateway.limits.sliding_window import Used
from langop_model.gateway.routing.endpoints import FAILURES_IN_A_ROW, LastError, State
from langop_model.gateway.routing.runtime import GroupRuntime
from langop_model.gateway.supervisor_state import SupervisorState

UNKNOWN, UP, DOWN = "unknown", "up", "down"
_SEVERITY = ("healthy", "degraded", "unhealthy")


@dataclass(frozen=True, slots=True)
class Known:
    """What is known beside the endpoints: `used` of the limits by group, `redis` where the environment names one, and regions.

    `supervisor` is None where no supervisor has said anything.
    """

    used: Mapping[str, Used] = field(default_factory=dict)
    regions: Mapping[str, str] = field(default_factory=dict)
    redis: bool | None = None
    supervisor: SupervisorState | None = None


def report(runtimes: Iterable[GroupRuntime], configuration: Configuration, known: Known = Known()) -> dict[str, Any]:
    """Return what GET /health answers. Ages are in seconds, absent for what has not happened; times are RFC 3339.

    `status` is unhealthy where all endpoints of a model are down, degraded where some endpoint, redis or the translator is,
    or where a model can't be served as it is specified: `unavailable` are not served at all, of those in `outdated` the
    previous version is, and `refused_change` is a change that is not served. The HTTP status is 200 all the same: a pod that
    is restarted because a provider is down can no longer use fallbacks, caches and retries.
    """
    models = {runtime.group.name: _model(runtime, known) for runtime in runtimes if not runtime.group.internal}
    found: dict[str, Any] = {
        "status": max((each["status"] for each in models.values()), key=_SEVERITY.index, default="healthy")
    }
    found |= _gateway(configuration, known)
    found["models"] = models
    for member, rejected in (("unavailable", configuration.unavailable), ("outdated", configuration.outdated)):
        if rejected:
            found[member] = [
                {"resource": each.resource, "namespace": each.namespace, "reason": each.reason} for each in rejected
            ]
    supporting = [found.get("redis", {}).get("status"), found.get("translator", {}).get("status")]
    if DOWN in supporting or found.keys() & {"unavailable", "outdated", "refused_change"}:
        found["status"] = max(found["status"], "degraded", key=_SEVERITY.index)
    return found


def _gateway(configuration: Configuration, known: Known) -> dict[str, Any]:
    """Return what is known of the gateway itself."""
    found: dict[str, Any] = {"configuration": {"hash": configuration.fingerprint}}
    if known.redis is not None:
        found["redis"] = {"status": UP if known.redis else DOWN}
    state = known.supervisor
    if state is None:
        return found
    version, litellm, python = state.versions
    found["configuration"]["served_since"] = timestamp(state.reload.loaded_at)
    found["versions"] = {"gateway": version, "litellm": litellm, "python": python}
    found["workers"] = {"serving": state.workers, "restarts": state.worker_restarts}
    if state.translator_up is not None:
        found["translator"] = {"status": UP if state.translator_up else DOWN, "restarts": state.translator_restarts}
    if state.reload.refused:
        found["refused_change"] = {"since": timestamp(state.reload.refused_at), "findings": list(state.reload.refused)}
    return found


def _model(runtime: GroupRuntime, known: Known) -> dict[str, Any]:
    now = runtime.endpoints.clock()
    endpoints = [_endpoint(state, now, known) for state in runtime.endpoints.states]
    down = [endpoint for endpoint in endpoints if endpoint["status"] == DOWN]
    status = "healthy" if not down else "degraded" if len(down) < len(endpoints) else "unhealthy"
    found: dict[str, Any] = {"status": status, "resource": runtime.group.resource}
    if runtime.group.limits.any:
        found["limits"] = _limits(runtime.group.limits, known.used.get(runtime.group.name))
        found["queued"] = runtime.admission.queued
    return {**found, "endpoints": endpoints}


def _limits(limits: Limits, used: Used | None) -> dict[str, Any]:
    figures = (
        ("requestsPerMinute", limits.requests_per_minute, used.requests if used else None),
        ("tokensPerMinute", limits.tokens_per_minute, used.tokens if used else None),
        ("concurrentRequests", limits.concurrent_requests, used.concurrent if used else None),
    )
    return {name: {"limit": limit, "used": count} for name, limit, count in figures if limit}


def _endpoint(state: State, now: float, known: Known) -> dict[str, Any]:
    """One endpoint. A single endpoint is asked however often it fails."""
    heard = max(state.answered_at, state.checked_at if state.successful_checks else -math.inf)
    is_down = state.is_down(now) or state.failures >= FAILURES_IN_A_ROW
    since = state.down_since if is_down else state.up_since
    found: dict[str, Any] = {
        "id": state.endpoint.id,
        "region": known.regions.get(state.endpoint.id),
        "status": DOWN if is_down else UP if heard > -math.inf else UNKNOWN,
        "since": _at(since, now),
        "cooldown_until": _at(state.down_until, now) if now < state.down_until else None,
        "failures_in_a_row": state.failures,
        "in_flight": state.in_flight,
        "last_answer_seconds_ago": _age(state.answered_at, now),
        "last_check_seconds_ago": _age(state.checked_at, now),
        "last_error": _error(state.error, now),
        "last_check_error": _error(state.check_error, now),
    }
    return {name: value for name, value in found.items() if value is not None}


def _error(error: LastError | None, now: float) -> dict[str, Any] | None:
    """Return the cause and the HTTP status of an error, and how long it is ago."""
    if error is None:
        return None
    status = {"status_code": error.status} if error.status else {}
    return {"cause": error.cause, **status, "seconds_ago": _age(error.at, now)}


def _age(at: float, now: float) -> float | None:
    return round(now - at, 1) if at > -math.inf else None


def _at(at: float | None, now: float) -> str | None:
    """Return a time of the endpoints' clock as RFC 3339."""
    return timestamp(time.time() - (now - at)) if at is not None else None


def timestamp(seconds: float) -> str:
    """Return a time in seconds since 1970 as RFC 3339 writes it, in UTC."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
