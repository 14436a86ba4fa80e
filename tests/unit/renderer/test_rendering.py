"""From resources to a configuration: what a specification says stays at its place, and every field has its effect."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import cache
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from langop_model.renderer import catalogue, rendering
from langop_model.renderer.catalogue import Provider
from langop_model.renderer.findings import SpecError
from langop_model.renderer.settings import Settings
from langop_model.resources import litellm_version
from tests.unit.renderer.tricky_values import TRICKY
from tests.unit.specs import (
    EAST,
    SETTINGS,
    WEST,
    a_resource,
    a_spec,
    balanced,
    codes,
    parameters,
    refusal,
    render,
    render_gateway,
)

Spec = dict[str, Any]


# Hostile texts. A spec is rendered twice, with a harmless word and with a hostile text in its place: put into the parsed
# configuration of the first for the word, the hostile text must give the parsed configuration of the second. So it stands
# exactly where it belongs, and nothing else is another value, gone, or new.

WORD = "qzqzq"
HOSTILE = [
    *TRICKY,
    "x\nmodel_list: []", "x\n      api_base: http://evil.example.com", 'x"\n  - model_name: y', "x  # comment", "x'", "}}",
    "{{ models }}", "{% for a in b %}", "{# x #}", "{{ 7*7 }}", "${HOME}", "$(id)", "x: {y: z}", "]", ", y", "*x", "!!int 5",
    "y: &a b", "x" * 900, "%s{0}", "\\N",
]  # fmt: skip
OWN_WORDS = {"model", "value", "user", "extra_headers", "x-team", "END", "east", "west", "north", "south", "other"}
hostile_texts = (st.text() | st.sampled_from(HOSTILE) | st.lists(st.sampled_from(HOSTILE), max_size=3).map("".join)).filter(
    lambda text: text and text not in OWN_WORDS
)


def full(**fields: Any) -> Spec:
    """Return a spec in which everything that is made of a free text is rendered."""
    spec = balanced(
        {**EAST, "region": "east"},
        WEST,
        fallbacks=[{"modelRef": "other"}],
        regions=[{"name": "south", "endpoint": "https://s.example.com"}],
    )
    return spec | {"configuration": {"stopSequences": ["END"], "additionalParameters": {"user": "u"}}} | fields


def with_parameter(name: str, value: str) -> Spec:
    return full(configuration={"additionalParameters": {name: value}})


WESTERN = {**WEST, "region": "west"}
NORTH = {"name": "north", "endpoint": "https://n.example.com"}
PLACES: dict[str, Callable[[str], Spec]] = {
    "modelName": lambda text: full(modelName=text),
    "region of an endpoint": lambda text: full(loadBalancing={"endpoints": [{**EAST, "region": text}, WESTERN]}),
    "region": lambda text: full(regions=[{"name": text, "endpoint": "https://s.example.com"}, NORTH]),
    "stop sequence": lambda text: full(configuration={"stopSequences": ["END", text]}),
    "value of a parameter": lambda text: with_parameter("user", text),
    "name of a parameter": lambda text: with_parameter(text, "value"),
    "endpoint": lambda text: a_spec(endpoint=f"https://llm.example.com/{text}/v1"),
    "endpoint of a list": lambda text: full(loadBalancing={"endpoints": [{"url": f"https://llm.example.com/{text}/v1"}, WEST]}),
    "endpoint of a region": lambda text: full(regions=[{"name": "south", "endpoint": f"https://llm.example.com/{text}/v1"}]),
    "host of the endpoint": lambda text: a_spec(endpoint=f"https://{text}.example.com/v1"),
    "header in a parameter": lambda text: with_parameter("extra_headers", json.dumps({"x-team": text})),
    "name of a header in a parameter": lambda text: with_parameter("extra_headers", json.dumps({text: "x"})),
    "currency": lambda text: full(costTracking={"enabled": True, "currency": text}),
    "egress": lambda text: full(egress=[{"description": text, "to": {"dns": [text]}}]),
    "name of a Secret": lambda text: full(apiKeySecretRef={"name": text}),
    "key of a Secret": lambda text: full(apiKeySecretRef={"name": "a", "key": text}),
    "namespace of a Secret": lambda text: full(apiKeySecretRef={"name": "a", "namespace": text}),
    "fallback": lambda text: full(fallbacks=[{"modelRef": text}]),
}  # fmt: skip


def replaced(value: Any, old: str, new: str) -> Any:
    """Return `value` with `new` for `old` in all its texts, also in keys."""
    if isinstance(value, dict):
        return {replaced(key, old, new): replaced(item, old, new) for key, item in value.items()}
    if isinstance(value, list):
        return [replaced(item, old, new) for item in value]
    return value.replace(old, new) if isinstance(value, str) else value


@cache
def harmless(place: str) -> dict[str, Any]:
    return render(PLACES[place](WORD)).config


def check_place(place: str, text: str) -> None:
    try:
        actual = render(PLACES[place](text)).config
    except SpecError as problem:
        errors = [finding for finding in problem.findings if finding.level == "error"]
        assert {finding.code for finding in errors} <= {"LM101", "LM106", "LM108", "LM206", "LM207", "LM208", "LM211", "LM212"}
    else:
        assert actual == replaced(harmless(place), WORD, text)


@pytest.mark.parametrize("place", [place for place in PLACES if place not in {"name of a Secret", "key of a Secret"}])
@given(text=hostile_texts)
@settings(max_examples=60)
def test_a_hostile_text_stays_at_its_place_or_is_refused(place: str, text: str):
    check_place(place, text)


@pytest.mark.parametrize("place", [place for place in PLACES if place not in {"name of a Secret", "key of a Secret"}])
@pytest.mark.parametrize("text", ["{{ 7*7 }}", 'x"\n  - model_name: y', "yes", "# x", "1e5"])
def test_what_looks_like_a_template_or_yaml_is_text(place: str, text: str):
    check_place(place, text)


@pytest.mark.parametrize("place", ["name of a Secret", "key of a Secret", "fallback"])
@pytest.mark.parametrize("text", ["../../etc/passwd", "a/b", "a b", "..", "a\nb", "a\n", "ä", "{{ 7*7 }}", ""])
def test_a_reference_that_kubernetes_does_not_know_is_refused(place: str, text: str):
    assert codes(refusal(PLACES[place](text))) == ["LM106"]


@pytest.mark.parametrize("place", ["modelName", "stop sequence", "value of a parameter", "name of a parameter"])
def test_a_hostile_text_is_accepted_where_any_text_is(place: str):
    """Else the tests above would say nothing: refusing everything would pass them."""
    assert "{{ 7+7 }}" in str(render(PLACES[place]("{{ 7+7 }}")).config)


def test_a_very_long_model_name_is_rendered_or_refused():
    """A key of YAML has at most 1,024 characters."""
    spec = a_spec(modelName="m" * 2_000, fallbacks=[{"modelRef": "other"}])
    try:
        assert render(spec).config["router_settings"]["fallbacks"] == [{"m" * 2_000: ["fallback/other"]}]
    except SpecError as problem:
        assert [finding.path for finding in problem.findings] == [("spec", "modelName")]  # noqa: PT017


@given(st.dictionaries(st.text(min_size=1, max_size=12), st.text(max_size=12), max_size=3))
def test_labels_and_annotations_change_nothing(labels: dict[str, str]):
    resource = a_resource(a_spec())
    resource.manifest["metadata"] |= {"labels": labels, "annotations": labels}
    assert rendering.render([resource], SETTINGS).text == render(a_spec()).text


# Keys stand once.


class OnceLoader(yaml.SafeLoader):
    """A loader that refuses a key that appears twice; PyYAML takes the last one without a word."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        keys = [key.value for key, _ in node.value]
        assert sorted(keys) == sorted(set(keys)), f"{node.start_mark}: a key appears twice"
        return super().construct_mapping(node, deep)


