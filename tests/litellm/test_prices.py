"""Prices: what the gateway charges beside what LiteLLM's own calculation says, over its whole price list."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import cache
from typing import TYPE_CHECKING, Any

import pytest

from langop_model.gateway.accounting import price_list
from langop_model.gateway.accounting.prices import Deployment, Prices
from langop_model.gateway.upstreams.base import Route, Usage

if TYPE_CHECKING:  # its import takes seconds: it belongs to the tests, not to their collection
    from litellm.types.utils import Usage as LiteLLMUsage

LIST = price_list.path()
NOON = datetime(2026, 11, 25, 12, 30, tzinfo=UTC)
TOKEN_MODES = ("chat", "completion", "responses", "embedding")
SIZES = (1_000, 150_000, 300_000, 600_000)
TIERS = ("", "flex", "priority")

# Where the gateway charges otherwise, on purpose.
DIFFERENCES = {
    "fireworks_ai": "half the price of an ordinary token is guessed for a cached one whose price the list does not have",
    "xai": "the price of long questions begins above the threshold, not at it; reasoning has the price of output",
    "azure/gpt-image": "LiteLLM takes OpenAI's price of a picture where Azure's list has prices of tokens alone",
    "perplexity": "searches and citations, which are no tokens, are not counted",
}


@cache
def listed() -> dict[str, dict[str, Any]]:
    assert LIST is not None
    found: dict[str, dict[str, Any]] = json.loads(LIST.read_text(encoding="utf-8"))
    return found


def token_models() -> Iterator[str]:
    for name, row in listed().items():
        has_price = row.get("input_cost_per_token") is not None or row.get("tiered_pricing")
        if row.get("mode") in TOKEN_MODES and has_price and "/" not in str(row.get("litellm_provider")):
            yield name


def usages(chance: random.Random) -> Iterator[Usage]:
    """Yield usages of every kind: short and long questions, cached tokens, sound, reasoning, tiers."""
    for tier in TIERS:
        for size in SIZES if not tier else (chance.choice(SIZES),):
            asked = chance.randrange(size // 2, size)
            cached, created = chance.randrange(asked // 4), chance.randrange(asked // 4)
            answered = chance.randrange(1, 20_000)
            yield Usage(
                asked,
                answered,
                cached_tokens=cached,
                cache_creation_tokens=created,
                reasoning_tokens=chance.randrange(answered),
                audio_input_tokens=chance.randrange(asked // 8),
                tier=tier,
            )


def of_litellm(usage: Usage) -> LiteLLMUsage:
    from litellm.types.utils import CompletionTokensDetailsWrapper, PromptTokensDetailsWrapper
    from litellm.types.utils import Usage as LiteLLMUsage

    return LiteLLMUsage(
        prompt_tokens=usage.input_tokens,
        completion_tokens=usage.output_tokens,
        total_tokens=usage.total,
        prompt_tokens_details=PromptTokensDetailsWrapper(
            cached_tokens=usage.cached_tokens,
            cache_creation_tokens=usage.cache_creation_tokens,
            audio_tokens=usage.audio_input_tokens,
        ),
        completion_tokens_details=CompletionTokensDetailsWrapper(
            reasoning_tokens=usage.reasoning_tokens, audio_tokens=usage.audio_output_tokens
        ),
    )


def test_tokens_cost_what_litellm_says(record_property: Any):
    """Over the whole list, with usages of every kind."""
    import litellm
    from litellm.litellm_core_utils.llm_cost_calc.utils import generic_cost_per_token

    chance = random.Random(12)
    names = list(token_models())
    models = {name: Deployment(_with_provider(name)) for name in names}
    prices = Prices(models)
    compared, wrong = 0, []
    for name in names:
        provider = models[name].provider
        row = litellm.model_cost.get(models[name].model) or litellm.model_cost[name]
        if provider in DIFFERENCES or name in DIFFERENCES:
            continue
        for usage in usages(chance):
            info = {"key": name, **row}
            expected = sum(
                generic_cost_per_token(
                    name, of_litellm(usage), provider, service_tier=usage.tier or None, model_info=info, current_time=NOON
                )
            )
            charged = prices.cost(name, "", Route.CHAT, usage, now=NOON)
            compared += 1
            if charged is None or charged != pytest.approx(expected, rel=1e-9):
                wrong.append((name, usage.tier, charged, expected))
    record_property("compared", compared)
    assert compared > 15_000
    assert wrong == []


def test_each_model_costs_what_litellm_charges(record_property: Any):
    """With LiteLLM's own choice of the row, and its calculation for each provider."""
    import litellm

    names = list(token_models())
    prices = Prices({name: Deployment(_with_provider(name)) for name in names})
    wrong = []
    for name in names:
        deployment = prices.deployments[name]
        expected = sum(litellm.cost_per_token(deployment.model, 1000, 100, custom_llm_provider=deployment.provider))
        charged = prices.cost(name, "", Route.CHAT, Usage(1000, 100))  # by the clock, as LiteLLM: some are cheaper at night
        if charged is None or charged != pytest.approx(expected, rel=1e-9):
            wrong.append(name)
    record_property("compared", len(names))
    assert wrong == ["perplexity/perplexity/sonar"]  # LiteLLM takes the row of perplexity/sonar


