"""What the gateway learns about how a model's provider is asked: its routes, its members, its query."""

from __future__ import annotations

from typing import Any

import pytest

from langop_model.renderer import catalogue, rendering
from langop_model.renderer.catalogue import Provider
from langop_model.renderer.settings import Settings
from tests.unit.specs import a_resource, a_spec, refusal

CREDENTIALS = {"apiKeySecretRef": {"name": "secret", "key": "api-key"}}


def section(provider: str, **fields: Any) -> dict[str, Any]:
    """Return the section of the one model of a configuration."""
    spec = {"provider": provider, "modelName": "m", **CREDENTIALS, **fields}
    spec = {name: value for name, value in spec.items() if value is not None}
    config = rendering.render([a_resource(spec, "model")], Settings()).config
    (found,) = config["callback_settings"]["langop"]["models"].values()
    return dict(found)


def test_a_relayed_provider_serves_its_routes_and_litellms():
    assert section("groq")["routes"] == ["chat", "transcriptions"]
    assert section("openrouter")["routes"] == ["chat", "embeddings", "images", "responses", "messages"]


def test_without_the_relay_only_what_litellm_can_ask_is_served():
    found = section("openrouter", params={"region_name": "eu"})
    assert "upstream" not in found
    assert found["routes"] == ["chat", "embeddings", "images"]


@pytest.mark.parametrize(
    ("other", "own"), [("https://api.deepseek.com/v1", True), ("https://llm.example.com/v1", False), (None, True)]
)
def test_a_route_elsewhere_counts_where_all_endpoints_are_the_providers(other: str | None, own: bool):
    endpoints = [{"url": url, "weight": 1} for url in ("https://api.deepseek.com/beta", other) if url]
    balancing = {"loadBalancing": {"strategy": "round-robin", "endpoints": endpoints}} if other else {}
    found = section("deepseek", **balancing)
    assert ("messages" in found["upstream"]["routes"], "messages" in found["routes"]) == (own, own)
    assert found["upstream"]["routes"]["chat"] == "/chat/completions"


MODERATING = {"openai", "mistral"}


@pytest.mark.parametrize("provider", catalogue.usable(), ids=lambda provider: provider.name)
def test_moderations_are_served_by_two_providers_only(provider: Provider):
    """LiteLLM sends the moderations of others, with their keys, to api.openai.com."""
    relayed = provider.relay.routes if provider.relay else {}
    assert ("moderations" in provider.routes or "moderations" in relayed) is (provider.name in MODERATING)


def test_images_of_cometapi_are_not_served():
    """LiteLLM sends them, with CometAPI's key, to api.openai.com."""
    assert section("cometapi")["routes"] == ["chat", "embeddings"]


@pytest.mark.parametrize(
    ("provider", "closed"),
    [("gemini", {"speech", "transcriptions"}), ("dashscope", {"images"}), ("cohere", {"embeddings", "rerank"})],
)
def test_a_route_that_does_not_follow_an_endpoint_is_closed_with_one(provider: str, closed: set[str]):
    without = set(section(provider)["routes"])
    assert without - set(section(provider, endpoint="https://llm.example.com")["routes"]) == closed


def test_members_of_a_row_and_of_the_specification_are_accepted():
    assert section("openrouter")["accepts"] == ["plugins", "provider", "route", "transforms", "usage"]
    assert section("groq", params={"allowed_openai_params": ["house_style"]})["accepts"] == ["house_style"]
    assert "accepts" not in section("groq")


@pytest.mark.parametrize("name", ["api_base", "timeout", "aws_region_name", "model_id"])
def test_a_setting_of_litellms_is_never_accepted(name: str):
    (found,) = refusal(
        a_spec(provider="groq", endpoint=None, **CREDENTIALS, params={"allowed_openai_params": ["house_style", name]})
    )
    assert (found.code, found.path) == ("LM218", ("spec", "params", "allowed_openai_params"))
    assert f'"{name}" is a setting or a credential' in found.message


def test_the_version_of_azure_is_that_of_the_specification():
    endpoint = "https://r.openai.azure.com"
    assert section("azure", endpoint=endpoint)["upstream"]["query"] == {"api-version": "2025-02-01-preview"}
    stated = section("azure", endpoint=endpoint, apiVersion="2024-10-21")
    assert stated["upstream"]["query"] == {"api-version": "2024-10-21"}
    stated = section("azure", endpoint=endpoint, params={"api_version": "2024-06-01"})
    assert stated["upstream"]["query"] == {"api-version": "2024-06-01"}


