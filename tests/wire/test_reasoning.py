"""What a model thinks before it answers, in each provider's own words: `reasoning_content`, whole and streamed."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from langop_model.gateway.upstreams.base import Route
from stand_in.answer import Answer, as_json, as_stream, event
from stand_in.bedrock import frame
from tests.wire.cases import CASES
from tests.wire.deployments import MESSAGE, asked
from tests.wire.wire import Wire

THOUGHT, TEXT = "France, so", "Paris"
Pair = tuple[Answer, Answer]  # a whole answer and a stream


def anthropic() -> Pair:
    usage = {"input_tokens": 3, "output_tokens": 5}
    message = {"id": "msg_1", "type": "message", "role": "assistant", "model": "m", "stop_sequence": None}
    begun: dict[str, Any] = {**message, "content": [], "stop_reason": None, "usage": usage}
    events: list[dict[str, Any]] = [
        {"type": "message_start", "message": begun},
        {"type": "content_block_start", "index": 0, "content_block": {"type": "thinking", "thinking": "", "signature": ""}},
        {"type": "content_block_delta", "index": 0, "delta": {"type": "thinking_delta", "thinking": THOUGHT}},
        {"type": "content_block_delta", "index": 0, "delta": {"type": "signature_delta", "signature": "c2ln"}},
        {"type": "content_block_stop", "index": 0},
        {"type": "content_block_start", "index": 1, "content_block": {"type": "text", "text": ""}},
        {"type": "content_block_delta", "index": 1, "delta": {"type": "text_delta", "text": TEXT}},
        {"type": "content_block_stop", "index": 1},
        {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 5}},
        {"type": "message_stop"},
    ]
    content = [{"type": "thinking", "thinking": THOUGHT, "signature": "c2ln"}, {"type": "text", "text": TEXT}]
    whole = {**message, "content": content, "stop_reason": "end_turn", "usage": usage}
    return as_json(whole), as_stream(event(each, each["type"]) for each in events)


def bedrock() -> Pair:
    usage = {"inputTokens": 3, "outputTokens": 5, "totalTokens": 8}
    frames = [
        frame("messageStart", {"role": "assistant"}),
        frame("contentBlockDelta", {"contentBlockIndex": 0, "delta": {"reasoningContent": {"text": THOUGHT}}}),
        frame("contentBlockDelta", {"contentBlockIndex": 0, "delta": {"reasoningContent": {"signature": "c2ln"}}}),
        frame("contentBlockStop", {"contentBlockIndex": 0}),
        frame("contentBlockDelta", {"contentBlockIndex": 1, "delta": {"text": TEXT}}),
        frame("contentBlockStop", {"contentBlockIndex": 1}),
        frame("messageStop", {"stopReason": "end_turn"}),
        frame("metadata", {"usage": usage, "metrics": {"latencyMs": 1}}),
    ]
    content = [{"reasoningContent": {"reasoningText": {"text": THOUGHT, "signature": "c2ln"}}}, {"text": TEXT}]
    whole = {"output": {"message": {"role": "assistant", "content": content}}, "stopReason": "end_turn", "usage": usage}
    return as_json({**whole, "metrics": {"latencyMs": 1}}), as_stream(frames, "application/vnd.amazon.eventstream")


def gemini() -> Pair:
    usage = {"promptTokenCount": 3, "candidatesTokenCount": 2, "thoughtsTokenCount": 3, "totalTokenCount": 8}

    def said(*parts: dict[str, Any], **ended: str) -> dict[str, Any]:
        candidate = {"content": {"role": "model", "parts": list(parts)}, "index": 0, **ended}
        return {"candidates": [candidate], "usageMetadata": usage, "modelVersion": "m", "responseId": "r"}

    thought, text = {"text": THOUGHT, "thought": True}, {"text": TEXT}
    whole = said(thought, text, finishReason="STOP")
    return as_json(whole), as_stream(map(event, (said(thought), said(text, finishReason="STOP"))))


def ollama() -> Pair:
    head = {"model": "m", "created_at": "2026-11-26T12:00:00.123456789Z"}
    ended = {"done": True, "done_reason": "stop", "prompt_eval_count": 3, "eval_count": 5}
    messages = [{"role": "assistant", "content": "", "thinking": THOUGHT}, {"role": "assistant", "content": TEXT}]
    lines = [{**head, "message": message, "done": False} for message in messages]
    lines.append({**head, "message": {"role": "assistant", "content": ""}, **ended})
    whole = {**head, "message": {"role": "assistant", "content": TEXT, "thinking": THOUGHT}, **ended}
    return as_json(whole), as_stream((json.dumps(line).encode() + b"\n" for line in lines), "application/x-ndjson")


ANSWERS: dict[str, Callable[[], Pair]] = {
    "anthropic": anthropic, "bedrock": bedrock, "gemini": gemini, "ollama_chat": ollama,
}  # fmt: skip


@pytest.mark.parametrize("name", ANSWERS)
def test_a_whole_answer(name: str, wire: Wire):
    (case,), (whole, _) = [case for case in CASES if case.name == name], ANSWERS[name]()
    with asked(case, wire) as (deployed, _):
        wire.provider.behave(f"at-{name}", answer=whole)
        (choice,) = wire.ask(deployed, Route.CHAT, MESSAGE)["choices"]
    assert (choice["message"]["content"], choice["message"].get("reasoning_content")) == (TEXT, THOUGHT)


@pytest.mark.parametrize("name", ANSWERS)
def test_a_stream(name: str, wire: Wire):
    (case,), (_, stream) = [case for case in CASES if case.name == name], ANSWERS[name]()
    with asked(case, wire) as (deployed, _):
        wire.provider.behave(f"at-{name}", answer=stream)
        parts = [json.loads(each.removeprefix(b"data: ")) for each in wire.stream(deployed, Route.CHAT, MESSAGE)[:-1]]
    deltas = [choice["delta"] for part in parts for choice in part["choices"]]
    assert "".join(delta.get("content") or "" for delta in deltas) == TEXT
    assert "".join(delta.get("reasoning_content") or "" for delta in deltas) == THOUGHT
