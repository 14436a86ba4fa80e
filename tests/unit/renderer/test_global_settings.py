"""What LiteLLM has once for its whole process, and who is told that it is not theirs."""

from __future__ import annotations

from typing import Any

import pytest

from langop_model.renderer import global_settings, rendering
from langop_model.renderer.global_settings import GlobalSettings
from tests.unit.specs import SETTINGS, a_resource, a_spec


def decided(**fields: dict[str, Any]) -> tuple[GlobalSettings, list[tuple[str, str]]]:
    """Return what is decided for models with these fields, and who is told what: (resource, path)."""
    resources = [a_resource(a_spec(modelName=f"model-{name}", **fields[name]), name) for name in fields]
    models = rendering.check(resources, SETTINGS, gateway=True)
    process = global_settings.decide(models)
    told = [(f.resource, ".".join(map(str, f.path))) for model in models for f in model.findings.items if f.code == "LM314"]
    return process, told


def logging(level: str) -> dict[str, Any]:
    return {"observability": {"logging": {"level": level}}}


def cached(**caching: Any) -> dict[str, Any]:
    return {"caching": {"enabled": True, **caching}}


def test_where_no_model_asks_nothing_is_set():
    assert decided(a={}, b={})[0] == GlobalSettings(None, False, False, None, None)


def test_what_one_model_asks_for_is_done_and_nobody_is_told():
    process, told = decided(a=logging("warn"), b={})
    assert (process.log_level, told) == ("warn", [])


@pytest.mark.parametrize(
    ("one", "other", "chosen"), [("error", "warn", "warn"), ("info", "debug", "debug"), ("info", "error", "info")]
)
def test_the_most_talkative_log_level_holds(one: str, other: str, chosen: str):
    process, told = decided(a=logging(one), b=logging(other))
    loser = "a" if chosen == other else "b"
    assert process.log_level == chosen
    assert told == [(loser, "spec.observability.logging.level")]


def test_the_same_duration_in_other_words_is_no_difference():
    assert decided(a=cached(ttl="60s"), b=cached(ttl="1m"))[1] == []


def test_a_default_counts_as_asked_for():
    process, told = decided(a={"observability": {"logging": {}}}, b=logging("debug"))
    assert (process.log_level, told) == ("debug", [("a", "spec.observability.logging.level")])


def test_litellms_cache_has_the_longest_ttl():
    """No finding says so: each model has its own."""
    process, told = decided(a=cached(ttl="1m", maxSize=5), b=cached(ttl="1h"), c=cached())
    assert (process.cache_ttl, told) == (3600, [])


def test_litellms_cache_is_redis_where_another_model_asks_for_memory():
    process, told = decided(a=cached(), b=cached(backend="redis"))
    assert (process.cache_type, told) == ("redis", [])


def test_litellm_has_no_memcached():
    assert decided(a=cached(backend="memcached"))[0].cache_type is None
    assert decided(a=cached(backend="memcached"), b=cached())[0].cache_type == "local"


def test_a_cache_that_is_not_enabled_asks_for_nothing():
    process, told = decided(a={"caching": {"enabled": False, "backend": "redis", "ttl": "1h"}}, b=cached(ttl="1m"))
    assert (process.cache_type, process.cache_ttl, told) == ("local", 60, [])


def test_the_finding_names_the_value_and_whose_it_is():
    resources = [
        a_resource(a_spec(modelName=name, **logging(level)), f"the-{name}") for name, level in (("a", "info"), ("b", "debug"))
    ]
    (finding,) = [f for f in rendering.render(resources, SETTINGS, gateway=True).findings if f.code == "LM314"]
    assert "observability.logging.level" in finding.message
    assert "debug is used, from the-b" in finding.message


@pytest.mark.parametrize(
    ("names", "gateway_name", "service"),
    [(["a"], "", "a"), (["a", "b"], "", "langop-gateway"), (["a", "b"], "the-gateway", "the-gateway")],
)
def test_the_service_of_traces_is_the_gateway(names: list[str], gateway_name: str, service: str):
    settings = SETTINGS.replace(trace_endpoint=True, model_name=gateway_name)
    resources = [a_resource(a_spec(modelName=f"m-{name}", observability={"tracing": True}), name) for name in names]
    config = rendering.render(resources, settings, gateway=len(names) > 1).config
    assert config["environment_variables"]["OTEL_SERVICE_NAME"] == service