RETRIED = {"retryPolicy": {"maxAttempts": 2}}


@pytest.mark.parametrize(
    "specs",
    [
        {"model": full()},
        {"a": full(fallbacks=[]), "b": a_spec(modelName="b-model", **RETRIED)},
        {"a": a_spec(modelName="a", **RETRIED), "b": a_spec()},
    ],
    ids=["alone", "two", "own name"],
)
def test_no_key_stands_twice_in_a_configuration(specs: dict[str, Spec]):
    result = render_gateway(**specs) if len(specs) > 1 else render(specs["model"])
    assert yaml.load(result.text, Loader=OnceLoader)


# What the text looks like.


def test_the_same_input_gives_the_same_bytes():
    assert render(full()).text == render(full()).text


def test_the_text_reads_back_as_the_configuration():
    result = render(full())
    assert yaml.safe_load(result.text) == result.config


def test_the_configuration_names_its_resource_and_the_pinned_litellm():
    first = render(full(), name="my-model").text.splitlines()[0]
    assert first.startswith(f"# LiteLLM {litellm_version()}, ")
    assert first.endswith(" LanguageModel my-model.")


def test_no_line_ends_in_a_blank_and_no_two_lines_in_a_row_are_empty():
    for result in (render(full()), render(a_spec()), render_gateway(a=full(fallbacks=[]), b=a_spec(modelName="b"))):
        lines = result.text.split("\n")
        assert not [line for line in lines if line != line.rstrip()]
        assert "\n\n\n" not in result.text
        assert result.text.endswith("\n")