def test_openais_newer_role_is_known_to_openai_and_azure_only():
    assert section("openai")["upstream"]["developer_role"]
    assert "developer_role" not in section("groq")["upstream"]


STOP = {"stopSequences": ["END"], "maxTokens": 9}


def test_the_section_says_which_defaults_are_not_for_all_models():
    found = section("openai", modelName="*", configuration=STOP)
    assert found["defaults"] == {"max_tokens": 9, "stop": ["END"]}
    rules = {each["match"]: each["names"] for each in found["unsupported_defaults"]}
    assert rules[r"gpt-5\.[124](-mini|-nano)?(-20.*)?"] == rules["gpt-[5-9].*"] == ["stop"]
    assert rules["gpt-5-chat.*"] == []  # it comes first, and its models take all
    assert list(rules)[-1] == "gpt-[5-9].*"


def test_a_provider_without_a_protocol_of_the_clients_has_them_too():
    found = section("bedrock", modelName="*", configuration=STOP, apiKeySecretRef=None, region="us-east-1")
    assert {name for each in found["unsupported_defaults"] for name in each["names"]} == {"stop"}


@pytest.mark.parametrize("fields", [{}, {"configuration": {"maxTokens": 9}}, {"params": {"seed": 4}}])
def test_defaults_that_all_models_take_need_no_rules(fields: dict[str, Any]):
    assert "unsupported_defaults" not in section("openai", modelName="*", **fields)


@pytest.mark.parametrize("fields", [{"configuration": STOP}, {"params": {"stop": ["END"], "max_tokens": 9}}])
def test_a_default_that_the_model_does_not_take_is_none(fields: dict[str, Any]):
    """LM312 says so, wherever it is stated."""
    found = section("openai", modelName="gpt-5.1", **fields)
    assert found["defaults"] == {"max_tokens": 9}
    assert "unsupported_defaults" not in found


@pytest.mark.parametrize(
    ("provider", "model", "hint", "is_dropped"),
    [
        ("groq", "llama-3.3-70b-versatile", "reasoning_effort", True),
        ("groq", "openai/gpt-oss-120b", "reasoning_effort", False),
        ("groq", "qwen/qwen3-32b", "reasoning_effort", False),
        ("xai", "grok-4", "reasoning_effort", True),
        ("xai", "grok-4-fast-reasoning", "frequency_penalty", True),
        ("xai", "grok-4.20-0309-reasoning", "reasoning_effort", False),
        ("xai", "grok-code-fast-1", "presence_penalty", True),
        ("xai", "grok-3-mini", "reasoning_effort", False),
        ("xai", "grok-3", "reasoning_effort", True),
        ("moonshot", "kimi-k2.5", "temperature", True),
        ("moonshot", "kimi-k2-thinking", "reasoning_effort", True),
        ("moonshot", "moonshot-v1-8k", "temperature", False),
        ("perplexity", "sonar-pro", "reasoning_effort", True),
        ("perplexity", "sonar-deep-research", "reasoning_effort", False),
        ("mistral", "magistral-medium-latest", "reasoning_effort", True),
        ("mistral", "mistral-small-latest", "reasoning_effort", False),
        ("together_ai", "meta-llama/Llama-3.3-70B-Instruct-Turbo", "reasoning_effort", True),
        ("together_ai", "openai/gpt-oss-120b", "reasoning_effort", False),
        ("nvidia_nim", "google/gemma-2-9b-it", "presence_penalty", True),
        ("nvidia_nim", "meta/llama-3.1-8b-instruct", "presence_penalty", False),
        ("anthropic", "claude-opus-4-7", "temperature", True),
        ("anthropic", "claude-sonnet-4-5", "temperature", False),
        ("deepseek", "deepseek-chat", "verbosity", True),
        ("openrouter", "openai/gpt-5", "verbosity", False),
    ],
)
def test_the_hints_that_a_model_does_not_take(provider: str, model: str, hint: str, is_dropped: bool):
    relay = catalogue.named(provider).relay
    assert relay is not None
    assert (hint in relay.rules(model)["drops"]) is is_dropped
