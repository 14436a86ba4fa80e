"""Settings that a gateway has once for all of its models, while each of them may ask for its own."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from langop_model.renderer import durations
from langop_model.renderer.findings import dotted
from langop_model.renderer.plan import Model
from langop_model.renderer.record import Record

_LEVELS = ("error", "warn", "info", "debug")
LITELLM_CACHES = {"memory": "local", "redis": "redis"}  # LiteLLM's names (litellm/types/caching.py); it has no memcached


class GlobalSettings(Record):
    """What the gateway does. None where no model asks. `cache_type` and `cache_ttl` (seconds) are for a stock LiteLLM."""

    log_level: str | None
    metrics: bool
    tracing: bool
    cache_type: str | None
    cache_ttl: float | None


def decide(models: list[Model]) -> GlobalSettings:
    """Return what serves all `models` best, and record a finding for each model that asked for something else.

    Metrics and traces if any model asks for them, and the most talkative log level. LiteLLM's cache needs no finding: the
    gateway keeps the answers of each model as it asks.
    """
    caching = [model.spec["caching"] for model in models if model.spec.get("caching", {}).get("enabled")]
    types = [LITELLM_CACHES[each["backend"]] for each in caching if each["backend"] in LITELLM_CACHES]
    lifetimes = [durations.seconds(each["ttl"]) for each in caching if "ttl" in each]
    return GlobalSettings(
        log_level=_agree(models, ("observability", "logging", "level"), max, _LEVELS.index),
        metrics=bool(_agree(models, ("observability", "metrics"), max, bool)),
        tracing=bool(_agree(models, ("observability", "tracing"), max, bool)),
        cache_type=max(types, default=None),  # redis, if any model asks for it
        cache_ttl=max(lifetimes, default=None),
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


def _get(spec: dict[str, Any], path: tuple[str, ...]) -> Any:
    value: Any = spec
    for key in path:
        value = value.get(key) if isinstance(value, dict) else None
    return value
