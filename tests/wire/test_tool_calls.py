"""Calls of tools in an answer that LiteLLM translates: whole and streamed, in each provider's own words."""

from __future__ import annotations

import json
from typing import Any

import pytest

from langop_model.gateway.upstreams.base import Route
from tests.wire.deployments import MESSAGE, answering
from tests.wire.wire import Wire
from tests.wire.words import WORDS, Said

TOOLS = [
    {
        "type": "function",
        "function": {"name": name, "parameters": {"type": "object", "properties": {"where": {"type": "string"}}}},
    }
    for name in ("weather", "time")
]
ARGUMENTS: dict[str, dict[str, Any]] = {"weather": {"where": "Paris"}, "time": {"where": "Quito"}}
SAID = Said(("Let me look.",), calls=ARGUMENTS)
CALLING = {"anthropic": 2, "bedrock": 2, "gemini": 2, "cohere_chat": 2, "ollama_chat": 2, "gigachat": 1}  # at a time


@pytest.mark.parametrize(("name", "parallel"), CALLING.items())
def test_calls_arrive_whole(name: str, parallel: int, wire: Wire):
    with answering(name, wire, WORDS[name](SAID).whole) as deployed:
        (choice,) = wire.ask(deployed, Route.CHAT, {**MESSAGE, "tools": TOOLS})["choices"]
    called = [(call["function"]["name"], json.loads(call["function"]["arguments"])) for call in choice["message"]["tool_calls"]]
    assert called == list(ARGUMENTS.items())[:parallel]
    assert len({call["id"] for call in choice["message"]["tool_calls"]}) == parallel
    assert choice["finish_reason"] == "tool_calls"


@pytest.mark.parametrize(("name", "parallel"), CALLING.items())
def test_calls_arrive_in_a_stream(name: str, parallel: int, wire: Wire):
    with answering(name, wire, WORDS[name](SAID).stream) as deployed:
        events = wire.stream(deployed, Route.CHAT, {**MESSAGE, "tools": TOOLS})
    choices = [choice for each in events[:-1] for choice in json.loads(each.removeprefix(b"data: "))["choices"]]
    called: dict[int, dict[str, str]] = {}
    for part in [part for choice in choices for part in choice["delta"].get("tool_calls") or ()]:
        call = called.setdefault(part["index"], {"id": "", "name": "", "arguments": ""})
        call["id"] += part.get("id") or ""
        call["name"] += part["function"].get("name") or ""
        call["arguments"] += part["function"].get("arguments") or ""
    found = [(call["name"], json.loads(call["arguments"])) for _, call in sorted(called.items())]
    assert found == list(ARGUMENTS.items())[:parallel]
    assert len({call["id"] for call in called.values()}) == parallel
    assert [choice["finish_reason"] for choice in choices if choice.get("finish_reason")] == ["tool_calls"]
