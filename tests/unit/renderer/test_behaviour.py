"""What a change of a specification changes in behaviour, in words with figures and units, and how grave it is."""

from __future__ import annotations

from typing import Any

import pytest

from langop_model.renderer import behaviour
from langop_model.renderer.difference_rows import Difference, Severity
from langop_model.renderer.settings import Settings
from langop_model.resources import load_json
from tests.unit.specs import EAST, WEST, a_spec, balanced, render, render_gateway

NORTH = {"url": "https://north.example.com/v1"}
CACHE = {"enabled": True, "backend": "redis"}
BREAKS, CHANGES, COSMETIC = Severity.BREAKS, Severity.CHANGES, Severity.COSMETIC


def differences(old: dict[str, Any], new: dict[str, Any], name: str = "model") -> list[Difference]:
    return behaviour.compare(render(old, name=name).config, render(new, name=name).config)


def said(old: dict[str, Any], new: dict[str, Any]) -> list[tuple[Severity, str]]:
    return [(each.severity, each.text) for each in differences(old, new)]


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        (
            a_spec(rateLimits={"requestsPerMinute": 100}),
            a_spec(rateLimits={"requestsPerMinute": 10}),
            [(CHANGES, "requestsPerMinute 100 → 10 (stricter: about 90 % of a full load will wait)")],
        ),
        (
            a_spec(rateLimits={"requestsPerMinute": 10}),
            a_spec(rateLimits={"requestsPerMinute": 100}),
            [(CHANGES, "requestsPerMinute 10 → 100 (looser)")],
        ),
        (
            a_spec(),
            a_spec(rateLimits={"tokensPerMinute": 50000}),
            [(CHANGES, "tokensPerMinute no limit → 50,000 (stricter: a request above it waits)")],
        ),
        (
            a_spec(rateLimits={"concurrentRequests": 5}),
            a_spec(),
            [(CHANGES, "concurrentRequests 5 → no limit (looser)")],
        ),
        (
            a_spec(timeout="5m"),
            a_spec(timeout="10m"),
            [(CHANGES, "timeout 300 s → 600 s (a provider that hangs is noticed later)")],
        ),
        (
            a_spec(),
            a_spec(retryPolicy={"maxAttempts": 3}),
            [(CHANGES, "retries added: a request is tried up to 4 times, after 1 s, 2 s, 4 s")],
        ),
        (
            a_spec(retryPolicy={"maxAttempts": 3}),
            a_spec(retryPolicy={"maxAttempts": 1}),
            [(CHANGES, "maxAttempts 3 → 1 (a request that fails is tried up to 2 times)")],
        ),
        (
            a_spec(retryPolicy={"maxAttempts": 3, "retryableStatusCodes": [429, 500]}),
            a_spec(retryPolicy={"maxAttempts": 3, "retryableStatusCodes": [500, 503]}),
            [(CHANGES, "retryableStatusCodes: 503 is retried now, 429 no longer")],
        ),
        (
            a_spec(caching={**CACHE}),
            a_spec(caching={**CACHE, "backend": "memory"}),
            [(CHANGES, "caching.backend redis → memory (cache emptied)")],
        ),
        (
            a_spec(caching={**CACHE, "ttl": "1h"}),
            a_spec(caching={**CACHE}),
            [(CHANGES, "caching.ttl 3,600 s → without end")],
        ),
        (a_spec(), a_spec(caching={**CACHE, "ttl": "36h"}), [(CHANGES, "cache added: answers are kept in redis for 36 h")]),
        (
            a_spec(configuration={"temperature": 0.2}),
            a_spec(configuration={"temperature": 0.7}),
            [(CHANGES, "default temperature 0.2 → 0.7 (for requests that do not set it)")],
        ),
        (
            a_spec(costTracking={"enabled": True, "inputTokenCost": 0.003, "outputTokenCost": 1}),
            a_spec(costTracking={"enabled": True, "inputTokenCost": 0.005, "outputTokenCost": 1}),
            [(CHANGES, "inputTokenCost 0.003 USD for 1,000 tokens → 0.005 USD for 1,000 tokens")],
        ),
        (
            a_spec(fallbacks=[{"modelRef": "a"}]),
            a_spec(fallbacks=[{"modelRef": "a", "conditions": ["timeout", "rate_limit"]}]),
            [(CHANGES, "fallback a: after any error → after rate_limit or timeout")],
        ),
        (
            a_spec(fallbacks=[{"modelRef": "a"}]),
            a_spec(fallbacks=[{"modelRef": "a"}, {"modelRef": "b", "conditions": ["timeout"]}]),
            [(CHANGES, "fallback b added: after timeout")],
        ),
        (
            a_spec(fallbacks=[{"modelRef": "a"}, {"modelRef": "b"}]),
            a_spec(fallbacks=[{"modelRef": "b"}, {"modelRef": "a"}]),
            [(CHANGES, "fallbacks are asked in another order: b and a")],
        ),
        (
            a_spec(observability={"logging": {"logRequests": False}}),
            a_spec(observability={"logging": {"logRequests": True}}),
            [(CHANGES, "messages of requests are written to the request log")],
        ),
        (a_spec(), a_spec(observability={"metrics": True}), [(CHANGES, "metrics added")]),
        (
            a_spec(endpoint="https://a.example.com/v1"),
            a_spec(endpoint="https://b.example.com/v1"),
            [(CHANGES, "requests go to https://b.example.com/v1 instead of https://a.example.com/v1")],
        ),
        (a_spec(aliases=["fast"]), a_spec(), [(BREAKS, "name removed: clients that ask for fast get 404")]),
        (a_spec(), a_spec(aliases=["fast"]), [(CHANGES, "clients may ask for fast")]),
    ],
)
def test_a_change_is_said_with_figures_and_units(
    old: dict[str, Any], new: dict[str, Any], expected: list[tuple[Severity, str]]
):
    assert said(old, new) == expected


