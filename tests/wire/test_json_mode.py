"""Where LiteLLM makes a tool of JSON mode, that tool's call is the answer: whole and streamed, and on each API."""

from __future__ import annotations

import json
from typing import Any

import pytest

from langop_model.gateway.upstreams.base import Route
from tests.wire.deployments import MESSAGE, answering
from tests.wire.wire import QUESTION, Wire
from tests.wire.words import WORDS, Said

JSON = {**MESSAGE, "response_format": {"type": "json_object"}}
SAID = {"capital": "Paris"}
TEXT = json.dumps(SAID)


TOOLS = {"anthropic": "json_tool_call", "bedrock": "json_tool_call", "gigachat": "response"}
WORDS_OF = {name: WORDS[name](Said(calls={tool: SAID})) for name, tool in TOOLS.items()}
WHOLE = {name: words.whole for name, words in WORDS_OF.items()}
STREAMED = {**WHOLE, "anthropic": WORDS_OF["anthropic"].stream}  # the others are asked for a whole answer


@pytest.mark.parametrize("name", WHOLE)
def test_the_tools_call_is_the_text_of_an_answer(name: str, wire: Wire):
    with answering(name, wire, WHOLE[name]) as deployed:
        (choice,) = wire.ask(deployed, Route.CHAT, JSON)["choices"]
    assert json.loads(choice["message"]["content"]) == SAID
    assert choice["finish_reason"] == "stop"
    assert "tool_calls" not in choice["message"]


@pytest.mark.parametrize("name", STREAMED)
def test_the_tools_call_is_the_text_of_a_stream(name: str, wire: Wire):
    with answering(name, wire, STREAMED[name]) as deployed:
        parts = [json.loads(each.removeprefix(b"data: ")) for each in wire.stream(deployed, Route.CHAT, JSON)[:-1]]
    choices = [choice for part in parts for choice in part["choices"]]
    assert json.loads("".join(choice["delta"].get("content") or "" for choice in choices)) == SAID
    assert [choice["finish_reason"] for choice in choices if choice.get("finish_reason")] == ["stop"]
    assert not [choice for choice in choices if choice["delta"].get("tool_calls")]


@pytest.mark.parametrize(
    ("route", "body"),
    [
        (Route.RESPONSES, {"input": QUESTION, "text": {"format": {"type": "json_object"}}}),
        (
            Route.MESSAGES,
            {**MESSAGE, "max_tokens": 99, "output_config": {"format": {"type": "json_schema", "schema": {"type": "object"}}}},
        ),
        (
            Route.GENERATE_CONTENT,
            {
                "contents": [{"role": "user", "parts": [{"text": QUESTION}]}],
                "generationConfig": {"responseMimeType": "application/json"},
            },
        ),
    ],
    ids=lambda each: str(each) if isinstance(each, Route) else "",
)
def test_the_functions_call_is_the_text_of_a_stream_of_each_api(route: Route, body: dict[str, Any], wire: Wire):
    """GigaChat's, which LiteLLM reads as a call of the client's own where it comes in a stream."""
    with answering("gigachat", wire, WHOLE["gigachat"]) as deployed:
        events = wire.stream(deployed, route, body)
    assert json.dumps(TEXT).encode() in b"".join(events)
