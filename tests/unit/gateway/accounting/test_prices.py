"""Prices: which row of the list is a deployment's, what it states itself, and what has no price."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from langop_model.gateway.accounting.price_list import Wanted, entries, rows
from langop_model.gateway.accounting.prices import Deployment, Prices, deployments
from langop_model.gateway.accounting.rates import Row
from langop_model.gateway.upstreams.base import Route, Usage
from tests.conftest import ROOT

LIST = {
    "sample_spec": {"input_cost_per_token": 9, "litellm_provider": "openai"},
    "gpt": {"litellm_provider": "openai", "mode": "chat", "input_cost_per_token": 1.0, "output_cost_per_token": 2.0},
    "azure/gpt": {"litellm_provider": "azure", "mode": "chat", "input_cost_per_token": 3.0, "output_cost_per_token": 4.0},
    "anthropic.claude": {"litellm_provider": "bedrock", "input_cost_per_token": 5.0, "output_cost_per_token": 5.0},
    "bedrock/eu-west-1/anthropic.claude": {"litellm_provider": "bedrock", "input_cost_per_token": 6.0},
    "gemini": {"litellm_provider": "vertex_ai-language-models", "input_cost_per_token": 7.0, "output_cost_per_token": 0.0}
    | {"regional_endpoint_uplift_multiplier": 1.5},
    "whisper": {"litellm_provider": "openai", "mode": "audio_transcription", "input_cost_per_second": 0.5},
    "tts": {"litellm_provider": "openai", "mode": "audio_speech", "input_cost_per_character": 0.25},
    "rerank": {"litellm_provider": "cohere", "mode": "rerank", "input_cost_per_query": 2.0, "input_cost_per_token": 0.0},
    "dall-e": {"litellm_provider": "openai", "mode": "image_generation", "output_cost_per_image": 4.0},
    "hd/1024-x-1792/dall-e": {"litellm_provider": "openai", "input_cost_per_image": 8.0},
    "256-x-256/dall-e": {"litellm_provider": "openai", "input_cost_per_pixel": 0.001},
    "by-the-second": {"litellm_provider": "replicate", "mode": "chat", "cost_per_second": 3.0},
    "video": {"litellm_provider": "openai", "mode": "video_generation", "output_cost_per_second": 3.0},
}


@pytest.fixture
def price_list(tmp_path: Path) -> Path:
    file = tmp_path / "prices.json"
    file.write_text(json.dumps(LIST), encoding="utf-8")
    return file


def charged(file: Path, deployment: Deployment, usage: Usage, route: Route = Route.CHAT, **more: Any) -> float | None:
    return Prices({"e": deployment}, file).cost("e", more.pop("model", ""), route, usage, **more)


TOKENS = Usage(10, 1)
ROWS = {
    "provider and model": (Deployment("openai/gpt"), 12.0),
    "its own row comes first": (Deployment("azure/gpt"), 34.0),
    "the model behind a deployment": (Deployment("azure/our-name", base_model="azure/gpt"), 34.0),
    "a region's row": (Deployment("bedrock/anthropic.claude", {"aws_region_name": "eu-west-1"}), 60.0),
    "a region without a row": (Deployment("bedrock/anthropic.claude", {"aws_region_name": "us-east-1"}), 55.0),
    "an inference profile": (Deployment("bedrock/eu.anthropic.claude"), 55.0),
    "a provider of several names": (Deployment("vertex_ai/gemini"), 70.0),
    "the surcharge of a region": (Deployment("vertex_ai/gemini", {"vertex_location": "europe-west4"}), 105.0),
    "another's model of that name": (Deployment("groq/gpt"), None),
    "a model that is not listed": (Deployment("openai/llama"), None),
}


@pytest.mark.parametrize("case", ROWS)
def test_the_row_of_a_deployment(price_list: Path, case: str):
    deployment, cost = ROWS[case]
    assert charged(price_list, deployment, TOKENS) == cost


def test_an_unknown_endpoint_has_no_price():
    assert Prices({}).cost("e", "", Route.CHAT, TOKENS) is None


def test_stated_prices_are_the_only_ones(price_list: Path):
    stated = {"input_cost_per_token": "5e-1", "output_cost_per_token": 0.25}
    usage = Usage(10, 4, cached_tokens=5)
    assert charged(price_list, Deployment("openai/gpt", stated), usage) == 6.0


def test_cost_tracking_that_is_disabled_costs_nothing(price_list: Path):
    free = {"input_cost_per_token": 0, "output_cost_per_token": 0}
    for route, usage in ((Route.CHAT, TOKENS), (Route.IMAGES, Usage(images=3)), (Route.TRANSCRIPTIONS, Usage(seconds=5))):
        assert charged(price_list, Deployment("openai/whisper", free), usage, route) == 0.0


def test_a_price_of_tokens_is_none_of_seconds(price_list: Path):
    stated = {"input_cost_per_token": 1.0, "output_cost_per_token": 1.0}
    assert charged(price_list, Deployment("openai/whisper", stated), Usage(seconds=5), Route.TRANSCRIPTIONS) is None


UNITS: dict[str, tuple[str, Route, Usage, dict[str, Any], float | None]] = {
    "seconds of audio": ("openai/whisper", Route.TRANSCRIPTIONS, Usage(seconds=4), {}, 2.0),
    "characters": ("openai/tts", Route.SPEECH, Usage(characters=8), {}, 2.0),
    "queries": ("cohere/rerank", Route.RERANK, Usage(queries=3), {}, 6.0),
    "pictures": ("openai/dall-e", Route.IMAGES, Usage(images=2), {}, 8.0),
    "pictures by size and quality": (
        "openai/dall-e",
        Route.IMAGES,
        Usage(images=2),
        {"size": "1024x1792", "quality": "hd"},
        16.0,
    ),
    "pixels": ("openai/dall-e", Route.IMAGES, Usage(images=2), {"size": "256x256"}, 2 * 256 * 256 * 0.001),
    "a size without a row": ("openai/dall-e", Route.IMAGES, Usage(images=1), {"size": "1x1"}, 4.0),
    "seconds of a machine": ("replicate/by-the-second", Route.CHAT, TOKENS, {"seconds": 2.0}, 6.0),
    "seconds of a film are not those of the request": ("openai/video", Route.CHAT, TOKENS, {"seconds": 2.0}, None),
    "an unknown length": ("openai/whisper", Route.TRANSCRIPTIONS, Usage(), {}, None),
}


@pytest.mark.parametrize("case", UNITS)
def test_what_has_a_price_of_its_own(price_list: Path, case: str):
    model, route, usage, more, cost = UNITS[case]
    assert charged(price_list, Deployment(model), usage, route, **more) == cost


def test_a_group_that_serves_any_knows_all_of_its_provider(price_list: Path):
    deployment = Deployment("openai/*")
    assert charged(price_list, deployment, TOKENS, model="gpt") == 12.0
    assert charged(price_list, deployment, TOKENS, model="nobody") is None
    assert set(Prices({"e": deployment}, price_list)._rows) == {name for name in LIST if "openai" in str(LIST[name])} - {
        "sample_spec"
    }


def test_only_the_rows_of_served_models_are_kept(price_list: Path):
    assert set(Prices({"e": Deployment("openai/gpt")}, price_list)._rows) == {"gpt", "azure/gpt"}


def test_deployments_are_read_from_a_rendered_configuration():
    entry = {"litellm_params": {"model": "openai/gpt"}, "model_info": {"id": "m/endpoint-0", "base_model": "gpt"}}
    assert deployments({"model_list": [entry]}) == {"m/endpoint-0": Deployment("openai/gpt", {"model": "openai/gpt"}, "gpt")}


@pytest.mark.parametrize("text", ['{"a": 1, "b": {"c": [2]}}', '{\n"a":1,\r\n\t"b" :{"c":[2]}\n}', "{}"])
def test_a_list_is_read_member_by_member(text: str):
    assert dict(entries(text)) == json.loads(text)


@pytest.mark.parametrize("text", ["", "[]", '{"a" 1}', '{"a": }', '{"a": 1'])
def test_a_list_that_is_no_object_is_an_error(text: str):
    with pytest.raises(ValueError):  # noqa: PT011 - json's own error is one
        list(entries(text))


def test_a_row_keeps_its_prices_alone(tmp_path: Path):
    file = tmp_path / "list.json"
    file.write_text(json.dumps({"m": {**LIST["gpt"], "max_tokens": 5, "supports_vision": True}}), encoding="utf-8")
    assert json.loads(rows(file, Wanted(frozenset({"m"})))["m"]) == LIST["gpt"]


def test_prices_are_read_without_litellm():
    code = (
        "import sys; from langop_model.gateway.accounting.prices import *; "
        "p = Prices({'e': Deployment('openai/gpt-4o-mini')}); "
        "assert p.cost('e', '', 'chat', Usage(1000, 1000)); assert 'litellm' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True)


# Tokens.

BASE = {"input_cost_per_token": 1.0, "output_cost_per_token": 10.0}
SUMS: dict[str, tuple[dict[str, Any], Usage, float]] = {
    "question and answer": ({}, Usage(3, 2), 23.0),
    "cached tokens": ({"cache_read_input_token_cost": 0.5}, Usage(10, 0, cached_tokens=4), 8.0),
    "cached tokens without a price": ({}, Usage(10, 0, cached_tokens=4), 10.0),
    "cached tokens that are free": ({"cache_read_input_token_cost": 0}, Usage(10, 0, cached_tokens=4), 6.0),
    "tokens into the cache": (
        {"cache_creation_input_token_cost": 2.0, "cache_creation_input_token_cost_above_1hr": 3.0},
        Usage(10, 0, cache_creation_tokens=5, cache_creation_hour_tokens=2),
        5 + 3 * 2.0 + 2 * 3.0,
    ),
    "an hour without a price": (
        {"cache_creation_input_token_cost": 2.0},
        Usage(10, 0, cache_creation_tokens=5, cache_creation_hour_tokens=2),
        15.0,
    ),
    "reasoning": ({"output_cost_per_reasoning_token": 20.0}, Usage(0, 5, reasoning_tokens=2), 70.0),
    "reasoning without a price": ({}, Usage(0, 5, reasoning_tokens=2), 50.0),
    "sound": (
        {"input_cost_per_audio_token": 4.0, "output_cost_per_audio_token": 40.0},
        Usage(10, 5, audio_input_tokens=2, audio_output_tokens=1),
        8 + 8.0 + 40 + 40.0,
    ),
    "sound from the cache is not counted twice": (
        {"input_cost_per_audio_token": 4.0, "cache_read_input_token_cost": 0.5},
        Usage(10, 0, cached_tokens=9, audio_input_tokens=5),
        4.5 + 4.0,
    ),
    "sound in a long question": (
        {"input_cost_per_audio_token": 4.0, "input_cost_per_audio_token_above_200k_tokens": 5.0},
        Usage(200_001, 0, audio_input_tokens=1),
        200_000.0 + 5.0,
    ),
    "sound in a long question of a tier": (
        {
            "input_cost_per_audio_token_above_128k_tokens": 3.0,
            "input_cost_per_audio_token_above_200k_tokens": 5.0,
            "input_cost_per_audio_token_above_200k_tokens_priority": 6.0,
        },
        Usage(200_001, 0, audio_input_tokens=1, tier="priority"),
        200_000.0 + 6.0,
    ),
    "pictures": ({"input_cost_per_image_token": 3.0}, Usage(10, 0, image_input_tokens=4), 6 + 12.0),
    "a service tier": ({"input_cost_per_token_flex": 0.5, "output_cost_per_token_flex": 5.0}, Usage(2, 2, tier="flex"), 11.0),
    "a tier without a price": ({}, Usage(2, 2, tier="flex"), 22.0),
    "a batch": ({"input_cost_per_token_batches": 0.5}, Usage(2, 0, tier="batch"), 1.0),
    "up to a threshold": ({"input_cost_per_token_above_200k_tokens": 2.0}, Usage(200_000, 0), 200_000.0),
    "above a threshold": (
        {"input_cost_per_token_above_200k_tokens": 2.0, "output_cost_per_token_above_200k_tokens": 15.0},
        Usage(200_001, 2),
        400_002.0 + 30,
    ),
    "above the higher of two": (
        {"input_cost_per_token_above_128k_tokens": 2.0, "input_cost_per_token_above_200k_tokens": 3.0},
        Usage(300_000, 0),
        900_000.0,
    ),
    "above a threshold in a tier": (
        {"input_cost_per_token_above_200k_tokens": 2.0, "input_cost_per_token_above_200k_tokens_priority": 4.0},
        Usage(300_000, 0, tier="priority"),
        1_200_000.0,
    ),
}


@pytest.mark.parametrize("case", SUMS)
def test_the_cost_of_tokens(case: str):
    prices, usage, cost = SUMS[case]
    assert Row({**BASE, **prices}).cost(usage) == pytest.approx(cost)


TIERED = {
    "tiered_pricing": [
        {"range": [0, 1000], "input_cost_per_token": 1.0, "output_cost_per_token": 2.0},
        {"range": [1000, 2000], "input_cost_per_token": 3.0, "output_cost_per_token": 4.0},
    ]
}


@pytest.mark.parametrize(("asked", "cost"), [(1000, 1002.0), (1001, 3007.0), (5000, 15004.0), (0, 0.0)])
def test_a_whole_request_has_the_price_of_its_range(asked: int, cost: float):
    assert Row(TIERED).cost(Usage(asked, 1 if asked else 0)) == cost


OFF_PEAK = {
    **BASE,
    "off_peak_pricing": {
        "input_cost_per_token": 0.5,
        "weekday_timezone": "Asia/Shanghai",
        "windows": [
            {"hours_utc": ["22:00-02:00"], "weekdays": [1, 2, 3, 4, 5]},
            {"hours_utc": "00:00-00:00", "weekdays": [6, 7]},
        ],
    },
}


@pytest.mark.parametrize(
    ("now", "cost"),
    [
        (datetime(2026, 11, 25, 12, tzinfo=UTC), 10.0),  # a Wednesday
        (datetime(2026, 11, 25, 23, tzinfo=UTC), 5.0),
        (datetime(2026, 11, 26, 1, 59, tzinfo=UTC), 5.0),
        (datetime(2026, 11, 26, 2, tzinfo=UTC), 10.0),
        (datetime(2026, 11, 27, 15, tzinfo=UTC), 10.0),  # Friday, 23:00 in Shanghai
        (datetime(2026, 11, 27, 17, tzinfo=UTC), 5.0),  # Saturday there
    ],
)
def test_off_peak_prices_have_their_hours(now: datetime, cost: float):
    assert Row(OFF_PEAK).cost(Usage(10, 0), now) == cost