def test_a_renamed_model_breaks_the_clients_that_ask_for_its_old_name():
    assert said(a_spec(modelName="gpt-4"), a_spec(modelName="gpt-5")) == [
        (BREAKS, "model renamed: clients that ask for gpt-4 get 404"),
        (CHANGES, "clients may ask for gpt-5"),
        (CHANGES, "the provider is asked for gpt-5 instead of gpt-4"),
    ]


def test_an_old_name_that_is_kept_as_an_alias_breaks_nobody():
    found = said(a_spec(modelName="gpt-4"), a_spec(modelName="gpt-5", aliases=["gpt-4"]))
    assert BREAKS not in [severity for severity, _ in found]


def test_a_change_of_a_cached_model_empties_its_cache():
    """Its cached answers are found by the parameters of its deployments too."""
    found = said(a_spec(caching=CACHE), a_spec(caching=CACHE, configuration={"temperature": 1}))
    assert (CHANGES, "cache emptied: answers that were kept until now are not found again") in found


def test_a_lifetime_of_cached_answers_empties_nothing():
    assert said(a_spec(caching={**CACHE, "ttl": "1m"}), a_spec(caching={**CACHE, "ttl": "2m"})) == [
        (CHANGES, "caching.ttl 60 s → 120 s")
    ]


# Endpoints.


def test_endpoints_are_matched_by_url_and_not_by_position():
    """Only the names that metrics have for them change."""
    found = said(balanced(EAST, WEST, strategy="random"), balanced(WEST, EAST, strategy="random"))
    assert {severity for severity, _ in found} == {COSMETIC}
    assert all("name in metrics and logs" in text for _, text in found)


@pytest.mark.parametrize("provider", ["cohere", "sagemaker"])
def test_endpoints_that_litellm_translates_are_matched_by_url_too(provider: str):
    keys = {"provider": provider, "credentialsSecretRef": {"name": "a"}}
    old, new = (balanced(*each, strategy="random", **keys) for each in ((EAST, WEST), (NORTH, EAST)))
    assert [text for _, text in said(old, new)] == [
        f"endpoint {NORTH['url']} added: half of the requests",
        f"endpoint {WEST['url']} removed: it had half of the requests",
    ]


def fallback(*conditions: str) -> dict[str, Any]:
    return a_spec(fallbacks=[{"modelRef": "other", "conditions": list(conditions)}])


@pytest.mark.parametrize(
    ("old", "new"), [(("error", "timeout"), ("error",)), (("timeout", "timeout"), ("timeout",)), (("error",), ())]
)
def test_causes_that_mean_the_same_do_not_differ(old: tuple[str, ...], new: tuple[str, ...]):
    assert said(fallback(*old), fallback(*new)) == []


def test_a_credential_of_several_keys_is_said_once_for_each():
    old, new = (
        a_spec(provider="sagemaker", endpoint=None, region="eu-west-1", credentialsSecretRef={"name": name}) for name in "ab"
    )
    found = [text for _, text in said(old, new)]
    assert [text for text in found if "aws_access_key_id" in text] == [
        "credential aws_access_key_id is read from /etc/secrets/b instead of /etc/secrets/a"
    ]


def test_a_far_stricter_limit_is_no_estimate_of_an_estimate():
    old, new = (a_spec(rateLimits={"tokensPerMinute": limit}) for limit in (2**31 - 1, 1))
    assert "(stricter: more than 99 % of a full load will wait)" in said(old, new)[0][1]