# The key.


def test_the_configuration_refers_to_the_key_and_names_its_file():
    result = render(a_spec(apiKeySecretRef={"name": "keys", "key": "one"}))
    assert parameters(result)["api_key"] == "os.environ/LANGOP_KEY_KEYS__ONE"
    assert "# /etc/secrets/keys/one" in result.text
    assert result.config["callback_settings"]["langop"]["models"]["llama"]["keys"] == {
        "api_key": {"variable": "LANGOP_KEY_KEYS__ONE", "file": "/etc/secrets/keys/one"}
    }


def test_vertex_gets_the_path_of_its_key_and_no_key():
    result = render(
        a_spec(provider="vertex", endpoint=None, apiKeySecretRef={"name": "keys"}), Settings(secrets_folder="/run/keys")
    )
    assert parameters(result)["vertex_credentials"] == "/run/keys/keys/api-key"
    assert "api_key" not in parameters(result)


NEEDING_A_KEY = [provider for provider in catalogue.usable() if provider.needs_key and not provider.requires]


@pytest.mark.parametrize("provider", [provider for provider in NEEDING_A_KEY if provider.address], ids=lambda each: each.name)
def test_a_provider_that_needs_a_key_is_refused_without_one(provider: Provider):
    assert "LM205" in codes(refusal(a_spec(provider=provider.name, endpoint=None)))


@pytest.mark.parametrize("provider", ["openai", "anthropic", "azure"])
def test_an_endpoint_of_ones_own_may_ask_for_no_key(provider: str):
    result = render(a_spec(provider=provider, endpoint="https://proxy.example.com"))
    assert parameters(result)["api_key"] == "not-needed"
    assert "LM319" in codes(result.findings)


# What langop_model.gateway is told.


def told(spec: Spec, **others: Spec) -> Any:
    """Return what the configuration of `spec` says about its model to the gateway package."""
    config = (render_gateway(model=spec, **others) if others else render(spec)).config
    return config["callback_settings"]["langop"]["models"][spec["modelName"]]


@settings(deadline=None, max_examples=20)
@given(st.lists(st.integers(1, 100), min_size=2, max_size=5), st.integers(1, 10_000))
def test_the_shares_of_all_endpoints_add_up_to_the_limit(weights: list[int], requests: int):
    endpoints = [{"url": f"https://{index}.example.com", "weight": weight} for index, weight in enumerate(weights)]
    section = told(balanced(*endpoints, rateLimits={"requestsPerMinute": requests}))
    assert sum(endpoint["requests_per_minute"] for endpoint in section["endpoints"]) == requests
    assert section["limits"]["requests_per_minute"] == requests


