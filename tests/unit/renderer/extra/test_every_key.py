"""Every key of the table: whatever stands there is understood or refused, and nothing is accepted without effect."""

from __future__ import annotations

import json
from typing import Any

import pytest

from langop_model.renderer.extra import table
from langop_model.renderer.findings import SpecError
from langop_model.renderer.rendering import Rendering
from langop_model.renderer.settings import Settings
from langop_model.resources import load_json
from tests.unit.specs import a_spec, render_gateway

WRONG: list[Any] = [
    None,
    True,
    False,
    5,
    -1,
    0.5,
    1e300,
    "text",
    "",
    [],
    {},
    ["a"],
    [None],
    [{}],
    {"a": 1},
    {"a": None},
    {"a": {}},
    [[]],
]
KEYS = [key for key in table.by_key() if "*" not in key]
OURS = [key for key in KEYS if table.by_key()[key].effect != "refused" and not key.startswith("model_list")]
SECTIONS = {"environment_variables", "model_list", "router_settings", "litellm_settings", "general_settings"}
ENTRY = {"model_name": "claude", "litellm_params": {"model": "anthropic/x", "api_key": "os.environ/K"}}
SAMPLES: dict[str, Any] = {
    "boolean": True,
    "integer": 7,
    "number": 7,
    "string": "text",
    "array": ["text"],
    "object": {"text": "text"},
    "null": None,
}
# Values that a key needs beside its type, and what must stand beside it.
TELLING: dict[str, Any] = {
    "router_settings.fallbacks": [{"one": ["two"]}],
    "litellm_settings.fallbacks": [{"one": ["two"]}],
    "router_settings.context_window_fallbacks": [{"one": ["two"]}],
    "litellm_settings.context_window_fallbacks": [{"one": ["two"]}],
    "router_settings.content_policy_fallbacks": [{"one": ["two"]}],
    "litellm_settings.content_policy_fallbacks": [{"one": ["two"]}],
    "router_settings.default_fallbacks": ["two"],
    "litellm_settings.default_fallbacks": ["two"],
    "router_settings.retry_policy": {"RateLimitErrorRetries": 2},
    "router_settings.model_group_retry_policy": {"one": {"RateLimitErrorRetries": 2}},
    "router_settings.model_group_alias": {"other": "one"},
    "router_settings.routing_strategy": "least-busy",
    "litellm_settings.callbacks": ["langfuse"],
    "litellm_settings.success_callback": ["langfuse"],
    "litellm_settings.failure_callback": ["langfuse"],
    "litellm_settings.drop_params": False,
    "general_settings.master_key": "os.environ/K",
    "router_settings.redis_password": "os.environ/K",
    "litellm_settings.cache_params.password": "os.environ/K",
    "litellm_settings.cache_params.supported_call_types": ["acompletion"],
    "litellm_settings.cache_params.redis_startup_nodes": [{"host": "r", "port": 6379}],
    "litellm_settings.cache_params.sentinel_nodes": [["r", 26379]],
    "litellm_settings.cache_params.sentinel_password": "os.environ/K",
    "litellm_settings.custom_prompt_dict": {"m": {"roles": {}}},
    "litellm_settings.datadog_params": {"turn_off_message_logging": True},
    "litellm_settings.newrelic_params": {"turn_off_message_logging": True},
    "litellm_settings.pointfive_params": {"api_url": "https://p.example.com"},
    "litellm_settings.zerobus_params": {"batch_size": 5},
    "litellm_settings.standard_logging_payload_excluded_fields": ["messages"],
}


def with_cache(**members: Any) -> dict[str, Any]:
    """Return a configuration with a cache in redis."""
    return {"litellm_settings": {"cache": True, "cache_params": {"type": "redis", **members}}}


SENTINEL = {"sentinel_nodes": [["other", 26379]], "service_name": "main"}
BESIDE: dict[str, dict[str, Any]] = {
    "litellm_settings.cache_params.redis_startup_nodes": with_cache(),
    "litellm_settings.cache_params.sentinel_nodes": with_cache(**SENTINEL),
    "litellm_settings.cache_params.service_name": with_cache(**SENTINEL),
    "litellm_settings.cache_params.type": {"litellm_settings": {"cache": True}},
    "router_settings.retry_after": {"router_settings": {"num_retries": 1}},
    "general_settings.health_check_interval": {"general_settings": {"background_health_checks": True}},
}


def nested(key: str, value: Any) -> dict[str, Any]:
    """Return a configuration in which `key` is `value`."""
    if key.startswith("model_list[]"):
        _, _, rest = key.partition("[]")
        return {"model_list": [merged(ENTRY, nested(rest.removeprefix("."), value))]} if rest else {"model_list": [value]}
    for name in reversed(key.split(".")):
        value = {name: value}
    whole: dict[str, Any] = value
    return whole


def merged(base: Any, more: Any) -> Any:
    if not isinstance(base, dict) or not isinstance(more, dict):
        return more
    return {**base, **{key: merged(base.get(key), value) for key, value in more.items()}}


def gateway(config: dict[str, Any]) -> Rendering:
    models = {"one": a_spec(modelName="m-1", observability={"logging": {"level": "info"}}), "two": a_spec(modelName="m-2")}
    return render_gateway(Settings(extra_config=json.dumps(config)), **models)


@pytest.mark.parametrize("value", WRONG, ids=json.dumps)
def test_whatever_stands_at_a_key_is_understood_or_refused(value: Any):
    elsewhere = []
    for key in KEYS:
        try:
            gateway(nested(key, value))
        except SpecError as problem:
            elsewhere += [key for finding in problem.findings if finding.file != "LANGOP_GATEWAY_EXTRA_CONFIG"]
    assert elsewhere == []


def values_of(key: str) -> list[Any]:
    """Return values for a key that its type allows, the most telling first."""
    if key in TELLING:
        return [TELLING[key]]
    row = table.by_key()[key]
    if row.values:
        return [json.loads(word) if word in ("true", "false") else word for word in row.values]
    if row.only:
        return list(row.only)
    node: Any = load_json("litellm-config.schema.json")
    for name in key.split("."):
        node = node.get("properties", {}).get(name, {})
    if "enum" in node:
        return list(node["enum"])
    kinds = node.get("type", ["boolean", "string"])
    return [SAMPLES[kind] for kind in ([kinds] if isinstance(kinds, str) else kinds)] or [{}]


def beside(key: str) -> dict[str, Any]:
    """Return what must stand beside a key so that it can have an effect."""
    if key in BESIDE:
        return BESIDE[key]
    if table.by_key()[key].needs:
        return {"litellm_settings": {"callbacks": ["langfuse"]}}
    return with_cache(host="r") if key.startswith("litellm_settings.cache_params.") else {}


@pytest.mark.parametrize("key", [key for key in OURS if key not in SECTIONS and key != "litellm_settings.cache_params"])
def test_a_key_that_is_accepted_has_an_effect(key: str):
    """Or it says what is done in any case, which is all that its row accepts."""
    row = table.by_key()[key]
    without = gateway(beside(key))
    found = []
    for value in values_of(key):
        try:
            found.append(gateway(merged(beside(key), nested(key, value))))
        except SpecError:
            continue
    assert found, f"no value of {values_of(key)} is accepted"
    always_so = bool(row.only) and not row.values and not row.fields
    assert always_so or any(each.config != without.config or each.variables != without.variables for each in found)
