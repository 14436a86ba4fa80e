"""GET /health: the last known state of the gateway and of each endpoint, as requests and checks have shown it.

No provider is asked for it. It holds names, figures and causes: no address, no key and no text of a caller or a provider.
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from langop_model.contract.settings import Limits
from langop_model.gateway.access.worker_health import NOTHING_USED, ModelHealth, WorkerHealth
from langop_model.gateway.configuration import Configuration
from langop_model.gateway.limits.sliding_window import Used
from langop_model.gateway.routing import endpoint_health
from langop_model.gateway.routing.endpoint_health import EndpointHealth
from langop_model.gateway.routing.endpoints import LastError
from langop_model.gateway.routing.runtime import GroupRuntime
from langop_model.gateway.supervisor_state import SupervisorState

UNKNOWN, UP, DOWN = "unknown", "up", "down"
_SEVERITY = ("healthy", "degraded", "unhealthy")


@dataclass(frozen=True, slots=True)
class Known:
    """What is known beside the endpoints: `used` of the limits by group, `redis` where the environment names one, and regions.

    `workers` are the other workers. `supervisor` is None where no supervisor has said anything.
    """

    used: Mapping[str, Used] = field(default_factory=dict)
    regions: Mapping[str, str] = field(default_factory=dict)
    redis: bool | None = None
    workers: Sequence[WorkerHealth] = ()
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
        is_up = known.redis and all(worker.redis is not False for worker in known.workers)
        found["redis"] = {"status": UP if is_up else DOWN}
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
    now, name = runtime.endpoints.clock(), runtime.group.name
    others = [worker.models[name] for worker in known.workers if name in worker.models]
    endpoints = [
        _endpoint(
            state.endpoint.id,
            endpoint_health.together([endpoint_health.of(state, now), *_seen(state.endpoint.id, others)]),
            now,
            known,
        )
        for state in runtime.endpoints.states
    ]
    down = [endpoint for endpoint in endpoints if endpoint["status"] == DOWN]
    status = "healthy" if not down else "degraded" if len(down) < len(endpoints) else "unhealthy"
    found: dict[str, Any] = {"status": status, "resource": runtime.group.resource}
    if runtime.group.limits.any:
        used = [known.used.get(name, NOTHING_USED), *(other.used for other in others)]
        found["limits"] = _limits(runtime.group.limits, Used(*map(max, zip(*used, strict=True))))
        found["queued"] = runtime.admission.queued + sum(other.queued for other in others)
    return {**found, "endpoints": endpoints}


def _seen(endpoint: str, workers: Iterable[ModelHealth]) -> list[EndpointHealth]:
    """Return what other workers know of an endpoint."""
    return [worker.endpoints[endpoint] for worker in workers if endpoint in worker.endpoints]


def _limits(limits: Limits, used: Used) -> dict[str, Any]:
    """Return each limit with what is used of it: without redis by the worker that uses most, as langop_limit_used says."""
    figures = (
        ("requestsPerMinute", limits.requests_per_minute, used.requests),
        ("tokensPerMinute", limits.tokens_per_minute, used.tokens),
        ("concurrentRequests", limits.concurrent_requests, used.concurrent),
    )
    return {name: {"limit": limit, "used": count} for name, limit, count in figures if limit}


def _endpoint(name: str, health: EndpointHealth, now: float, known: Known) -> dict[str, Any]:
    found: dict[str, Any] = {
        "id": name,
        "region": known.regions.get(name),
        "status": DOWN if health.is_down else UP if health.heard_at > -math.inf else UNKNOWN,
        "since": _at(health.since, now),
        "cooldown_until": _at(health.cooldown_until, now) if now < health.cooldown_until else None,
        "failures_in_a_row": health.failures,
        "in_flight": health.in_flight,
        "last_answer_seconds_ago": _age(health.answered_at, now),
        "last_check_seconds_ago": _age(health.checked_at, now),
        "last_error": _error(health.error, now),
        "last_check_error": _error(health.check_error, now),
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