def test_a_limit_below_the_number_of_endpoints_is_reported():
    """Some endpoints get nothing of it."""
    result = render(balanced(EAST, WEST, rateLimits={"requestsPerMinute": 1}))
    assert "LM304" in codes(result.findings)


def test_a_limit_is_never_litellms_own_which_would_cap_concurrency():
    entry = render(a_spec(rateLimits={"requestsPerMinute": 5, "tokensPerMinute": 6, "concurrentRequests": 7})).config[
        "model_list"
    ][0]
    assert not {"rpm", "tpm", "max_parallel_requests"} & set(entry["litellm_params"])


def test_a_request_waits_for_room_as_long_as_an_attempt_may_take():
    limits = {"requestsPerMinute": 5, "tokensPerMinute": 6, "concurrentRequests": 7}
    assert told(a_spec(rateLimits=limits, timeout="90s"))["limits"] == {
        "requests_per_minute": 5, "tokens_per_minute": 6, "concurrent_requests": 7, "wait": 90,
    }  # fmt: skip


def test_without_limits_there_are_none():
    assert "limits" not in told(a_spec())


def test_a_retry_policy_is_kept_to_the_letter():
    policy = {
        "maxAttempts": 4, "initialBackoff": "250ms", "maxBackoff": "1m", "backoffMultiplier": 1.5,
        "retryableStatusCodes": [418, 503],
    }  # fmt: skip
    assert told(a_spec(retryPolicy=policy))["retries"] == {
        "attempts": 4, "initial_backoff": 0.25, "max_backoff": 60, "multiplier": 1.5, "status_codes": [418, 503],
    }  # fmt: skip


def test_without_a_list_the_usual_errors_are_retried():
    assert told(a_spec(retryPolicy={}))["retries"]["status_codes"] == [408, 409, 429, 500, 501, 502, 503, 504, 520, 529]


def test_without_a_policy_nothing_is_retried():
    assert "retries" not in told(a_spec())
    assert render(a_spec()).config["router_settings"]["num_retries"] == 0


def test_fields_of_a_policy_without_attempts_are_named():
    found = render(a_spec(retryPolicy={"maxAttempts": 0, "backoffMultiplier": 3})).findings
    assert [(finding.code, finding.path[-1]) for finding in found] == [("LM411", "backoffMultiplier")]


@pytest.mark.parametrize("strategy", ["weighted", "random", "round-robin", "least-connections", "latency-based"])
def test_a_strategy_has_priorities_and_weights(strategy: str):
    section = told(balanced({**EAST, "weight": 3, "priority": 1}, {**WEST, "weight": 1}, strategy=strategy))
    assert section["strategy"] == strategy
    assert [endpoint["priority"] for endpoint in section["endpoints"]] == [1, 0]
    assert [endpoint.get("weight") for endpoint in section["endpoints"]] == ([3, 1] if strategy == "weighted" else [None, None])


@pytest.mark.parametrize("strategy", ["random", "round-robin", "least-connections", "latency-based"])
def test_weights_that_have_no_effect_are_named(strategy: str):
    found = render(balanced({**EAST, "weight": 3}, {**WEST, "weight": 1}, strategy=strategy)).findings
    assert [(finding.code, finding.path[-2:]) for finding in found] == [("LM404", (0, "weight")), ("LM404", (1, "weight"))]


def test_weights_that_share_a_limit_have_an_effect():
    found = render(balanced({**EAST, "weight": 3}, {**WEST, "weight": 1}, rateLimits={"requestsPerMinute": 10})).findings
    assert "LM404" not in codes(found)


