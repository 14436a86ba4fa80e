"""What people write instead of a field or a value leads to the one that they mean."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from langop_model.renderer import hints, specification
from langop_model.renderer.findings import Finding, Findings
from langop_model.resources import load_json
from tests.unit.specs import EAST, a_manifest, a_resource, a_spec, balanced, refusal

SCHEMA = load_json("languagemodel.schema.json")


def about(spec: Any, *path: str | int) -> Finding:
    """Return the one finding about a field of a refused spec."""
    (finding,) = [finding for finding in refusal(spec) if finding.path == ("spec", *path)]
    return finding


# Fields.


@pytest.mark.parametrize(
    ("field", "meant"),
    [
        ("model", "modelName"),
        ("model_name", "modelName"),
        ("deployment_id", "modelName"),
        ("base_url", "endpoint"),
        ("api_base", "endpoint"),
        ("baseURL", "endpoint"),
        ("api_version", "apiVersion"),
        ("apiKey", "apiKeySecretRef"),
        ("api_key", "apiKeySecretRef"),
        ("apiKeySecretKey", "spec.apiKeySecretRef.key"),
        ("max_tokens", "spec.configuration.maxTokens"),
        ("max_completion_tokens", "spec.configuration.maxTokens"),
        ("temperature", "spec.configuration.temperature"),
        ("top_p", "spec.configuration.topP"),
        ("stop", "spec.configuration.stopSequences"),
        ("rpm", "spec.rateLimits.requestsPerMinute"),
        ("tpm", "spec.rateLimits.tokensPerMinute"),
        ("max_parallel_requests", "spec.rateLimits.concurrentRequests"),
        ("num_retries", "spec.retryPolicy.maxAttempts"),
        ("request_timeout", "timeout"),
        ("routing_strategy", "spec.loadBalancing.strategy"),
        ("endpoints", "spec.loadBalancing.endpoints"),
        ("healthCheck", "spec.loadBalancing.healthCheck"),
        ("cache", "caching"),
        ("ttl", "spec.caching.ttl"),
        ("logLevel", "spec.observability.logging.level"),
        ("input_cost_per_token", "spec.costTracking.inputTokenCost"),
    ],
)
def test_another_name_of_a_field_leads_to_it(field: str, meant: str):
    finding = about(a_spec(**{field: 1}), field)
    assert f" Did you mean {meant}?" in finding.message
    assert finding.fix == ""


def test_a_key_in_the_spec_is_led_into_a_secret():
    finding = about(a_spec(apiKey="sk-1"), "apiKey")
    assert "Put the key into a Secret" in finding.message
    assert "sk-1" not in finding.message


def test_a_key_in_place_of_its_reference_is_led_into_a_secret():
    assert "Put the key into a Secret" in about(a_spec(apiKeySecretRef="sk-1"), "apiKeySecretRef").message


def test_a_field_that_is_not_indented_gets_its_place():
    spec = a_spec(apiKeySecretRef=1, name="keys") | {"apiKeySecretRef": None}
    assert "It belongs to spec.apiKeySecretRef, which is empty: indent it." in about(spec, "name").message


def test_a_field_beside_spec_gets_its_place():
    resource = a_resource(a_spec()).replace(manifest={**a_manifest(a_spec()), "timeout": "5m"})
    found = Findings()
    specification.validate(resource, found)
    assert [finding.message for finding in found.items] == ["there is no field timeout. Did you mean spec.timeout?"]


def test_what_is_allowed_is_listed_once_and_not_where_there_is_a_hint():
    fixes = [finding.fix for finding in refusal(a_spec(zebra=1, gnu=1, timout=1, api_base=1))]
    assert sorted(bool(fix) for fix in fixes) == [False, False, False, True]


def objects(node: dict[str, Any], path: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    if "properties" in node:
        yield path, node["properties"]
    for name, child in node.get("properties", {}).items():
        yield from objects(child, f"{path}.{name}")
    if "items" in node:
        yield from objects(node["items"], f"{path}[]")


@pytest.mark.parametrize(("path", "fields"), list(objects(SCHEMA)), ids=lambda part: part if isinstance(part, str) else "")
def test_no_two_fields_of_an_object_are_known_by_one_name(path: str, fields: dict[str, Any]):
    names = [name for field, node in fields.items() for name in hints._names(field, node)]
    assert len(names) == len(set(names)), path


# Values.


@pytest.mark.parametrize(
    ("strategy", "hint"),
    [
        ("least-busy", "Did you mean least-connections?"),
        ("least_conn", "Did you mean least-connections?"),
        ("latency-based-routing", "Did you mean latency-based?"),
        ("roundRobin", "Did you mean round-robin?"),
        ("simple-shuffle", "LiteLLM's simple-shuffle is weighted where endpoints have weights"),
        ("usage-based-routing-v2", "least-connections comes nearest"),
        ("cost-based-routing", "No strategy compares prices"),
        ("failover", "give each endpoint a priority"),
    ],
)
def test_a_strategy_of_another_tool_leads_to_ours(strategy: str, hint: str):
    assert hint in about(balanced(EAST, strategy=strategy), "loadBalancing", "strategy").message


@pytest.mark.parametrize(
    ("provider", "meant"),
    [("azure-openai", "azure"), ("google", "gemini"), ("aws_bedrock", "bedrock"), ("grok", "xai"), ("Claude", "anthropic")],
)
def test_a_provider_by_another_name_leads_to_ours(provider: str, meant: str):
    assert f" Did you mean {meant}?" in about(a_spec(provider=provider), "provider").message


@pytest.mark.parametrize(("condition", "meant"), [("429", "rate_limit"), ("5xx", "server_error"), ("timeouts", "timeout")])
def test_a_condition_by_another_name_leads_to_ours(condition: str, meant: str):
    spec = a_spec(fallbacks=[{"modelRef": "a", "conditions": [condition]}])
    assert f" Did you mean {meant}?" in about(spec, "fallbacks", 0, "conditions", 0).message


def lists_of_values(node: Any) -> Iterator[dict[str, Any]]:
    if isinstance(node, dict) and "x-hints" in node:
        yield node
    for child in node.values() if isinstance(node, dict) else node if isinstance(node, list) else ():
        yield from lists_of_values(child)


@pytest.mark.parametrize("node", list(lists_of_values(SCHEMA)), ids=lambda node: node.get("description", "")[:30])
def test_a_hint_for_a_value_is_an_allowed_value_or_a_sentence(node: dict[str, Any]):
    choices = node.get("enum") or node["x-strict"]["enum"]
    assert not node["x-hints"].keys() & set(choices)
    assert [meant for meant in node["x-hints"].values() if meant not in choices and not meant.endswith(".")] == []


# Types.


@pytest.mark.parametrize(
    ("fields", "hint"),
    [
        ({"configuration": {"maxTokens": "4096"}}, "Write 4096, without quotes."),
        ({"configuration": {"maxTokens": "4k"}}, "Write 4000, without quotes."),
        ({"configuration": {"temperature": "0.5"}}, "Write 0.5, without quotes."),
        ({"caching": {"enabled": "off"}}, "Write false, without quotes."),
        ({"modelName": 4}, "Put it in quotes."),
        ({"timeout": 30}, 'Write its unit, such as "30s" for seconds.'),
        ({"fallbacks": {"modelRef": "a"}}, "Write a list, even for a single item."),
    ],
    ids=str,
)
def test_a_value_of_the_wrong_type_gets_its_right_form(fields: dict[str, Any], hint: str):
    (finding,) = [finding for finding in refusal(a_spec(**fields)) if finding.code == "LM102"]
    assert finding.message.endswith(f". {hint}")


@pytest.mark.parametrize(
    "fields",
    [
        {"configuration": {"maxTokens": "many"}},
        {"configuration": {"maxTokens": "1.5"}},
        {"configuration": {"maxTokens": ""}},
        {"caching": {"enabled": "perhaps"}},
        {"caching": {"enabled": 1}},
        {"provider": 4},
        {"timeout": 0},
        {"timeout": True},
        {"endpoint": 1},
        {"fallbacks": "a"},
    ],
    ids=str,
)
def test_no_form_is_suggested_that_would_be_refused_too(fields: dict[str, Any]):
    (finding,) = [finding for finding in refusal(a_spec(**fields)) if finding.code == "LM102"]
    assert finding.message.endswith(".")
    assert ". " not in finding.message
