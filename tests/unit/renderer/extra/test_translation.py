"""Keys of LiteLLM that become fields of the LanguageModels that do not state them, and sections of the contract."""

from __future__ import annotations

from typing import Any

import pytest

from langop_model.renderer.settings import Settings
from tests.unit.renderer.extra.renderings import about_extra, gateway, refusal, refusals, rendered, section
from tests.unit.specs import a_spec, balanced, parameters, render

RETRIES = {"maxAttempts": 7}
TWO = [{"url": "https://east.example.com/v1"}, {"url": "https://west.example.com/v1"}]


@pytest.mark.parametrize(
    ("extra", "fields"),
    [
        ("litellm_settings: {num_retries: 4}", {"retryPolicy": {"maxAttempts": 4}}),
        ("router_settings: {num_retries: 4}", {"retryPolicy": {"maxAttempts": 4}}),
        ("litellm_settings: {request_timeout: 2.5}", {"timeout": "2.5s"}),
        ("router_settings: {timeout: 600}", {"timeout": "600s"}),
        ("router_settings: {stream_timeout: 20}", {"params": {"stream_timeout": 20}}),
        ("router_settings: {num_retries: 1, retry_after: 3}", {"retryPolicy": {"maxAttempts": 1, "initialBackoff": "3s"}}),
        ("router_settings: {default_max_parallel_requests: 9}", {"rateLimits": {"concurrentRequests": 9}}),
        ("router_settings: {routing_strategy: least-busy}", {"loadBalancing": {"strategy": "least-connections"}}),
        ("router_settings: {routing_strategy: simple-shuffle}", {"loadBalancing": {"strategy": "weighted"}}),
        ("router_settings: {routing_strategy: latency-based-routing}", {"loadBalancing": {"strategy": "latency-based"}}),
        ("litellm_settings: {cache: true}", {"caching": {"enabled": True}}),
        ("router_settings: {cache_responses: true}", {"caching": {"enabled": True}}),
        ("litellm_settings: {cache: true, cache_params: {type: local, ttl: 60}}", {"caching": {"enabled": True, "ttl": "60s"}}),
        ("litellm_settings: {callbacks: [prometheus]}", {"observability": {"metrics": True}}),
        ("litellm_settings: {success_callback: [otel]}", {"observability": {"tracing": True}}),
        ("litellm_settings: {set_verbose: true}", {"observability": {"logging": {"level": "debug"}}}),
        ("general_settings: {background_health_checks: true}", {"loadBalancing": {"healthCheck": {"enabled": True}}}),
        (
            "general_settings: {background_health_checks: true, health_check_interval: 60}",
            {"loadBalancing": {"healthCheck": {"enabled": True, "interval": "60s"}}},
        ),
        (
            "router_settings: {retry_policy: {RateLimitErrorRetries: 2, TimeoutErrorRetries: 2, BadRequestErrorRetries: 0}}",
            {"retryPolicy": {"maxAttempts": 2, "retryableStatusCodes": [408, 429, 504]}},
        ),
        (
            "router_settings: {num_retries: 2, retry_policy: {InternalServerErrorRetries: 0}}",
            {"retryPolicy": {"maxAttempts": 2, "retryableStatusCodes": [408, 409, 429, 501, 502, 503, 504, 520, 529]}},
        ),
        ("router_settings: {model_group_retry_policy: {llama: {RateLimitErrorRetries: 5}}}",
         {"retryPolicy": {"maxAttempts": 5, "retryableStatusCodes": [429]}}),
    ],
)  # fmt: skip
def test_a_key_does_what_the_field_does(extra: str, fields: dict[str, Any]):
    assert rendered(extra).config == render(a_spec(**fields)).config
    assert rendered(extra).config != rendered("").config


@pytest.mark.parametrize(
    ("extra", "path", "fields"),
    [
        ("litellm_settings: {num_retries: 4}", "litellm_settings.num_retries", {"retryPolicy": RETRIES}),
        ("litellm_settings: {request_timeout: 4}", "litellm_settings.request_timeout", {"timeout": "9s"}),
        ("litellm_settings: {cache: true}", "litellm_settings.cache", {"caching": {"enabled": False}}),
        ("litellm_settings: {callbacks: [prometheus]}", "litellm_settings.callbacks", {"observability": {"metrics": False}}),
    ],
)
def test_a_model_that_says_otherwise_comes_first_and_the_key_is_named(extra: str, path: str, fields: dict[str, Any]):
    assert rendered(extra, **fields).config == render(a_spec(**fields)).config
    assert about_extra(rendered(extra, **fields)) == [("LM752", path)]


