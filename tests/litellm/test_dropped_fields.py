"""Which fields of spec.configuration LiteLLM drops: the catalogue says it for every model of LiteLLM's own list."""

from __future__ import annotations

import logging
from typing import Any

import pytest

from langop_model.renderer import catalogue

FIELDS = {
    "temperature": ("temperature", 0.31),
    "maxTokens": ("max_tokens", 4177),
    "topP": ("top_p", 0.62),
    "frequencyPenalty": ("frequency_penalty", 0.43),
    "presencePenalty": ("presence_penalty", 0.54),
    "stopSequences": ("stop", "the-end"),
}
# What LiteLLM's price list calls a provider, and its name in a deployment.
LISTED = {
    "openai": "openai",
    "azure": "azure",
    "anthropic": "anthropic",
    "bedrock_converse": "bedrock",
    "gemini": "gemini",
    "vertex_ai-language-models": "vertex_ai",
    "xai": "xai",
    "moonshot": "moonshot",
    "deepseek": "deepseek",
    "mistral": "mistral",
}


def models(listed: str) -> list[str]:
    """Return the chat models of LiteLLM's own list."""
    import litellm

    found = []
    for name, entry in litellm.model_cost.items():
        if entry.get("litellm_provider") == listed and entry.get("mode") in ("chat", "responses"):
            found.append(name.removeprefix(f"{LISTED[listed]}/"))
    return [name for name in found if "/" not in name]


def dropped(provider: str, model: str) -> set[str]:
    """Return the fields that LiteLLM leaves out of a request."""
    import litellm

    asked: dict[str, Any] = dict(FIELDS.values())
    kept = litellm.get_optional_params(model=model, custom_llm_provider=provider, drop_params=True, **asked)
    return {field for field, (_, value) in FIELDS.items() if str(value) not in str(list(kept.values()))}


@pytest.mark.parametrize("listed", LISTED)
def test_the_catalogue_knows_what_litellm_drops_for_each_of_its_models(listed: str, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("LITELLM_LOCAL_MODEL_COST_MAP", "True")
    monkeypatch.setattr(logging.root.manager, "disable", logging.CRITICAL)
    provider = LISTED[listed]
    row, names = catalogue.of_litellm(provider), models(listed)
    wrong = {name: found for name in names if (found := dropped(provider, name)) ^ set(row.unsupported_fields_of(name))}
    assert wrong == {}
    assert len(names) > 3


def test_the_catalogue_knows_which_models_of_anthropics_take_an_effort():
    import litellm

    relay = catalogue.of_litellm("anthropic").relay
    assert relay is not None
    takes = {name: bool(litellm.model_cost[name].get("supports_output_config")) for name in models("anthropic")}
    assert takes == {name: "output_config.effort" not in relay.rules(name)["drops"] for name in takes}
    assert set(takes.values()) == {True, False}


@pytest.mark.parametrize(
    "old", ["claude-3-haiku-20240307", "claude-3-7-sonnet-latest", "claude-opus-4-20250514", "claude-opus-4-1", "claude-2.1"]
)
def test_older_models_take_none(old: str):
    relay = catalogue.of_litellm("anthropic").relay
    assert relay is not None
    assert relay.rules(old)["drops"] == ["output_config.effort"]
