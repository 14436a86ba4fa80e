"""Where LiteLLM makes a tool of JSON mode, that tool's call is the answer: whole and streamed, and on each API."""

from __future__ import annotations

import json
from typing import Any

import pytest

from langop_model.gateway.upstreams.base import Route
from stand_in.answer import Answer, as_json, as_stream, event
from tests.wire.cases import CASES
from tests.wire.deployments import MESSAGE, asked
from tests.wire.wire import QUESTION, Wire

JSON = {**MESSAGE, "response_format": {"type": "json_object"}}
SAID = {"capital": "Paris"}
TEXT = json.dumps(SAID)
USAGE = {"input_tokens": 3, "output_tokens": 5}


def anthropic() -> tuple[Answer, Answer]:
    block = {"type": "tool_use", "id": "toolu_1", "name": "json_tool_call", "input": SAID}
    message = {"id": "msg_1", "type": "message", "role": "assistant", "model": "m", "stop_sequence": None, "usage": USAGE}
    events: tuple[dict[str, Any], ...] = (
        {"type": "message_start", "message": {**message, "content": [], "stop_reason": None}},
        {"type": "content_block_start", "index": 0, "content_block": {**block, "input": {}}},
        *(
            {"type": "content_block_delta", "index": 0, "delta": {"type": "input_json_delta", "partial_json": part}}
            for part in (TEXT[:9], TEXT[9:])
        ),
        {"type": "content_block_stop", "index": 0},
        {"type": "message_delta", "delta": {"stop_reason": "tool_use"}, "usage": {"output_tokens": 5}},
        {"type": "message_stop"},
    )
    whole = as_json({**message, "content": [block], "stop_reason": "tool_use"})
    return whole, as_stream(event(each, each["type"]) for each in events)


def bedrock() -> tuple[Answer, Answer]:
    """LiteLLM asks this model for a whole answer in both cases."""
    call = {"toolUse": {"toolUseId": "t1", "name": "json_tool_call", "input": SAID}}
    usage = {"inputTokens": 3, "outputTokens": 5, "totalTokens": 8}
    message = {"message": {"role": "assistant", "content": [call]}}
    whole = as_json({"output": message, "stopReason": "tool_use", "usage": usage, "metrics": {"latencyMs": 1}})
    return whole, whole


def gigachat() -> tuple[Answer, Answer]:
    message = {"role": "assistant", "content": "", "function_call": {"name": "response", "arguments": SAID}}
    usage = {"prompt_tokens": 3, "completion_tokens": 5, "total_tokens": 8}
    choice = {"index": 0, "finish_reason": "function_call", "message": message}
    whole = as_json({"object": "chat.completion", "created": 1, "model": "m", "choices": [choice], "usage": usage})
    return whole, whole


ANSWERS = {"anthropic": anthropic(), "bedrock": bedrock(), "gigachat": gigachat()}


@pytest.mark.parametrize("name", ANSWERS)
def test_the_tools_call_is_the_text_of_an_answer(name: str, wire: Wire):
    (case,) = [case for case in CASES if case.name == name]
    with asked(case, wire) as (deployed, _):
        wire.provider.behave(f"at-{name}", answer=ANSWERS[name][0])
        (choice,) = wire.ask(deployed, Route.CHAT, JSON)["choices"]
    assert json.loads(choice["message"]["content"]) == SAID
    assert choice["finish_reason"] == "stop"
    assert "tool_calls" not in choice["message"]


@pytest.mark.parametrize("name", ANSWERS)
def test_the_tools_call_is_the_text_of_a_stream(name: str, wire: Wire):
    (case,) = [case for case in CASES if case.name == name]
    with asked(case, wire) as (deployed, _):
        wire.provider.behave(f"at-{name}", answer=ANSWERS[name][1])
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
    (case,) = [case for case in CASES if case.name == "gigachat"]
    with asked(case, wire) as (deployed, _):
        wire.provider.behave("at-gigachat", answer=ANSWERS["gigachat"][0])
        events = wire.stream(deployed, route, body)
    assert json.dumps(TEXT).encode() in b"".join(events)
