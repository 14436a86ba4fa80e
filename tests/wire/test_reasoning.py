"""What a model thinks before it answers, in each provider's own words: `reasoning_content`, whole and streamed."""

from __future__ import annotations

import json

import pytest

from langop_model.gateway.upstreams.base import Route
from tests.wire.deployments import MESSAGE, answering
from tests.wire.wire import Wire
from tests.wire.words import WORDS, Said

THOUGHT, TEXT = "France, so", "Paris"
SAID = Said((TEXT,), THOUGHT)
THINKING = ("anthropic", "bedrock", "gemini", "ollama_chat")  # LiteLLM leaves out what a model of Cohere thinks


@pytest.mark.parametrize("name", THINKING)
def test_a_whole_answer(name: str, wire: Wire):
    with answering(name, wire, WORDS[name](SAID).whole) as deployed:
        (choice,) = wire.ask(deployed, Route.CHAT, MESSAGE)["choices"]
    assert (choice["message"]["content"], choice["message"].get("reasoning_content")) == (TEXT, THOUGHT)


@pytest.mark.parametrize("name", THINKING)
def test_a_stream(name: str, wire: Wire):
    with answering(name, wire, WORDS[name](SAID).stream) as deployed:
        parts = [json.loads(each.removeprefix(b"data: ")) for each in wire.stream(deployed, Route.CHAT, MESSAGE)[:-1]]
    deltas = [choice["delta"] for part in parts for choice in part["choices"]]
    assert "".join(delta.get("content") or "" for delta in deltas) == TEXT
    assert "".join(delta.get("reasoning_content") or "" for delta in deltas) == THOUGHT