def test_the_weight_of_the_only_endpoint_is_named():
    result = render(balanced({**EAST, "weight": 70}))
    assert [finding.path for finding in result.findings if finding.fidelity == "unsupported"] == [
        ("spec", "loadBalancing", "endpoints", 0, "weight")
    ]


CHECK = {"interval": "1500ms", "timeout": "3s", "healthyThreshold": 4, "unhealthyThreshold": 5}


def test_a_health_check_is_kept_to_the_letter():
    spec = balanced(EAST, WEST)
    spec["loadBalancing"]["healthCheck"] = CHECK
    assert told(spec)["health_check"] == {"interval": 1.5, "timeout": 3, "healthy_threshold": 4, "unhealthy_threshold": 5}


@pytest.mark.parametrize(
    ("provider", "url"), [("openai", "https://east.example.com/v1/models"), ("anthropic", "https://east.example.com/v1/models")]
)
def test_a_check_that_costs_nothing_is_used_where_the_provider_has_one(provider: str, url: str):
    spec = balanced({"url": "https://east.example.com"}, WEST, provider=provider)
    spec["loadBalancing"]["healthCheck"] = CHECK
    result = render(spec)
    assert result.config["model_list"][0]["model_info"]["health_check"]["url"] == url
    assert "LM309" not in codes(result.findings)


def test_what_a_check_costs_is_said_where_it_costs():
    spec = {
        "provider": "bedrock",
        "modelName": "m",
        "regions": [{"name": "a"}, {"name": "b"}],
        "loadBalancing": {"healthCheck": {}},
    }
    assert "LM309" in codes(render(spec).findings)


def test_no_check_is_made_where_none_is_asked_for():
    config = render(balanced(EAST, WEST)).config
    assert "health_check" not in config["callback_settings"]["langop"]["models"]["llama"]
    assert all(entry["model_info"]["disable_background_health_check"] for entry in config["model_list"])


def test_fallbacks_are_passed_on_in_order_with_their_causes():
    fallbacks = [{"modelRef": "b"}, {"modelRef": "c", "conditions": ["timeout", "rate_limit"]}]
    assert told(a_spec(fallbacks=fallbacks))["fallbacks"] == [
        {"group": "fallback/b", "causes": ["error"]},
        {"group": "fallback/c", "causes": ["timeout", "rate_limit"]},
    ]


# Caching, cost, observability.


def test_a_cache_is_apart_from_other_models_and_namespaces():
    """It keeps conversations of any length."""
    cache = render(a_spec(caching={"enabled": True, "ttl": "90m"})).config["litellm_settings"]["cache_params"]
    assert cache == {"type": "local", "ttl": 5400, "max_messages": None, "namespace": "default/model"}
    gateway = render_gateway(a=a_spec(modelName="a", caching={"enabled": True}), b=a_spec(modelName="b"))
    assert gateway.config["litellm_settings"]["cache_params"]["namespace"] == "default/a,b"


def test_limits_are_each_processs_own_unless_there_is_a_redis():
    spec = a_spec(rateLimits={"requestsPerMinute": 10})
    (finding,) = [finding for finding in render(spec).findings if finding.code == "LM345"]
    assert (finding.level, finding.path) == ("info", ("spec", "rateLimits"))
    assert "REDIS_HOST" in finding.fix
    assert "LM345" not in codes(render(spec, Settings(redis=True)).findings)
    assert "LM345" not in codes(render(a_spec()).findings)


def test_a_model_says_in_which_namespace_it_is():
    resource = a_resource(a_spec()).replace(namespace="team")
    section = rendering.render([resource], SETTINGS).config["callback_settings"]["langop"]["models"]["llama"]
    assert (section["namespace"], section["resource"]) == ("team", "model")


def test_redis_is_found_through_the_environment():
    result = render(a_spec(caching={"enabled": True, "backend": "redis"}))
    assert result.config["litellm_settings"]["cache_params"]["type"] == "redis"
    assert "LM503" in codes(result.findings)
    assert "LM503" not in codes(render(a_spec(caching={"enabled": True, "backend": "redis"}), Settings(redis=True)).findings)