# What has a price of its own: by the mode of a row its route, what is used, and how LiteLLM is asked.
UNITS: dict[str, tuple[Route, Usage, dict[str, Any]]] = {
    "audio_transcription": (
        Route.TRANSCRIPTIONS,
        Usage(seconds=90.0),
        {"call_type": "transcription", "audio_transcription_file_duration": 90.0},
    ),
    "audio_speech": (Route.SPEECH, Usage(characters=500), {"call_type": "speech", "prompt_characters": 500}),
    "rerank": (Route.RERANK, Usage(queries=3), {"call_type": "rerank", "rerank_billed_units": {"search_units": 3}}),
}


@pytest.mark.parametrize("mode", UNITS)
def test_units_cost_what_litellm_says(mode: str, record_property: Any):
    import litellm

    route, usage, asked = UNITS[mode]
    names = [name for name, row in listed().items() if row.get("mode") == mode and has_unit_price(row)]
    prices = Prices({name: Deployment(_with_provider(name)) for name in names})
    wrong, compared = [], 0
    for name in names:
        deployment = prices.deployments[name]
        try:
            expected = sum(litellm.cost_per_token(deployment.model, custom_llm_provider=deployment.provider, **asked))
        except Exception:  # noqa: BLE001 - LiteLLM knows no way to charge it
            continue
        compared += 1
        charged = prices.cost(name, "", route, usage)
        if charged != pytest.approx(expected, rel=1e-9):
            wrong.append((name, charged, expected))
    record_property("compared", compared)
    assert compared >= 5
    assert wrong == []


SIZES_AND_QUALITIES = (("", ""), ("1024x1024", ""), ("1024x1792", "hd"), ("1024x1536", "high"), ("512x512", ""))


def test_pictures_cost_what_litellm_says(record_property: Any):
    from litellm.cost_calculator import default_image_cost_calculator

    names = [name for name, row in listed().items() if row.get("mode") == "image_generation" and "-x-" not in name]
    prices = Prices({name: Deployment(_with_provider(name)) for name in names})
    wrong, compared = [], 0
    for name in names:
        deployment = prices.deployments[name]
        if name.startswith("azure/gpt-image") and has_token_price(name):
            continue
        for size, quality in SIZES_AND_QUALITIES:
            try:
                expected = default_image_cost_calculator(
                    deployment.model, deployment.provider, quality or None, n=2, size=size or None
                )
            except Exception:  # noqa: BLE001 - LiteLLM knows no way to charge it
                continue
            compared += 1
            charged = prices.cost(name, "", Route.IMAGES, Usage(images=2), size=size, quality=quality)
            if charged != pytest.approx(expected, rel=1e-9):
                wrong.append((name, size, quality, charged, expected))
    record_property("compared", compared)
    assert compared > 500
    assert wrong == []


def has_token_price(name: str) -> bool:
    return "output_cost_per_image_token" in listed()[name]


def has_unit_price(row: dict[str, Any]) -> bool:
    """Whether a row has a price above 0 of something else than tokens."""
    return any(value for name, value in row.items() if name in UNIT_PRICES)


UNIT_PRICES = ("input_cost_per_second", "output_cost_per_second", "input_cost_per_character", "input_cost_per_query")


def _with_provider(name: str) -> str:
    provider = listed()[name]["litellm_provider"]
    return name if name.startswith(f"{provider}/") else f"{provider}/{name}"
