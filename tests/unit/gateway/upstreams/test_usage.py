"""Usage in the forms of the providers; each body is as its documentation or its server shows it."""

from __future__ import annotations

from typing import Any

import pytest

from langop_model.gateway.upstreams.base import Route, Usage
from langop_model.gateway.upstreams.usage import tier_of, usage_of

CHAT: dict[str, tuple[dict[str, Any], Usage]] = {
    "openai": (
        {
            "usage": {
                "prompt_tokens": 2006,
                "completion_tokens": 300,
                "total_tokens": 2306,
                "prompt_tokens_details": {"cached_tokens": 1920, "audio_tokens": 10},
                "completion_tokens_details": {"reasoning_tokens": 128, "audio_tokens": 5},
            },
            "service_tier": "flex",
        },
        Usage(2006, 300, 1920, 0, 128, 10, 5, tier="flex"),
    ),
    "deepseek": (
        {"usage": {"prompt_tokens": 100, "completion_tokens": 7, "total_tokens": 107, "prompt_cache_hit_tokens": 64}},
        Usage(100, 7, cached_tokens=64),
    ),
    "moonshot": (
        {"usage": {"prompt_tokens": 100, "completion_tokens": 7, "total_tokens": 107, "cached_tokens": 50}},
        Usage(100, 7, cached_tokens=50),
    ),
    "xai counts reasoning beside": (
        {
            "usage": {
                "prompt_tokens": 10,
                "completion_tokens": 5,
                "total_tokens": 45,
                "completion_tokens_details": {"reasoning_tokens": 30},
            }
        },
        Usage(10, 35, reasoning_tokens=30),
    ),
    "openai counts reasoning in it": (
        {
            "usage": {
                "prompt_tokens": 10,
                "completion_tokens": 35,
                "total_tokens": 45,
                "completion_tokens_details": {"reasoning_tokens": 30},
            }
        },
        Usage(10, 35, reasoning_tokens=30),
    ),
    "a chunk of groq": (
        {"choices": [], "x_groq": {"usage": {"prompt_tokens": 3, "completion_tokens": 4, "total_tokens": 7}}},
        Usage(3, 4),
    ),
    "a proxy with both names": (
        {"usage": {"prompt_tokens": 30, "completion_tokens": 4, "cache_read_input_tokens": 20, "input_tokens": 30}},
        Usage(30, 4),
    ),
    "the default tier": (
        {"usage": {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2}, "service_tier": "default"},
        Usage(1, 1),
    ),
    "numbers that are none": ({"usage": {"prompt_tokens": "7", "completion_tokens": -3, "total_tokens": None}}, Usage(0, 0)),
}


@pytest.mark.parametrize("case", CHAT)
def test_a_chats_usage(case: str):
    body, usage = CHAT[case]
    assert usage_of(Route.CHAT, body) == usage


@pytest.mark.parametrize("body", [{}, {"usage": None}, {"usage": []}, {"usage": {}}, {"choices": []}])
def test_an_answer_without_usage_has_none(body: dict[str, Any]):
    assert usage_of(Route.CHAT, body) is None


def test_anthropic_counts_cached_tokens_beside_the_input():
    body = {
        "usage": {
            "input_tokens": 50,
            "cache_read_input_tokens": 1000,
            "cache_creation_input_tokens": 300,
            "cache_creation": {"ephemeral_5m_input_tokens": 100, "ephemeral_1h_input_tokens": 200},
            "output_tokens": 9,
            "service_tier": "priority",
        }
    }
    expected = Usage(1350, 9, 1000, 300, cache_creation_hour_tokens=200, tier="priority")
    assert usage_of(Route.MESSAGES, body) == expected


def test_responses_count_cached_tokens_in_the_input():
    body = {
        "usage": {
            "input_tokens": 75,
            "input_tokens_details": {"cached_tokens": 32},
            "output_tokens": 1186,
            "output_tokens_details": {"reasoning_tokens": 1024},
            "total_tokens": 1261,
        },
        "service_tier": "default",
    }
    assert usage_of(Route.RESPONSES, body) == Usage(75, 1186, cached_tokens=32, reasoning_tokens=1024)