def test_memcached_is_found_through_the_environment():
    spec = a_spec(caching={"enabled": True, "backend": "memcached", "maxSize": 5})
    assert {"LM505", "LM402"} <= set(codes(render(spec).findings))
    assert "LM505" not in codes(render(spec, Settings(memcached=True)).findings)


def test_each_model_of_a_gateway_has_its_own_cache():
    result = render_gateway(
        a=a_spec(modelName="a", caching={"enabled": True, "ttl": "1m", "maxSize": 5}),
        b=a_spec(modelName="b", caching={"enabled": True, "ttl": "1h", "backend": "redis"}),
        c=a_spec(modelName="c"),
    )
    models = result.config["callback_settings"]["langop"]["models"]
    assert [models[name].get("caching") for name in "abc"] == [
        {"backend": "memory", "ttl": 60, "megabytes": 5},
        {"backend": "redis", "ttl": 3600},
        None,
    ]
    assert "LM314" not in codes(result.findings)


def test_a_cache_that_is_not_enabled_is_none():
    assert "cache" not in render(a_spec(caching={"enabled": False})).config["litellm_settings"]


def test_a_model_of_a_gateway_that_asked_for_no_cache_has_none():
    result = render_gateway(a=a_spec(modelName="a", caching={"enabled": True}), b=a_spec(modelName="b"))
    assert "cache" not in parameters(result, 0)
    assert parameters(result, 1)["cache"] == {"no-cache": True, "no-store": True}


def test_a_price_of_a_thousand_tokens_becomes_that_of_one():
    found = parameters(render(a_spec(costTracking={"enabled": True, "inputTokenCost": 0.01, "outputTokenCost": 3})))
    assert (found["input_cost_per_token"], found["output_cost_per_token"]) == (1e-05, 0.003)


def test_cost_that_is_not_tracked_is_zero():
    found = parameters(render(a_spec(costTracking={"enabled": False})))
    assert (found["input_cost_per_token"], found["output_cost_per_token"]) == (0, 0)


def test_without_cost_tracking_litellm_uses_its_own_prices():
    assert "input_cost_per_token" not in parameters(render(a_spec()))


@pytest.mark.parametrize(
    ("observability", "callbacks"),
    [
        ({"metrics": True}, ["prometheus"]),
        ({"metrics": False}, []),
        ({"metrics": True, "tracing": True}, ["prometheus", "otel"]),
    ],
)
def test_metrics_and_traces_are_callbacks(observability: dict[str, bool], callbacks: list[str]):
    config = render(a_spec(observability=observability), Settings(trace_endpoint=True)).config
    assert config["litellm_settings"].get("callbacks", []) == callbacks


def test_traces_without_a_receiver_are_not_made_and_named():
    result = render(a_spec(observability={"metrics": False, "tracing": True}))
    assert "callbacks" not in result.config["litellm_settings"]
    assert ("LM406", ("spec", "observability", "tracing")) in [(finding.code, finding.path) for finding in result.findings]


@pytest.mark.parametrize(("level", "litellm"), [("debug", "DEBUG"), ("info", "INFO"), ("warn", "WARNING"), ("error", "ERROR")])
def test_the_log_level_is_litellms(level: str, litellm: str):
    assert render(a_spec(observability={"logging": {"level": level}})).config["environment_variables"]["LITELLM_LOG"] == litellm


def test_a_proxy_without_a_master_key_says_so_and_one_with_a_key_does_not():
    name = "dangerously_permit_weak_or_unset_master_key"
    assert render(a_spec()).config["general_settings"][name] is True
    assert name not in render(a_spec(), Settings(master_key=True)).config["general_settings"]


# Providers.


