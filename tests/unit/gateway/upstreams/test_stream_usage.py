"""The usage of streams, and whether they have ended as their protocol says."""

from __future__ import annotations

import json
from typing import Any

import pytest

from langop_model.gateway.upstreams.base import Route, Usage
from langop_model.gateway.upstreams.stream_usage import SAMPLES, StreamUsage

DONE = b"data: [DONE]\n\n"


def event(body: dict[str, Any], name: str = "") -> bytes:
    head = f"event: {name}\n" if name else ""
    return f"{head}data: {json.dumps(body)}\n\n".encode()


def chunk(text: str | None = None, finish: str | None = None, **more: Any) -> bytes:
    delta = {} if text is None else {"content": text}
    return event({"object": "chat.completion.chunk", "choices": [{"delta": delta, "finish_reason": finish}], **more})


def fed(route: Route, *events: bytes) -> StreamUsage:
    stream = StreamUsage(route)
    for each in events:
        stream.feed(each)
    return stream


OPENAI = {"prompt_tokens": 7, "completion_tokens": 2, "total_tokens": 9}


def test_a_chats_last_usage_counts():
    first = {**OPENAI, "completion_tokens": 1}
    stream = fed(Route.CHAT, chunk("a", usage=first), chunk("b", "stop", usage=OPENAI), DONE)
    assert stream.usage() == Usage(7, 2)


def test_a_usage_of_null_is_none():
    assert fed(Route.CHAT, chunk("a", usage=None), DONE).usage() is None


def test_what_a_model_writes_is_no_usage_no_end_and_no_error():
    text = 'data: [DONE] "usage": {"prompt_tokens": 1} "error": "message_stop"'
    stream = fed(Route.CHAT, chunk(text))
    assert (stream.usage(), stream.is_complete, stream.error) == (None, False, None)


def test_anthropics_question_is_in_its_first_event():
    start = {
        "type": "message_start",
        "message": {"usage": {"input_tokens": 10, "cache_read_input_tokens": 5, "output_tokens": 1}},
    }
    delta = {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 15}}
    stream = fed(Route.MESSAGES, event(start), event(delta), event({"type": "message_stop"}, "message_stop"))
    assert stream.usage() == Usage(15, 15, cached_tokens=5)
    assert stream.is_complete


def test_anthropics_last_event_may_repeat_the_question():
    start = {
        "type": "message_start",
        "message": {"usage": {"input_tokens": 10, "output_tokens": 1, "service_tier": "priority"}},
    }
    delta = {"type": "message_delta", "usage": {"input_tokens": 12, "output_tokens": 15}}
    assert fed(Route.MESSAGES, event(start), event(delta)).usage() == Usage(12, 15, tier="priority")


def test_geminis_usage_grows_with_each_event():
    def part(tokens: int, **more: Any) -> bytes:
        return event({"candidates": [more], "usageMetadata": {"promptTokenCount": 4, "candidatesTokenCount": tokens}})

    stream = fed(Route.GENERATE_CONTENT, part(1), part(9, finishReason="STOP"))
    assert stream.usage() == Usage(4, 9)
    assert stream.is_complete


COMPLETE = {
    "a chat": (Route.CHAT, (chunk("a"), DONE)),
    "a chat without [DONE]": (Route.CHAT, (chunk("a"), chunk(None, "stop"), event({"choices": [], "usage": OPENAI}))),
    "a completion": (Route.COMPLETIONS, (event({"choices": [{"text": "a", "finish_reason": None}]}), DONE)),
    "messages without names": (Route.MESSAGES, (event({"type": "message_stop"}),)),
    "a response": (Route.RESPONSES, (event({"type": "response.completed", "response": {"usage": None}}),)),
    "a response at its limit": (Route.RESPONSES, (event({"type": "response.incomplete", "response": {"usage": {}}}),)),
    "a transcription": (Route.TRANSCRIPTIONS, (event({"type": "transcript.text.done", "text": "a"}),)),
    "spoken text": (Route.SPEECH, (event({"type": "speech.audio.done"}),)),
}


@pytest.mark.parametrize("case", COMPLETE)
def test_a_stream_with_its_end_is_complete(case: str):
    route, events = COMPLETE[case]
    assert fed(route, *events).is_complete
    assert not fed(route, *events[:-1]).is_complete or case == "a chat without [DONE]"


BROKEN = {
    "cut off": (Route.CHAT, (chunk("a"),)),
    "vllm ends an error with [DONE]": (Route.CHAT, (chunk("a"), event({"error": {"message": "x"}}), DONE)),
    "openrouter's error in a chunk": (Route.CHAT, (chunk("a", "error", error={"code": 502}), DONE)),
    "an old vllm's error": (Route.CHAT, (event({"object": "error", "message": "x"}), DONE)),
    "anthropic's error": (Route.MESSAGES, (event({"type": "error", "error": {"type": "overloaded_error"}}, "error"),)),
    "a failed response": (Route.RESPONSES, (event({"type": "response.failed", "response": {"error": {}, "usage": None}}),)),
    "gemini's error": (Route.GENERATE_CONTENT, (event({"error": {"code": 503}}),)),
    "gemini cut off": (Route.GENERATE_CONTENT, (event({"candidates": [{"content": {}}]}),)),
}


@pytest.mark.parametrize("case", BROKEN)
def test_a_stream_without_its_end_or_with_an_error_is_not(case: str):
    route, events = BROKEN[case]
    stream = fed(route, *events)
    assert not stream.is_complete
    assert (stream.error is not None) is ("cut off" not in case)


def test_an_error_of_null_is_none():
    created = event({"type": "response.created", "response": {"error": None, "usage": None}})
    assert fed(Route.RESPONSES, created).error is None


@pytest.mark.parametrize("events", [1, SAMPLES, 10 * SAMPLES + 3])
def test_what_was_written_is_estimated_from_some_events(events: int):
    """Each has four letters, about a token."""
    stream = fed(Route.CHAT, *[chunk("four")] * events)
    found = stream.estimate(question=11)
    assert found.estimated
    assert found.input_tokens == 11
    assert found.output_tokens == pytest.approx(events, abs=1)


def test_the_text_that_responses_repeat_at_the_end_counts_once():
    def event(kind: str, **members: Any) -> bytes:
        return f"data: {json.dumps({'type': f'response.{kind}', **members})}\n\n".encode()

    whole = "four" * 20
    part = {"type": "output_text", "text": whole}
    deltas = [event("output_text.delta", delta="four")] * 20
    ends = [event("output_text.done", text=whole), event("completed", response={"output": [{"content": [part]}]})]
    assert fed(Route.RESPONSES, *deltas, *ends).estimate(question=1).output_tokens == pytest.approx(20, abs=1)


def test_few_events_are_kept_of_a_long_stream():
    stream = fed(Route.CHAT, *[chunk("a")] * 5000)
    assert len(stream._samples) < SAMPLES
