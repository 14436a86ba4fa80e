"""What the translator reads of the usage in LiteLLM's answers, each as LiteLLM writes it, and what a client is told."""

from __future__ import annotations

from typing import Any

import pytest

from langop_model.gateway.upstreams.base import Route, Usage
from langop_model.gateway.upstreams.translator_protocol import dump_usage, load_usage
from langop_model.translator.usage import taken_from

CLAUDE_BY_CHAT = {
    "prompt_tokens": 1350,
    "completion_tokens": 9,
    "total_tokens": 1359,
    "prompt_tokens_details": {
        "cached_tokens": 1000,
        "cache_write_tokens": 300,
        "cache_creation_token_details": {"ephemeral_5m_input_tokens": 100, "ephemeral_1h_input_tokens": 200},
    },
    "cache_read_input_tokens": 1000,
    "cache_creation_input_tokens": 300,
}
CASES: dict[str, tuple[Route, dict[str, Any], Usage | None]] = {
    "a chat of Anthropic's": (
        Route.CHAT,
        {"usage": CLAUDE_BY_CHAT},
        Usage(1350, 9, 1000, 300, cache_creation_hour_tokens=200),
    ),
    "a chat in a tier": (
        Route.CHAT,
        {"usage": {"prompt_tokens": 5, "completion_tokens": 7, "total_tokens": 12}, "service_tier": "flex"},
        Usage(5, 7, tier="flex"),
    ),
    "a chat with pictures and sound": (
        Route.CHAT,
        {
            "usage": {
                "prompt_tokens": 50,
                "completion_tokens": 60,
                "total_tokens": 110,
                "prompt_tokens_details": {"audio_tokens": 10, "image_tokens": 20},
                "completion_tokens_details": {"reasoning_tokens": 15, "audio_tokens": 5, "image_tokens": 30},
            }
        },
        Usage(
            50, 60, reasoning_tokens=15, audio_input_tokens=10, audio_output_tokens=5,
            image_input_tokens=20, image_output_tokens=30,
        ),
    ),
    "responses by a chat": (
        Route.RESPONSES,
        {
            "usage": {
                "input_tokens": 75,
                "input_tokens_details": {"cached_tokens": 32, "cache_write_tokens": 8},
                "output_tokens": 40,
                "output_tokens_details": {"reasoning_tokens": 16},
                "total_tokens": 115,
            }
        },
        Usage(75, 40, 32, 8, 16),
    ),
    "messages": (
        Route.MESSAGES,
        {"usage": {"input_tokens": 50, "output_tokens": 9, "cache_read_input_tokens": 1000, "cache_creation_input_tokens": 3}},
        Usage(1053, 9, 1000, 3),
    ),
    "gemini": (
        Route.GENERATE_CONTENT,
        {
            "usageMetadata": {
                "promptTokenCount": 40,
                "toolUsePromptTokenCount": 5,
                "candidatesTokenCount": 10,
                "thoughtsTokenCount": 90,
                "totalTokenCount": 145,
                "promptTokensDetails": [{"modality": "AUDIO", "tokenCount": 30}],
            }
        },
        Usage(45, 100, reasoning_tokens=90, audio_input_tokens=30),
    ),
    "pictures": (
        Route.IMAGES,
        {"data": [{}, {}], "usage": {"input_tokens": 50, "output_tokens": 70, "total_tokens": 120}},
        Usage(50, 70, images=2),
    ),
    "a recording by token": (
        Route.TRANSCRIPTIONS,
        {"usage": {"type": "tokens", "input_tokens": 14, "input_token_details": {"audio_tokens": 14}, "output_tokens": 45}},
        Usage(14, 45, audio_input_tokens=14),
    ),
    "a recording by second": (Route.TRANSCRIPTIONS, {"usage": {"type": "duration", "seconds": 9}}, None),
    "numbers that are none": (Route.CHAT, {"usage": {"prompt_tokens": -3, "completion_tokens": 2**60}}, None),
    "nothing": (Route.CHAT, {}, None),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_the_usage_of_an_answer(case: str):
    route, content, usage = CASES[case]
    told = {**content}
    assert taken_from(told, route) == usage
    assert told == content  # as the provider said it


ZEROS = {"prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 0}


@pytest.mark.parametrize(
    ("route", "content", "told"),
    [
        (Route.CHAT, {"usage": {**ZEROS, "prompt_tokens_details": {"cached_tokens": 0}}}, {}),
        (Route.GENERATE_CONTENT, {"usageMetadata": {"promptTokenCount": 0}}, {}),
        (Route.MESSAGES, {"usage": {"input_tokens": 0}}, {"usage": {"input_tokens": 0}}),
    ],
)
def test_zeros_are_no_usage_and_told_only_where_one_is_demanded(route: Route, content: dict[str, Any], told: dict[str, Any]):
    assert taken_from(content, route) is None
    assert content == told


def test_litellms_cost_is_not_told():
    content = {"usage": {"prompt_tokens": 5, "completion_tokens": 7, "total_tokens": 12, "cost": 0.5}}
    assert taken_from(content, Route.CHAT) == Usage(5, 7)
    assert "cost" not in content["usage"]


@pytest.mark.parametrize("usage", [None, Usage(1350, 9, 1000, 300, cache_creation_hour_tokens=200, tier="priority")])
def test_the_gateway_gets_the_usage_that_was_read(usage: Usage | None):
    assert load_usage(dump_usage(usage)) == usage
