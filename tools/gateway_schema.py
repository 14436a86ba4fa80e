"""The schema of `callback_settings.langop`: what langop_model.gateway reads, taken from its dataclasses."""

from __future__ import annotations

import dataclasses
import typing

from langop_model.contract import settings
from langop_model.contract.strategy import Strategy
from langop_model.contract.unavailable_models import UnavailableModel
from tools.json_types import CLUSTER_NODES, SENTINEL_NODES, Schema, closed, json_type

TEXTS: Schema = {"type": "array", "items": {"type": "string"}}
TEXT_BY_NAME: Schema = {"type": "object", "additionalProperties": {"type": "string"}}


def callback_settings() -> Schema:
    """Describe the section: LiteLLM keeps callback_settings for its callbacks, by name."""
    group = closed(
        {
            "resource": {"type": "string"},
            "namespace": {"type": "string"},
            "keys": {"type": "object", "additionalProperties": _key()},
            "strategy": {"enum": list(Strategy)},
            "endpoints": {"type": "array", "minItems": 1, "items": _of(settings.Endpoint)},
            "limits": _of(settings.Limits),
            "retries": _of(settings.Retries),
            "fallbacks": {"type": "array", "items": _fallback()},
            "health_check": _of(settings.HealthCheck),
            "cooldown": _of(settings.Cooldown),
            "weight": {"type": "integer", "minimum": 0},
            "priority": {"type": "integer"},
            "log": _of(settings.Log),
            "timeout": {"type": "number", "exclusiveMinimum": 0},
            "stream_timeout": {"type": "number", "exclusiveMinimum": 0},
            "upstream": _upstream(),
            "defaults": {"type": "object"},
            "unsupported_defaults": {"type": "array", "items": _unsupported_defaults()},
            "caching": _of(settings.Caching),
            "internal": {"type": "boolean"},
            "routes": TEXTS,
            "accepts": TEXTS,
        },
        ["resource", "namespace", "endpoints"],
    )
    models: Schema = {"type": "object", "additionalProperties": group}
    names = {"type": "array", "items": {"type": "string"}, "minItems": 2}
    shared: Schema = {"type": "object", "additionalProperties": names}
    rejected: Schema = {"type": "object", "additionalProperties": _unavailable()}
    parts = {
        "models": models,
        "redis": _redis(),
        "shared": shared,
        "shared_strategy": {"enum": list(Strategy)},
        "unavailable": rejected,
        "outdated": rejected,
    }
    return closed({settings.SECTION: closed(parts, ["models"])})


def health_check() -> Schema:
    """Describe the label `health_check` in a deployment's model_info."""
    return _of(settings.Check)


def _redis() -> Schema:
    schema = _of(settings.Redis)
    schema["properties"] |= {
        "port": {"type": ["integer", "string"]},
        "cluster_nodes": CLUSTER_NODES,
        "sentinel_nodes": SENTINEL_NODES,
    }
    return schema


def _key() -> Schema:
    schema = _of(settings.Key)
    schema["properties"]["names"] = TEXTS
    schema["properties"]["delivery"] = {"enum": list(settings.Delivery)}
    return schema


def _upstream() -> Schema:
    schema = _of(settings.Upstream)
    texts = dict.fromkeys(("drops", "translates"), TEXTS)
    schema["properties"] |= {**texts, **dict.fromkeys(("routes", "headers", "query", "renames"), TEXT_BY_NAME)}
    schema["properties"]["key"] = _of(settings.KeyHeader)
    return schema


def _unsupported_defaults() -> Schema:
    schema = _of(settings.UnsupportedDefaults)
    schema["properties"]["names"] = TEXTS
    return schema


def _unavailable() -> Schema:
    schema = _of(UnavailableModel)
    schema["properties"]["names"] = TEXTS
    return schema


def _fallback() -> Schema:
    schema = _of(settings.Fallback)
    schema["properties"]["causes"] = {"type": "array", "items": {"enum": list(settings.Cause)}}
    return schema


def _of(kind: type) -> Schema:
    """Describe a dataclass; a field that may be None may be absent, and is never null."""
    hints = typing.get_type_hints(kind)
    fields = dataclasses.fields(kind)
    properties = {}
    for field in fields:
        schema = json_type(hints[field.name]) or {}
        if isinstance(schema.get("type"), list):
            schema = {**schema, "type": next(name for name in schema["type"] if name != "null")}
        properties[field.name] = schema
    required = [
        field.name for field in fields if field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING
    ]
    return closed(properties, required)
