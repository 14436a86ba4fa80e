"""What one worker knows of its models, which it leaves for the worker that answers GET /health."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, field

import orjson

from langop_model.gateway.limits.sliding_window import Used
from langop_model.gateway.routing import endpoint_health
from langop_model.gateway.routing.endpoint_health import EndpointHealth
from langop_model.gateway.routing.endpoints import State
from langop_model.gateway.routing.runtime import GroupRuntime

NOTHING_USED = Used(0, 0, 0)


@dataclass(frozen=True, slots=True)
class ModelHealth:
    """How many requests of a model wait in a worker, what it uses of the limits, and what it knows of the endpoints by id."""

    queued: int = 0
    used: Used = NOTHING_USED
    endpoints: dict[str, EndpointHealth] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class WorkerHealth:
    """Whether a worker reaches redis, None where there is none, and what it knows of its models by their names."""

    redis: bool | None = None
    models: dict[str, ModelHealth] = field(default_factory=dict)


def dump(runtimes: Iterable[GroupRuntime], configuration: str, redis: bool | None) -> bytes:
    """Return what this worker knows as JSON; models of which it knows nothing are not in it.

    `configuration` is the fingerprint of what it serves: in another one an endpoint of the same id may be another endpoint.
    """
    models = {runtime.group.name: found for runtime in runtimes if (found := _of(runtime))}
    return orjson.dumps({"configuration": configuration, "redis": redis, "models": models})


def load(content: bytes, configuration: str) -> WorkerHealth:
    """Return what `dump` wrote; nothing where the worker serves another configuration, or has another version."""
    try:
        members = orjson.loads(content)
        if members["configuration"] != configuration:
            return WorkerHealth()
        return WorkerHealth(members["redis"], {name: _loaded(*model) for name, model in members["models"].items()})
    except (ValueError, KeyError, TypeError):
        return WorkerHealth()


def _of(runtime: GroupRuntime) -> tuple[int, tuple[int, ...], dict[str, list[object]]] | None:
    now, admission = runtime.endpoints.clock(), runtime.admission
    used = admission.store.used_here() if runtime.group.limits.any else NOTHING_USED
    known = {state.endpoint.id: endpoint_health.of(state, now).dump() for state in runtime.endpoints.states if _is_known(state)}
    return (admission.queued, tuple(used), known) if known or admission.queued or any(used) else None


def _loaded(queued: int, used: list[int], endpoints: dict[str, list[object]]) -> ModelHealth:
    return ModelHealth(queued, Used(*used), {name: EndpointHealth.load(values) for name, values in endpoints.items()})


def _is_known(state: State) -> bool:
    """Whether anything has happened to an endpoint: of 500 models few are in use, and each worker looks once a second."""
    if state.in_flight or state.down_since is not None:
        return True
    return max(state.answered_at, state.failed_at, state.checked_at) > -math.inf