def test_a_default_holds_for_the_models_that_do_not_say_otherwise():
    result = gateway(
        "litellm_settings: {num_retries: 4}", a=a_spec(modelName="a", retryPolicy=RETRIES), b=a_spec(modelName="b")
    )
    assert [section(result, name)["retries"]["attempts"] for name in ("a", "b")] == [7, 4]
    assert about_extra(result) == []


@pytest.mark.parametrize(("timeout", "expected"), [("5m", 30), ("6m", 360)])
def test_a_timeout_that_the_api_server_filled_in_counts_as_not_stated(timeout: str, expected: int):
    result = render(a_spec(timeout=timeout), Settings(extra_config="litellm_settings: {request_timeout: 30}"), bare=True)
    assert parameters(result)["timeout"] == expected


def test_what_go_left_out_of_a_bare_object_is_stated():
    """An absent maxAttempts in a bare retryPolicy is 0, and an absent metrics is false."""
    settings = Settings(extra_config="litellm_settings: {num_retries: 4, callbacks: [prometheus]}")
    result = render(a_spec(retryPolicy={"initialBackoff": "2s"}, observability={"tracing": False}), settings, bare=True)
    assert "retries" not in section(result)
    assert "callbacks" not in result.config["litellm_settings"]


def test_of_two_keys_that_mean_the_same_the_first_counts():
    """The first one is LiteLLM's; the other is named."""
    result = rendered("router_settings: {num_retries: 3}\nlitellm_settings: {num_retries: 1}")
    assert section(result)["retries"]["attempts"] == 3
    assert about_extra(result) == [("LM753", "litellm_settings.num_retries")]


def test_a_value_that_the_field_does_not_accept_is_refused_at_the_key():
    (finding,) = refusal("litellm_settings: {num_retries: 50}")
    assert (finding.code, finding.path) == ("LM731", ("litellm_settings", "num_retries"))
    assert "at most 10" in finding.message


@pytest.mark.parametrize(
    "policy", ["{RateLimitErrorRetries: 2, TimeoutErrorRetries: 3}", "{ContentPolicyViolationErrorRetries: 1}"]
)
def test_retries_that_no_field_can_say_are_refused(policy: str):
    ((code, _),) = refusals(f"router_settings: {{retry_policy: {policy}}}")
    assert code == "LM751"


def test_a_policy_for_a_model_comes_before_the_one_for_all():
    policies = "retry_policy: {RateLimitErrorRetries: 2}, model_group_retry_policy: {llama: {RateLimitErrorRetries: 5}}"
    assert section(rendered(f"router_settings: {{{policies}}}"))["retries"]["attempts"] == 5


def test_cooldowns_stand_in_the_contract_of_every_model():
    result = gateway("router_settings: {allowed_fails: 2, cooldown_time: 45}", a=a_spec(modelName="a"), b=a_spec(modelName="b"))
    assert [section(result, name)["cooldown"] for name in ("a", "b")] == [{"seconds": 45, "allowed_fails": 2}] * 2
    assert section(rendered("router_settings: {disable_cooldowns: true}"))["cooldown"] == {"enabled": False}


@pytest.mark.parametrize(
    "extra",
    [
        "router_settings: {redis_host: r, redis_port: 6380, redis_password: os.environ/P}",
        "litellm_settings: {cache: true, cache_params: {type: redis, host: r, port: '6380', password: os.environ/P}}",
    ],
)
def test_one_redis_serves_the_cache_and_the_limits(extra: str):
    result = rendered(extra, rateLimits={"requestsPerMinute": 5})
    expected = {"host": "r", "port": 6380, "password": "os.environ/P"}
    assert result.config["callback_settings"]["langop"]["redis"] == expected
    assert "LM345" not in [finding.code for finding in result.findings]


CACHE = "litellm_settings: {{cache: true, cache_params: {{type: redis, {}}}}}"


def test_a_cluster_serves_the_cache_and_the_limits():
    result = rendered(CACHE.format("redis_startup_nodes: [{host: a, port: 7001}, {host: b, port: 7002}]"))
    nodes = [{"host": "a", "port": 7001}, {"host": "b", "port": 7002}]
    assert result.config["callback_settings"]["langop"]["redis"] == {"cluster_nodes": nodes}
    assert result.config["litellm_settings"]["cache_params"]["redis_startup_nodes"] == nodes


def test_a_sentinel_serves_the_cache_and_the_limits():
    sentinel = "sentinel_nodes: [[a, 26379]], service_name: main, sentinel_password: os.environ/P"
    expected = {"sentinel_nodes": [["a", 26379]], "service_name": "main", "sentinel_password": "os.environ/P"}
    assert rendered(CACHE.format(sentinel)).config["callback_settings"]["langop"]["redis"] == expected


