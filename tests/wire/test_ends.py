"""Why an answer has ended and what it used, in each provider's own words: a limit is `length`, and no usage is an estimate."""

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

ASKED, SAID = 71, 26  # tokens
TEXTS = ("Par", "is")
Pair = tuple[Answer, Answer]  # a whole answer and a stream


def anthropic() -> Pair:
    usage = {"input_tokens": ASKED, "output_tokens": SAID}
    message = {"id": "msg_1", "type": "message", "role": "assistant", "model": "m", "stop_sequence": None}
    texts = [{"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": text}} for text in TEXTS]
    begun: dict[str, Any] = {**message, "content": [], "stop_reason": None, "usage": {**usage, "output_tokens": 1}}
    events: list[dict[str, Any]] = [
        {"type": "message_start", "message": begun},
        {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
        {"type": "ping"},
        *texts,
        {"type": "content_block_stop", "index": 0},
        {
            "type": "message_delta",
            "delta": {"stop_reason": "max_tokens", "stop_sequence": None},
            "usage": {"output_tokens": SAID},
        },
        {"type": "message_stop"},
    ]
    content = [{"type": "text", "text": "".join(TEXTS)}]
    whole = {**message, "content": content, "stop_reason": "max_tokens", "usage": usage}
    return as_json(whole), as_stream(event(each, each["type"]) for each in events)


def bedrock() -> Pair:
    usage = {"inputTokens": ASKED, "outputTokens": SAID, "totalTokens": ASKED + SAID}
    frames = [
        frame("messageStart", {"role": "assistant"}),
        *(frame("contentBlockDelta", {"contentBlockIndex": 0, "delta": {"text": text}}) for text in TEXTS),
        frame("contentBlockStop", {"contentBlockIndex": 0}),
        frame("messageStop", {"stopReason": "max_tokens"}),
        frame("metadata", {"usage": usage, "metrics": {"latencyMs": 1}}),
    ]
    message = {"role": "assistant", "content": [{"text": "".join(TEXTS)}]}
    whole = {"output": {"message": message}, "stopReason": "max_tokens", "usage": usage, "metrics": {"latencyMs": 1}}
    return as_json(whole), as_stream(frames, "application/vnd.amazon.eventstream")


def gemini() -> Pair:
    usage = {"promptTokenCount": ASKED, "candidatesTokenCount": SAID, "totalTokenCount": ASKED + SAID}

    def said(text: str, **ended: str) -> dict[str, Any]:
        candidate = {"content": {"role": "model", "parts": [{"text": text}]}, "index": 0, **ended}
        return {"candidates": [candidate], "usageMetadata": usage, "modelVersion": "m", "responseId": "r"}

    parts = [said(TEXTS[0]), said(TEXTS[1], finishReason="MAX_TOKENS")]
    return as_json(said("".join(TEXTS), finishReason="MAX_TOKENS")), as_stream(map(event, parts))


def cohere() -> Pair:
    usage = {"tokens": {"input_tokens": ASKED, "output_tokens": SAID}}
    texts = [{"type": "content-delta", "index": 0, "delta": {"message": {"content": {"text": text}}}} for text in TEXTS]
    events: list[dict[str, Any]] = [
        {"type": "message-start", "id": "c1", "delta": {"message": {"role": "assistant", "content": []}}},
        *texts,
        {"type": "message-end", "delta": {"finish_reason": "MAX_TOKENS", "usage": usage}},
    ]
    message = {"role": "assistant", "content": [{"type": "text", "text": "".join(TEXTS)}]}
    whole = {"id": "c1", "finish_reason": "MAX_TOKENS", "message": message, "usage": usage}
    return as_json(whole), as_stream([*(event(each, each["type"]) for each in events), b"data: [DONE]\n\n"])


def ollama() -> Pair:
    head = {"model": "m", "created_at": "2026-11-26T12:00:00.123456789Z"}
    ended = {"done": True, "done_reason": "length", "total_duration": 1, "prompt_eval_count": ASKED, "eval_count": SAID}
    lines = [{**head, "message": {"role": "assistant", "content": text}, "done": False} for text in TEXTS]
    lines.append({**head, "message": {"role": "assistant", "content": ""}, **ended})
    whole = {**head, "message": {"role": "assistant", "content": "".join(TEXTS)}, **ended}
    return as_json(whole), as_stream((json.dumps(line).encode() + b"\n" for line in lines), "application/x-ndjson")


def like_openai(**more: Any) -> Pair:
    """GigaChat and watsonx: OpenAI's words, each in a protocol of its own."""
    usage = {"prompt_tokens": ASKED, "completion_tokens": SAID, "total_tokens": ASKED + SAID}
    head = {"created": 1, "model": "m", **more}
    message = {"role": "assistant", "content": "".join(TEXTS)}
    whole = {**head, "choices": [{"index": 0, "message": message, "finish_reason": "length"}], "usage": usage}
    parts = [{**head, "choices": [{"index": 0, "delta": {"content": text}}]} for text in TEXTS]
    parts.append({**head, "choices": [{"index": 0, "delta": {"content": ""}, "finish_reason": "length"}], "usage": usage})
    return as_json(whole), as_stream([*map(event, parts), b"data: [DONE]\n\n"])


ANSWERS: dict[str, Callable[[], Pair]] = {
    "anthropic": anthropic, "bedrock": bedrock, "gemini": gemini, "cohere": cohere, "cohere_chat": cohere,
    "ollama_chat": ollama, "gigachat": like_openai, "watsonx": like_openai,
}  # fmt: skip


@pytest.mark.parametrize("name", ANSWERS)
def test_a_whole_answer(name: str, wire: Wire):
    (case,), (whole, _) = [case for case in CASES if case.name == name], ANSWERS[name]()
    with asked(case, wire) as (deployed, _):
        wire.provider.behave(f"at-{name}", answer=whole)
        said = wire.ask(deployed, Route.CHAT, MESSAGE)
    (choice,) = said["choices"]
    assert (choice["message"]["content"], choice["finish_reason"]) == ("".join(TEXTS), "length")
    assert (said["usage"]["prompt_tokens"], said["usage"]["completion_tokens"]) == (ASKED, SAID)


@pytest.mark.parametrize("name", ANSWERS)
def test_a_stream(name: str, wire: Wire):
    (case,), (_, stream) = [case for case in CASES if case.name == name], ANSWERS[name]()
    with asked(case, wire) as (deployed, _):
        wire.provider.behave(f"at-{name}", answer=stream)
        question = {**MESSAGE, "stream_options": {"include_usage": True}}
        parts = [json.loads(each.removeprefix(b"data: ")) for each in wire.stream(deployed, Route.CHAT, question)[:-1]]
    choices = [choice for part in parts for choice in part["choices"]]
    assert [text for choice in choices if (text := choice["delta"].get("content"))] == list(TEXTS)
    assert [choice["finish_reason"] for choice in choices if choice.get("finish_reason")] == ["length"]
    (usage,) = [part["usage"] for part in parts if part.get("usage")]
    assert (usage["prompt_tokens"], usage["completion_tokens"]) == (ASKED, SAID)