def test_a_price_has_the_digits_that_were_written():
    tracked = {"enabled": True, "inputTokenCost": 689512.988}
    text = said(a_spec(costTracking={**tracked, "inputTokenCost": 1}), a_spec(costTracking=tracked))[0][1]
    assert text == "inputTokenCost 1 USD for 1,000 tokens → 689,512.988 USD for 1,000 tokens"


def test_a_parameter_that_is_an_object_is_one_value():
    old, new = (a_spec(params={"response_format": {"type": kind}}) for kind in ("json_object", "text"))
    assert [text for _, text in said(old, new)] == [
        'default response_format {"type": "json_object"} → {"type": "text"} (for requests that do not set it)'
    ]


def test_a_region_with_a_slash_keeps_its_name():
    new = balanced({**EAST, "region": "eu/west"}, WEST, strategy="random")
    assert "called eu/west in metrics" in said(balanced(EAST, WEST, strategy="random"), new)[0][1]


def test_endpoints_in_another_order_empty_no_cache():
    old, new = (balanced(*each, strategy="random", caching=CACHE) for each in ((EAST, WEST), (WEST, EAST)))
    assert CHANGES not in [severity for severity, _ in said(old, new)]


def test_an_added_endpoint_is_said_with_its_share():
    old = balanced(EAST, WEST, strategy="round-robin")
    new = balanced(EAST, WEST, {**NORTH, "region": "eu-west"}, strategy="round-robin")
    assert (CHANGES, "endpoint eu-west added: a third of the requests") in said(old, new)
    assert (CHANGES, "endpoint https://east.example.com/v1: half of the requests → a third of the requests") in said(old, new)


def test_a_removed_endpoint_is_said_with_the_share_that_it_had():
    old = balanced({**EAST, "weight": 30}, {**WEST, "weight": 10})
    found = said(old, balanced({**EAST, "weight": 30}))
    assert (CHANGES, "endpoint https://west.example.com/v1 removed: it had a quarter of the requests") in found


def test_weights_are_compared_by_the_shares_that_they_make():
    assert said(
        balanced({**EAST, "weight": 1}, {**WEST, "weight": 3}), balanced({**EAST, "weight": 2}, {**WEST, "weight": 6})
    ) == [
        (COSMETIC, "endpoint https://east.example.com/v1: weight 1 → 2"),
        (COSMETIC, "endpoint https://west.example.com/v1: weight 3 → 6"),
    ]


def test_an_endpoint_of_a_higher_priority_number_has_no_share():
    found = said(balanced(EAST, WEST), balanced({**EAST, "priority": 1}, {**WEST, "priority": 2}))
    only = "requests only while those of a lower priority number are down or used up"
    assert (CHANGES, f"endpoint https://west.example.com/v1: half of the requests → {only}") in found


def test_a_region_is_only_a_name_where_the_url_stays():
    assert said(balanced(EAST, WEST), balanced({**EAST, "region": "east"}, WEST)) == [
        (COSMETIC, "endpoint https://east.example.com/v1 is called east in metrics and logs")
    ]


def test_a_strategy_that_decides_by_load_has_no_fixed_shares():
    found = said(balanced(EAST, WEST, strategy="random"), balanced(EAST, WEST, strategy="least-connections"))
    assert (CHANGES, "loadBalancing.strategy random → least-connections") in found


# Gateways.


def test_a_model_that_a_gateway_no_longer_has_breaks_its_clients():
    old = render_gateway(a=a_spec(modelName="one"), b=a_spec(modelName="two"))
    new = render_gateway(a=a_spec(modelName="one"))
    found = behaviour.compare(old.config, new.config)
    assert [(each.model, each.severity, each.text) for each in found] == [
        ("two", BREAKS, "model removed: clients that ask for two or b get 404")
    ]


def test_a_sentence_for_the_log_names_the_model_where_there_are_several():
    old = render_gateway(a=a_spec(modelName="one"), b=a_spec(modelName="two"))
    new = render_gateway(a=a_spec(modelName="one", timeout="1m"), b=a_spec(modelName="two", aliases=["c"]))
    assert behaviour.sentences(old.config, new.config) == [
        "two: clients may ask for c",
        "one: timeout 300 s → 60 s (an attempt that takes longer fails)",
    ]


def test_a_sentence_for_the_log_names_no_model_where_there_is_one():
    assert behaviour.sentences(render(a_spec()).config, render(a_spec(aliases=["x"])).config) == ["clients may ask for x"]


def test_a_master_key_breaks_clients_that_have_none():
    spec = a_spec()
    found = behaviour.compare(render(spec).config, render(spec, Settings(master_key=True)).config)
    assert (BREAKS, "clients need the master key") in [(each.severity, each.text) for each in found]
    found = behaviour.compare(render(spec, Settings(master_key=True)).config, render(spec).config)
    assert (CHANGES, "clients need no key any more") in [(each.severity, each.text) for each in found]