@pytest.mark.parametrize("half", ["sentinel_nodes: [[a, 26379]]", "service_name: main"])
def test_half_a_sentinel_is_refused(half: str):
    assert [code for code, _ in refusals(CACHE.format(half))] == ["LM751"]


@pytest.mark.parametrize("other", ["host: a", "url: 'redis://a'", "sentinel_nodes: [[a, 26379]], service_name: main"])
def test_a_cluster_beside_another_redis_is_refused(other: str):
    extra = CACHE.format(f"{other}, redis_startup_nodes: [{{host: b, port: 7001}}]")
    assert [code for code, _ in refusals(extra)] == ["LM751"]


def test_the_cache_in_redis_is_litellms_too():
    cache = rendered("litellm_settings: {cache: true, cache_params: {type: redis, host: r, namespace: n}}").config
    assert cache["litellm_settings"]["cache_params"] == {"type": "redis", "host": "r", "max_messages": None, "namespace": "n"}


def test_two_redis_are_refused():
    extra = "router_settings: {redis_host: a}\nlitellm_settings: {cache: true, cache_params: {type: redis, host: b}}"
    assert refusals(extra) == [("LM751", ("litellm_settings", "cache_params", "host"))]


def test_an_address_of_redis_for_a_cache_in_memory_is_refused():
    extra = "litellm_settings: {cache: true, cache_params: {type: local, host: b}}"
    assert refusals(extra) == [("LM751", ("litellm_settings", "cache_params", "host"))]


def test_a_cache_without_a_type_is_redis_where_one_is_known():
    extra = "litellm_settings: {cache: true}"
    with_redis = render(a_spec(), Settings(redis=True, extra_config=extra)).config["litellm_settings"]["cache_params"]["type"]
    assert (with_redis, rendered(extra).config["litellm_settings"]["cache_params"]["type"]) == ("redis", "local")


def test_settings_of_a_cache_that_nobody_asks_for_are_named():
    result = rendered("litellm_settings: {cache_params: {type: local, ttl: 5, namespace: n}}")
    named = {path for code, path in about_extra(result) if code == "LM752"}
    assert named == {f"litellm_settings.cache_params.{key}" for key in ("type", "ttl", "namespace")}
    assert result.config == rendered("").config


def test_settings_of_a_callback_without_one_are_refused():
    assert refusals("litellm_settings: {langfuse_default_tags: [a]}") == [
        ("LM751", ("litellm_settings", "langfuse_default_tags"))
    ]


def test_messages_are_not_logged_where_a_model_leaves_it_open():
    extra = "litellm_settings: {turn_off_message_logging: true}"
    result = rendered(extra, observability={"logging": {"level": "info"}})
    assert section(result)["log"] == {"requests": False, "responses": False}
    assert result.config["litellm_settings"]["turn_off_message_logging"] is True


def test_a_key_for_clients_may_come_from_any_variable_of_the_pod():
    result = rendered("general_settings: {master_key: os.environ/PROXY_KEY}")
    assert "dangerously_permit_weak_or_unset_master_key" not in result.config["general_settings"]
    assert result.variables == {"LITELLM_MASTER_KEY": "PROXY_KEY"}


def test_a_variable_that_is_a_reference_gets_its_value_at_the_start():
    result = rendered("environment_variables: {LANGFUSE_SECRET_KEY: os.environ/LF, LANGFUSE_HOST: h}")
    assert result.variables == {"LANGFUSE_SECRET_KEY": "LF"}
    assert result.config["environment_variables"]["LANGFUSE_HOST"] == "h"
    assert "LANGFUSE_SECRET_KEY" not in result.config["environment_variables"]


# Names of models.

FAST, SLOW, BIG = (a_spec(modelName=name) for name in ("fast-1", "slow-1", "big-1"))


SEVERAL = """
router_settings:
  default_fallbacks: [slow-1, big-1]
  fallbacks: [{fast-1: [big-1]}]
  context_window_fallbacks: [{fast-1: [big-1]}]
"""


def chain(result: Any, group: str) -> list[tuple[str, str]]:
    return [(entry["group"], entry["causes"][0]) for entry in section(result, group).get("fallbacks", [])]