@pytest.mark.parametrize(
    ("provider", "prefix"),
    [
        ("openai", "openai"),
        ("anthropic", "anthropic"),
        ("openai-compatible", "openai"),
        ("azure", "azure"),
        ("bedrock", "bedrock"),
        ("vertex", "vertex_ai"),
        ("custom", "openai"),
    ],
)
def test_a_model_always_has_the_prefix_of_its_provider(provider: str, prefix: str):
    assert parameters(render(a_spec(provider=provider, modelName="m")))["model"] == f"{prefix}/m"


@pytest.mark.parametrize(
    ("provider", "endpoint", "base"),
    [
        ("openai", "https://a/v1/chat/completions", "https://a/v1"),
        ("anthropic", "https://a/v1/messages", "https://a"),
        ("anthropic", "https://a/v1", "https://a"),
        ("azure", "https://a/openai/deployments/", "https://a"),
        ("openai-compatible", "http://a:1/v1/", "http://a:1/v1"),
    ],
)
def test_what_litellm_appends_to_an_address_is_not_there_twice(provider: str, endpoint: str, base: str):
    assert parameters(render(a_spec(provider=provider, endpoint=endpoint)))["api_base"] == base


@pytest.mark.parametrize(("provider", "parameter"), [("bedrock", "aws_region_name"), ("vertex", "vertex_location")])
def test_a_region_decides_where_the_cloud_is_asked(provider: str, parameter: str):
    spec = a_spec(
        provider=provider, endpoint=None, regions=[{"name": "eu"}], configuration={"additionalParameters": {parameter: "us"}}
    )
    result = render(spec)
    assert parameters(result)[parameter] == "eu"
    assert "LM413" in codes(result.findings)


# Findings and gateways.


def test_findings_come_in_the_order_of_the_source():
    spec = a_spec(
        costTracking={"enabled": True, "currency": "EUR"},
        caching={"enabled": False, "ttl": "5m", "backend": "redis"},
        egress=[],
    )
    resource = a_resource(spec)
    found = rendering.render([resource], SETTINGS).findings
    assert len(found) > 2
    assert [f.column for f in found] == sorted(f.column for f in found)


def test_a_downgraded_error_lets_the_rest_be_rendered():
    resource = a_resource(a_spec(newField=1))
    result = rendering.render([resource], SETTINGS, downgraded=frozenset({"LM101"}))
    assert [(finding.code, finding.level) for finding in result.findings] == [("LM101", "warning")]
    assert result.config == render(a_spec()).config


def test_all_models_of_a_gateway_are_told_what_is_wrong_at_once():
    with pytest.raises(SpecError) as caught:
        render_gateway(a=a_spec(timeout="soon"), b=a_spec(zebra=1))
    assert [(finding.resource, finding.code) for finding in caught.value.findings] == [("a", "LM106"), ("b", "LM101")]


def test_a_model_in_a_gateway_answers_to_both_its_names():
    result = render_gateway(a=a_spec(modelName="x"), b=a_spec(modelName="y"))
    assert result.config["router_settings"]["model_group_alias"] == {"a": "x", "b": "y"}
    assert result.name == "gateway"


def test_models_of_a_gateway_keep_their_own_strategy_and_retries():
    first = balanced(EAST, WEST, strategy="latency-based", modelName="x")
    second = a_spec(modelName="y", retryPolicy={"maxAttempts": 4})
    assert told(first, b=second)["strategy"] == "latency-based"
    assert told(second, a=first)["retries"]["attempts"] == 4


def test_a_warning_about_another_document_is_told_once_for_a_file(tmp_path: Any):
    manifest = json.dumps(
        {"apiVersion": "langop.io/v1alpha1", "kind": "LanguageModel", "metadata": {"name": "NAME"}, "spec": a_spec()}
    )
    path = tmp_path / "two.yaml"
    text = "apiVersion: v1\nkind: Secret\n---\n" + manifest.replace("NAME", "a") + "\n---\n" + manifest.replace("NAME", "b")
    path.write_text(text, encoding="utf-8")
    results = rendering.render_file(str(path), SETTINGS)
    assert [finding.code for result in results for finding in result.findings if finding.code == "LM014"] == ["LM014"]