def test_what_has_details_of_its_input_counts_cached_tokens_in_it():
    """Anthropic's usages have none: a server that adds its names to OpenAI's counts as OpenAI does."""
    details = {"cached_tokens": 32, "cache_write_tokens": 10}
    named = {"cache_read_input_tokens": 32, "cache_creation_input_tokens": 10}
    body = {"usage": {"input_tokens": 75, "input_tokens_details": details, **named, "output_tokens": 9}}
    assert usage_of(Route.RESPONSES, body) == Usage(75, 9, cached_tokens=32, cache_creation_tokens=10)


@pytest.mark.parametrize(("said", "tier"), [("Flex", "flex"), ("standard", ""), (None, ""), ("x" * 65, ""), ("\udc80", "")])
def test_the_name_of_a_tier(said: str | None, tier: str):
    assert tier_of(said) == tier


def test_gemini_counts_thoughts_and_tools_beside():
    body = {
        "usageMetadata": {
            "promptTokenCount": 40,
            "toolUsePromptTokenCount": 5,
            "candidatesTokenCount": 10,
            "thoughtsTokenCount": 90,
            "cachedContentTokenCount": 20,
            "totalTokenCount": 145,
            "promptTokensDetails": [{"modality": "TEXT", "tokenCount": 30}, {"modality": "AUDIO", "tokenCount": 10}],
            "trafficType": "ON_DEMAND_PRIORITY",
        }
    }
    expected = Usage(45, 100, cached_tokens=20, reasoning_tokens=90, audio_input_tokens=10, tier="priority")
    assert usage_of(Route.GENERATE_CONTENT, body) == expected


OTHERS: dict[str, tuple[Route, dict[str, Any], Usage]] = {
    "embeddings": (Route.EMBEDDINGS, {"usage": {"prompt_tokens": 8, "total_tokens": 8}}, Usage(8)),
    "embeddings of voyage": (Route.EMBEDDINGS, {"usage": {"total_tokens": 8}}, Usage(8)),
    "rerank of cohere": (Route.RERANK, {"meta": {"billed_units": {"search_units": 3}}}, Usage(queries=3)),
    "rerank of jina": (Route.RERANK, {"usage": {"total_tokens": 815}}, Usage(815, queries=1)),
    "rerank that says nothing": (Route.RERANK, {"results": []}, Usage(queries=1)),
    "pictures by number": (Route.IMAGES, {"data": [{}, {}]}, Usage(images=2)),
    "pictures by token": (
        Route.IMAGES,
        {
            "data": [{}],
            "usage": {
                "total_tokens": 100,
                "input_tokens": 50,
                "output_tokens": 50,
                "input_tokens_details": {"text_tokens": 10, "image_tokens": 40},
            },
        },
        Usage(50, 50, image_input_tokens=40, images=1),
    ),
    "a transcription by token": (
        Route.TRANSCRIPTIONS,
        {
            "text": "",
            "usage": {
                "type": "tokens",
                "input_tokens": 14,
                "input_token_details": {"text_tokens": 0, "audio_tokens": 14},
                "output_tokens": 45,
                "total_tokens": 59,
            },
        },
        Usage(14, 45, audio_input_tokens=14),
    ),
    "a transcription by second": (
        Route.TRANSCRIPTIONS,
        {"text": "", "usage": {"type": "duration", "seconds": 9}},
        Usage(seconds=9.0),
    ),
    "a verbose transcription": (Route.TRANSCRIPTIONS, {"text": "", "duration": 8.47}, Usage(seconds=8.47)),
    "a count of tokens uses none": (Route.COUNT_TOKENS, {"input_tokens": 2095}, Usage()),
}


@pytest.mark.parametrize("case", OTHERS)
def test_the_usage_of_other_routes(case: str):
    route, body, usage = OTHERS[case]
    assert usage_of(route, body) == usage