@pytest.mark.parametrize(
    ("extra", "expected"),
    [
        ("litellm_settings: {fallbacks: [{fast-1: [slow-1, big-1]}]}", [("slow-1", "error"), ("big-1", "error")]),
        ("router_settings: {fallbacks: [{fast: [slow]}]}", [("slow-1", "error")]),
        ("router_settings: {context_window_fallbacks: [{fast-1: [big-1]}]}", [("big-1", "context_window")]),
        ("litellm_settings: {content_policy_fallbacks: [{fast-1: [big-1]}]}", [("big-1", "content_policy")]),
        ("router_settings: {default_fallbacks: [fast-1, big-1]}", [("big-1", "error")]),
        ("router_settings: {fallbacks: [{'*': [fast-1, big-1]}]}", [("big-1", "error")]),
        (
            SEVERAL,
            [("big-1", "context_window"), ("big-1", "error"), ("slow-1", "error")],
        ),
    ],
)
def test_fallbacks_by_cause(extra: str, expected: list[tuple[str, str]]):
    assert chain(gateway(extra, fast=FAST, slow=SLOW, big=BIG), "fast-1") == expected


def test_a_model_with_fallbacks_of_its_own_keeps_to_these():
    result = gateway(
        "router_settings: {fallbacks: [{fast-1: [big-1]}]}",
        fast={**FAST, "fallbacks": [{"modelRef": "slow"}]},
        slow=SLOW,
        big=BIG,
    )
    assert chain(result, "fast-1") == [("slow-1", "error")]
    assert about_extra(result) == [("LM752", "router_settings.fallbacks.0.fast-1")]


def test_a_name_that_no_model_has_is_reported_with_its_neighbour():
    result = gateway("router_settings: {fallbacks: [{fast-1: [slow-2, big-1]}]}", fast=FAST, slow=SLOW, big=BIG)
    assert chain(result, "fast-1") == [("big-1", "error")]
    (finding,) = [finding for finding in result.findings if finding.code == "LM756"]
    assert "slow-2" in finding.message
    assert "Did you mean slow-1?" in finding.message


def test_resources_of_one_name_are_both_asked():
    result = gateway("router_settings: {fallbacks: [{fast-1: [slow-1]}]}", fast=FAST, slow=SLOW, slower=SLOW)
    assert chain(result, "fast-1") == [("slow-1@slow", "error"), ("slow-1@slower", "error")]


def test_an_alias():
    result = gateway(
        "router_settings: {model_group_alias: {quick: fast-1, cheap: {model: slow, hidden: false}}}", fast=FAST, slow=SLOW
    )
    expected = {"fast": "fast-1", "slow": "slow-1", "quick": "fast-1", "cheap": "slow-1"}
    assert result.config["router_settings"]["model_group_alias"] == expected


def test_an_alias_of_a_name_that_resources_share_is_shared_too():
    result = gateway("router_settings: {model_group_alias: {quick: fast-1}}", a=FAST, b=FAST)
    shared = result.config["callback_settings"]["langop"]["shared"]
    assert shared["quick"] == shared["fast-1"] == ["fast-1@a", "fast-1@b"]


@pytest.mark.parametrize(("aliases", "code"), [("{slow-1: fast-1}", "LM757"), ("{quick: nobody}", "LM756")])
def test_an_alias_that_can_not_be_is_reported_and_left_out(aliases: str, code: str):
    result = gateway(f"router_settings: {{model_group_alias: {aliases}}}", fast=FAST, slow=SLOW)
    assert [found for found, _ in about_extra(result)] == [code]
    assert result.config == gateway("", fast=FAST, slow=SLOW).config


def test_an_alias_can_not_be_hidden():
    extra = "router_settings: {model_group_alias: {cheap: {model: llama, hidden: true}}}"
    assert refusals(extra) == [("LM751", ("router_settings", "model_group_alias", "cheap"))]


def test_the_strategy_is_also_that_among_resources_of_one_name():
    result = gateway("router_settings: {routing_strategy: least-busy}", a=FAST, b=FAST)
    assert result.config["callback_settings"]["langop"]["shared_strategy"] == "least-connections"
    assert "shared_strategy" not in gateway("", a=FAST, b=FAST).config["callback_settings"]["langop"]


def test_a_strategy_fills_a_spec_with_endpoints():
    extra = "router_settings: {routing_strategy: least-busy}"
    endpoints = {**balanced(*TWO), "loadBalancing": {"endpoints": TWO}}
    assert section(render(endpoints, Settings(extra_config=extra)))["strategy"] == "least-connections"
    assert section(render(balanced(*TWO, strategy="random"), Settings(extra_config=extra)))["strategy"] == "random"


def test_a_gateway_without_models_has_nothing_to_say():
    assert about_extra(gateway("litellm_settings: {num_retries: 2, fallbacks: [{a: [b]}]}")) == []
