"""Settings that LiteLLM has once for its whole process, while each model of a gateway may ask for its own."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from langop_model.renderer import durations
from langop_model.renderer.findings import dotted
from langop_model.renderer.plan import Model

_LEVELS = ("error", "warn", "info", "debug")


@dataclass(slots=True)
class ProcessWide:
    """What the one process does. None where no model asks. Times in seconds."""

    log_level: str | None
    metrics: bool
    tracing: bool
    cache_backend: str | None
    cache_ttl: float | None
    cache_megabytes: int | None


def decide(models: list[Model]) -> ProcessWide:
    """Return what serves all `models` best, and record a finding for each model that asked for something else.

    Metrics and traces if any model asks for them, the most talkative log level, the longest time to live, the cache
    backend that most processes can share.
    """
    caching = [model for model in models if model.spec.get("caching", {}).get("enabled")]
    in_memory = [model for model in caching if model.spec["caching"]["backend"] == "memory"]
    return ProcessWide(
        log_level=_agree(models, ("observability", "logging", "level"), max, _LEVELS.index),
        metrics=bool(_agree(models, ("observability", "metrics"), max, bool)),
        tracing=bool(_agree(models, ("observability", "tracing"), max, bool)),
        cache_backend=_agree(caching, ("caching", "backend"), max, _memory_last),
        cache_ttl=_seconds(_agree(caching, ("caching", "ttl"), max, durations.seconds)),
        cache_megabytes=_agree(in_memory, ("caching", "maxSize"), max, int),
    )


def _agree(models: list[Model], path: tuple[str, ...], best: Callable[..., Any], rank: Callable[[Any], Any]) -> Any:
    """Return the `best` value by `rank` at spec.`path`; the other models get a finding."""
    asked = [(model, value) for model in models if (value := _get(model.spec, path)) is not None]
    if not asked:
        return None
    decisive, chosen = best(asked, key=lambda pair: rank(pair[1]))
    for model, value in asked:
        if rank(value) != rank(chosen):
            model.findings.add("LM314", "spec", *path, setting=dotted(path), value=chosen, other=decisive.name)
    return chosen


def _memory_last(backend: str) -> int:
    return ("memory", "memcached", "redis").index(backend)


def _seconds(duration: str | None) -> float | None:
    return None if duration is None else durations.seconds(duration)


def _get(spec: dict[str, Any], path: tuple[str, ...]) -> Any:
    value: Any = spec
    for key in path:
        value = value.get(key) if isinstance(value, dict) else None
    return value
