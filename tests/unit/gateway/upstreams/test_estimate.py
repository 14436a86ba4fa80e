"""The estimate of tokens where a provider reports none."""

from __future__ import annotations

from typing import Any

import pytest

from langop_model.gateway.upstreams.base import Route
from langop_model.gateway.upstreams.estimate import (
    DOCUMENT_TOKENS,
    IMAGE_TOKENS,
    LOW_DETAIL_IMAGE_TOKENS,
    MESSAGE_TOKENS,
    answer_tokens,
    question_tokens,
)

WORDS = "x" * 400  # about a hundred tokens


def message(*content: dict[str, Any]) -> dict[str, Any]:
    return {"messages": [{"role": "user", "content": list(content)}]}


QUESTIONS: dict[str, tuple[dict[str, Any], float]] = {
    "chat": ({"messages": [{"role": "user", "content": WORDS}]}, 100 + MESSAGE_TOKENS),
    "completions": ({"prompt": WORDS}, 100),
    "a list of prompts": ({"prompt": [WORDS, WORDS]}, 200),
    "a prompt in tokens": ({"prompt": [1, 2, 3]}, 3),
    "embeddings": ({"input": [WORDS]}, 100),
    "messages with a system text": ({"system": WORDS, "messages": []}, 100),
    "gemini": ({"contents": [{"parts": [{"text": WORDS}]}]}, 100),
    "rerank": ({"query": WORDS, "documents": [WORDS, {"text": WORDS}]}, 300),
    "settings are no question": ({"model": WORDS, "user": WORDS, "temperature": 1}, 0),
    "a picture": (message({"type": "image_url", "image_url": {"url": "data:image/png;base64," + WORDS * 100}}), IMAGE_TOKENS),
    "a picture in low detail": (
        message({"type": "image_url", "image_url": {"url": WORDS, "detail": "low"}}),
        LOW_DETAIL_IMAGE_TOKENS,
    ),
    "anthropic's picture": (message({"type": "image", "source": {"type": "base64", "data": WORDS * 100}}), IMAGE_TOKENS),
    "a document": (message({"type": "document", "source": {"data": WORDS * 100}}), DOCUMENT_TOKENS),
    "two minutes of sound": (
        message({"type": "input_audio", "input_audio": {"data": "x" * (120 * 16_000 * 4 // 3), "format": "mp3"}}),
        120 * 32,
    ),
    "gemini's picture": ({"contents": [{"parts": [{"inlineData": {"mimeType": "image/png", "data": WORDS}}]}]}, IMAGE_TOKENS),
}


@pytest.mark.parametrize("case", QUESTIONS)
def test_a_question(case: str):
    body, tokens = QUESTIONS[case]
    assert question_tokens(body) == pytest.approx(tokens, abs=MESSAGE_TOKENS + 1)


def test_a_japanese_character_is_about_a_token():
    assert question_tokens({"prompt": "日" * 100}) == 75


def test_tools_are_part_of_the_question():
    tool = {"type": "function", "function": {"name": "f", "description": WORDS}}
    assert question_tokens({"messages": [], "tools": [tool]}) >= 100


ANSWERS: dict[str, tuple[Route, dict[str, Any], int]] = {
    "chat": (Route.CHAT, {"choices": [{"message": {"role": "assistant", "content": WORDS}}], "id": WORDS}, 100),
    "a tool call": (Route.CHAT, {"choices": [{"message": {"tool_calls": [{"function": {"arguments": WORDS}}]}}]}, 100),
    "reasoning": (Route.CHAT, {"choices": [{"message": {"reasoning_content": WORDS, "content": WORDS}}]}, 200),
    "messages": (Route.MESSAGES, {"content": [{"type": "text", "text": WORDS}]}, 100),
    "a response": (Route.RESPONSES, {"output": [{"content": [{"type": "output_text", "text": WORDS}]}]}, 100),
    "gemini": (Route.GENERATE_CONTENT, {"candidates": [{"content": {"parts": [{"text": WORDS}]}}]}, 100),
    "vectors": (Route.EMBEDDINGS, {"data": [{"embedding": "x" * 4000}]}, 0),
    "pictures": (Route.IMAGES, {"data": [{"b64_json": "x" * 4000}]}, 0),
}


@pytest.mark.parametrize("case", ANSWERS)
def test_an_answer(case: str):
    route, body, tokens = ANSWERS[case]
    assert answer_tokens(route, body) == tokens


def test_deep_nesting_is_not_followed_to_its_end():
    node: Any = "x"
    for _ in range(10_000):
        node = {"content": [node]}
    assert question_tokens({"messages": [node]}) == 0
    assert answer_tokens(Route.CHAT, node) == 0