def test_a_name_of_a_model_that_is_rejected_gets_503():
    old = render_gateway(a=a_spec(modelName="one"), b=a_spec(modelName="two"))
    new = render_gateway(a=a_spec(modelName="one")).config
    entry = {"names": ["two", "b"], "reason": "LM101", "namespace": "default"}
    new["callback_settings"]["langop"]["unavailable"] = {"b": entry}
    found = [(each.severity, each.text) for each in behaviour.compare(old.config, new)]
    assert (BREAKS, "model removed: clients that ask for two or b get 503") in found


def test_a_name_that_several_models_share_is_theirs():
    old = render_gateway(a=a_spec())
    new = render_gateway(a=a_spec(), b=a_spec(endpoint="https://b.example.com/v1"))
    assert not [each for each in behaviour.compare(old.config, new.config) if each.severity is BREAKS]


def test_a_name_that_a_wildcard_takes_over_breaks_nobody_silently():
    old = render_gateway(a=a_spec(modelName="all/x"))
    new = render_gateway(all=a_spec(modelName="*", provider="openrouter", endpoint=None, apiKeySecretRef={"name": "k"}))
    (found,) = [
        each.text for each in behaviour.compare(old.config, new.config) if each.severity is BREAKS and each.place == "names"
    ]
    assert "get the model x of all/*" in found


def test_a_route_that_a_provider_does_not_serve_breaks_clients():
    key = {"endpoint": None, "apiKeySecretRef": {"name": "k"}}
    old, new = a_spec(provider="openai", **key), a_spec(provider="anthropic", **key)
    (found,) = [text for severity, text in said(old, new) if severity is BREAKS]
    assert "requests for embeddings" in found
    assert "are refused" in found


def test_a_configuration_does_not_differ_from_itself():
    config = render(a_spec(retryPolicy={}, caching=CACHE, fallbacks=[{"modelRef": "a"}])).config
    assert behaviour.compare(config, config) == []


# What no renderer writes.


def test_a_place_that_the_table_does_not_know_is_said_by_its_name():
    found = behaviour.compare({"router_settings": {"num_retries": 0}}, {"router_settings": {"num_retries": 2}})
    assert [each.text for each in found] == ["router_settings.num_retries 0 → 2"]


@pytest.mark.parametrize("name", ["api_secret", "aws_secret_access_key", "master_key", "password"])
def test_a_value_that_may_be_a_secret_is_not_repeated(name: str):
    found = behaviour.compare({"general_settings": {name: "sk-one"}}, {"general_settings": {name: "sk-two"}})
    assert len(found) == 1
    assert "sk-" not in repr(found)


def test_a_plain_key_of_a_configuration_is_not_repeated():
    configs = [{"model_list": [{"model_name": "a", "litellm_params": {"model": "openai/a", "api_key": key}}]} for key in "xy"]
    found = behaviour.compare(configs[0], configs[1])
    assert len(found) == 1
    assert "value hidden" in found[0].text


def test_a_configuration_of_another_program_is_compared_by_its_model_list():
    def config(*models: str) -> dict[str, Any]:
        return {"model_list": [{"model_name": name, "litellm_params": {"model": f"openai/{name}"}} for name in models]}

    found = behaviour.compare(config("a", "b"), config("a"))
    assert [each.text for each in found] == ["model removed: clients that ask for b get 404"]


def test_hand_written_policies_are_compared_with_the_section():
    """What a hand-written configuration says of a deployment means the same as what the section says."""
    parameters = {"model": "openai/llama", "api_base": "https://llm.example.com/v1", "temperature": 0.5, "timeout": 300}
    by_hand = {"model_list": [{"model_name": "llama", "litellm_params": {**parameters, "api_key": "not-needed"}}]}
    found = [each.text for each in behaviour.compare(by_hand, render(a_spec(configuration={"temperature": 0.7})).config)]
    assert "default temperature 0.5 → 0.7 (for requests that do not set it)" in found
    assert not [text for text in found if text.startswith(("timeout", "parameter temperature", "requests go to"))]


@pytest.mark.parametrize("model_list", [None, {}, "x", 5, [[1]], [{"model_info": None}], [{"litellm_params": "x"}]])
def test_a_configuration_of_a_strange_shape_can_be_compared(model_list: Any):
    assert behaviour.compare({"model_list": model_list}, {"model_list": model_list}) == []
    behaviour.compare({"model_list": model_list}, render(a_spec()).config)


# The table.


@pytest.mark.parametrize("part", ["group", "parameters", "information", "process"])
def test_every_row_has_a_name_and_known_severities(part: str):
    for place, row in load_json("changes.json")[part].items():
        stated = row.get("severity", "changes")
        severities = list(stated.values()) if isinstance(stated, dict) else [stated]
        assert row["name"], place
        assert {Severity(each) for each in severities}
