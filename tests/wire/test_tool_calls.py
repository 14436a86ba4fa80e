"""Calls of tools in an answer that LiteLLM translates: whole and streamed, in each provider's own words."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

import pytest

from langop_model.gateway.upstreams.base import Route
from stand_in.answer import Answer, as_json, as_stream, event
from stand_in.bedrock import frame
from tests.wire.cases import CASES
from tests.wire.deployments import MESSAGE, asked
from tests.wire.wire import Wire

TOOLS = [
    {
        "type": "function",
        "function": {"name": name, "parameters": {"type": "object", "properties": {"where": {"type": "string"}}}},
    }
    for name in ("weather", "time")
]
ARGUMENTS: dict[str, dict[str, Any]] = {"weather": {"where": "Paris"}, "time": {"where": "Quito"}}
TEXT = "Let me look."


class Words(NamedTuple):
    """How a provider says that it calls tools: all at once, and in a stream. `parallel` is how many it can call at a time."""

    whole: Answer
    stream: Answer
    parallel: int = 2


def halves(name: str) -> tuple[str, str]:
    text = json.dumps(ARGUMENTS[name])
    return text[:9], text[9:]


def anthropic() -> Words:
    message = {"id": "msg_1", "type": "message", "role": "assistant", "model": "m", "stop_sequence": None}
    usage = {"input_tokens": 3, "output_tokens": 5}
    uses = [{"type": "tool_use", "id": f"toolu_{name}", "name": name, "input": said} for name, said in ARGUMENTS.items()]

    def events() -> Iterable[dict[str, Any]]:
        yield {"type": "message_start", "message": {**message, "content": [], "stop_reason": None, "usage": usage}}
        yield {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}}
        yield {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": TEXT}}
        yield {"type": "content_block_stop", "index": 0}
        for index, use in enumerate(uses, 1):
            yield {"type": "content_block_start", "index": index, "content_block": {**use, "input": {}}}
            for half in halves(str(use["name"])):
                yield {
                    "type": "content_block_delta",
                    "index": index,
                    "delta": {"type": "input_json_delta", "partial_json": half},
                }
            yield {"type": "content_block_stop", "index": index}
        yield {"type": "message_delta", "delta": {"stop_reason": "tool_use"}, "usage": {"output_tokens": 5}}
        yield {"type": "message_stop"}

    whole = {**message, "content": [{"type": "text", "text": TEXT}, *uses], "stop_reason": "tool_use", "usage": usage}
    return Words(as_json(whole), as_stream(event(each, each["type"]) for each in events()))


def bedrock() -> Words:
    usage = {"inputTokens": 3, "outputTokens": 5, "totalTokens": 8}
    uses = [{"toolUseId": f"tooluse_{name}", "name": name, "input": said} for name, said in ARGUMENTS.items()]

    def frames() -> Iterable[bytes]:
        yield frame("messageStart", {"role": "assistant"})
        yield frame("contentBlockDelta", {"contentBlockIndex": 0, "delta": {"text": TEXT}})
        yield frame("contentBlockStop", {"contentBlockIndex": 0})
        for index, use in enumerate(uses, 1):
            begun = {"toolUseId": use["toolUseId"], "name": use["name"]}
            yield frame("contentBlockStart", {"contentBlockIndex": index, "start": {"toolUse": begun}})
            for half in halves(str(use["name"])):
                yield frame("contentBlockDelta", {"contentBlockIndex": index, "delta": {"toolUse": {"input": half}}})
            yield frame("contentBlockStop", {"contentBlockIndex": index})
        yield frame("messageStop", {"stopReason": "tool_use"})
        yield frame("metadata", {"usage": usage, "metrics": {"latencyMs": 1}})

    content = [{"text": TEXT}, *({"toolUse": use} for use in uses)]
    whole = {"output": {"message": {"role": "assistant", "content": content}}, "stopReason": "tool_use", "usage": usage}
    return Words(as_json({**whole, "metrics": {"latencyMs": 1}}), as_stream(frames(), "application/vnd.amazon.eventstream"))


def gemini() -> Words:
    calls = [{"functionCall": {"name": name, "args": said}} for name, said in ARGUMENTS.items()]
    parts: list[dict[str, Any]] = [{"text": TEXT}, *calls]
    usage = {"promptTokenCount": 3, "candidatesTokenCount": 5, "totalTokenCount": 8}

    def said(*parts: dict[str, Any], **ended: Any) -> dict[str, Any]:
        candidate = {"content": {"role": "model", "parts": list(parts)}, "index": 0, **ended}
        return {"candidates": [candidate], "usageMetadata": usage, "modelVersion": "m", "responseId": "r"}

    ended = {"finishReason": "STOP"}
    events = [said(parts[0]), said(parts[1]), said(parts[2], **ended)]
    return Words(as_json(said(*parts, **ended)), as_stream(map(event, events)))


def cohere() -> Words:
    calls = [
        {"id": f"{name}_1", "type": "function", "function": {"name": name, "arguments": json.dumps(said)}}
        for name, said in ARGUMENTS.items()
    ]
    usage = {"billed_units": {"input_tokens": 3, "output_tokens": 5}, "tokens": {"input_tokens": 3, "output_tokens": 5}}

    def events() -> Iterable[dict[str, Any]]:
        yield {"type": "message-start", "id": "c1", "delta": {"message": {"role": "assistant", "content": [], "tool_plan": ""}}}
        for index, call in enumerate(calls):
            name = call["function"]["name"]  # type: ignore[index]
            begun = {**call, "function": {"name": name, "arguments": ""}}
            yield {"type": "tool-call-start", "index": index, "delta": {"message": {"tool_calls": begun}}}
            for half in halves(name):
                said = {"message": {"tool_calls": {"function": {"arguments": half}}}}
                yield {"type": "tool-call-delta", "index": index, "delta": said}
            yield {"type": "tool-call-end", "index": index}
        yield {"type": "message-end", "delta": {"finish_reason": "TOOL_CALL", "usage": usage}}

    message = {"role": "assistant", "tool_plan": TEXT, "tool_calls": calls}
    whole = {"id": "c1", "finish_reason": "TOOL_CALL", "message": message, "usage": usage}
    return Words(as_json(whole), as_stream(event(each, each["type"]) for each in events()))


def ollama() -> Words:
    calls = [{"function": {"name": name, "arguments": said}} for name, said in ARGUMENTS.items()]
    head = {"model": "m", "created_at": "2026-11-26T12:00:00Z"}
    counted = {"done": True, "done_reason": "stop", "prompt_eval_count": 3, "eval_count": 5}
    lines = [
        {**head, "message": {"role": "assistant", "content": "", "tool_calls": calls}, "done": False},
        {**head, "message": {"role": "assistant", "content": ""}, **counted},
    ]
    whole = {**head, "message": {"role": "assistant", "content": "", "tool_calls": calls}, **counted}
    stream = as_stream([json.dumps(line).encode() + b"\n" for line in lines], "application/x-ndjson")
    return Words(as_json(whole), stream)


def gigachat() -> Words:
    said = {"role": "assistant", "content": "", "function_call": {"name": "weather", "arguments": ARGUMENTS["weather"]}}
    usage = {"prompt_tokens": 3, "completion_tokens": 5, "total_tokens": 8}
    head = {"created": 1, "model": "m", "usage": usage}
    choice = {"index": 0, "finish_reason": "function_call"}
    whole = {**head, "object": "chat.completion", "choices": [{**choice, "message": said}]}
    part = {**head, "object": "chat.completion.chunk", "choices": [{**choice, "delta": said}]}
    return Words(as_json(whole), as_stream([event(part), b"data: [DONE]\n\n"]), parallel=1)


WORDS: dict[str, Callable[[], Words]] = {
    "anthropic": anthropic, "bedrock": bedrock, "gemini": gemini, "cohere_chat": cohere, "ollama_chat": ollama,
    "gigachat": gigachat,
}  # fmt: skip


@pytest.mark.parametrize("name", WORDS)
def test_calls_arrive_whole(name: str, wire: Wire):
    (case,), words = [case for case in CASES if case.name == name], WORDS[name]()
    with asked(case, wire) as (deployed, _):
        wire.provider.behave(f"at-{name}", answer=words.whole)
        (choice,) = wire.ask(deployed, Route.CHAT, {**MESSAGE, "tools": TOOLS})["choices"]
    called = [(call["function"]["name"], json.loads(call["function"]["arguments"])) for call in choice["message"]["tool_calls"]]
    assert called == list(ARGUMENTS.items())[: words.parallel]
    assert len({call["id"] for call in choice["message"]["tool_calls"]}) == words.parallel
    assert choice["finish_reason"] == "tool_calls"


@pytest.mark.parametrize("name", WORDS)
def test_calls_arrive_in_a_stream(name: str, wire: Wire):
    (case,), words = [case for case in CASES if case.name == name], WORDS[name]()
    with asked(case, wire) as (deployed, _):
        wire.provider.behave(f"at-{name}", answer=words.stream)
        events = wire.stream(deployed, Route.CHAT, {**MESSAGE, "tools": TOOLS})
    choices = [choice for each in events[:-1] for choice in json.loads(each.removeprefix(b"data: "))["choices"]]
    called: dict[int, dict[str, str]] = {}
    for part in [part for choice in choices for part in choice["delta"].get("tool_calls") or ()]:
        call = called.setdefault(part["index"], {"id": "", "name": "", "arguments": ""})
        call["id"] += part.get("id") or ""
        call["name"] += part["function"].get("name") or ""
        call["arguments"] += part["function"].get("arguments") or ""
    found = [(call["name"], json.loads(call["arguments"])) for _, call in sorted(called.items())]
    assert found == list(ARGUMENTS.items())[: words.parallel]
    assert len({call["id"] for call in called.values()}) == words.parallel
    assert [choice["finish_reason"] for choice in choices if choice.get("finish_reason")] == ["tool_calls"]
