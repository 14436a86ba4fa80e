"""What a provider's bytes say of its answer: whether it has begun, is an error, and is complete."""

from __future__ import annotations

import gzip
from typing import Any

import pytest

from langop_model.translator.provider_answer import ProviderAnswer

EVENTS = "text/event-stream; charset=utf-8"
LINES = "application/x-ndjson"


def answer(content_type: str, *parts: bytes, encoding: str = "") -> ProviderAnswer:
    """Return an answer of which these parts have arrived, and no more comes."""
    found = ProviderAnswer(content_type, encoding)
    for part in parts:
        found.feed(part)
    found.end()
    return found


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        (EVENTS, b'data: {"choices":[{"delta":{"content":"a"},"finish_reason":"stop"}]}\n\n'),
        (EVENTS, b'data: {"choices":[{"delta":{"content":"a"}}]}\n\ndata: [DONE]\n\n'),
        (EVENTS, b'event: content_block_delta\ndata: {}\n\nevent: message_stop\ndata: {"type":"message_stop"}\n\n'),
        (EVENTS, b'data: {"candidates":[{"content":{},"finishReason": "STOP"}]}\r\n\r\n'),
        (EVENTS, b'data: {"type":"message-end","delta":{"finish_reason":"COMPLETE"}}\n\n'),
        (EVENTS, b'data: {"kind":"status-update","final":true}\n\n'),
        (LINES, b'{"result": {"kind": "task", "status": {"state": "completed"}}}\n'),
        (EVENTS, b'data: {"result":{"contextId":"c","kind":"message","parts":[{"kind":"text","text":"a"}]}}\n\n'),
        (LINES, b'{"message":{"content":"a"},"done":false}\n{"done":true,"done_reason":"stop"}\n'),
        ("application/vnd.amazon.eventstream", b'\x00\x01:event-type messageStop{"stopReason":"end_turn"}'),
        ("application/json", b'{"output":"whole"}'),
    ],
)
def test_an_end_is_seen_in_each_protocol(content_type: str, body: bytes):
    assert answer(content_type, body).is_complete


def test_a_message_of_a_task_is_no_end():
    said = b'data: {"result":{"kind":"status-update","status":{"state":"working","message":{"kind":"message"}}}}\n\n'
    assert not answer(EVENTS, said).is_complete


def test_an_end_in_two_parts_is_seen():
    assert answer(EVENTS, b'data: {"choices":[{"finish_rea', b'son":"stop"}]}\n\n').is_complete


@pytest.mark.parametrize(
    "said",
    [
        '{"choices":[{"delta":{"content":"a"},"finish_reason":null}]}',
        '{"text":"\\"finish_reason\\":\\"stop\\""}',
        '{"done":false}',
    ],
)
def test_what_a_model_writes_is_no_end(said: str):
    found = answer(EVENTS, f"data: {said}\n\n".encode())
    assert (found.has_begun, found.is_complete, found.ended_early) == (True, False, True)


@pytest.mark.parametrize("content_type", [EVENTS, "application/json", LINES])
def test_an_error_is_no_beginning(content_type: str):
    said = b'{"error": {"message": "overloaded"}}'
    found = answer(content_type, b"data: " + said + b"\n\n" if content_type == EVENTS else said + b"\n")
    assert (found.has_begun, found.error) == (False, said)


def test_an_error_after_a_beginning_is_seen_too():
    found = answer(EVENTS, b'data: {"choices":[{"delta":{"content":"a"}}]}\n\n', b'event: error\ndata: {"type":"error"}\n\n')
    assert (found.has_begun, found.error, found.is_complete) == (True, b'{"type":"error"}', False)


@pytest.mark.parametrize(
    ("content_type", "body"), [(EVENTS, b": wait\n\n"), (EVENTS, b""), ("text/html", b"<html>"), (LINES, b"")]
)
def test_what_says_nothing_is_no_beginning(content_type: str, body: bytes):
    found = answer(content_type, body)
    assert (found.has_begun, found.is_complete) == (False, False)


def test_a_member_error_that_is_null_is_no_error():
    found = answer("application/json", b'{"error": null, "choices": []}')
    assert (found.has_begun, found.error, found.is_complete) == (True, None, True)


def test_an_answer_that_broke_is_not_complete():
    found = answer(EVENTS, b'data: {"choices":[{"finish_reason":"stop"}]}\n\n')
    found.broke = OSError()
    assert not found.is_complete


def test_a_compressed_answer_is_understood():
    body = gzip.compress(b'data: {"choices":[{"finish_reason":null}]}\n\n')
    assert answer(EVENTS, body, encoding="gzip").ended_early


@pytest.mark.parametrize("more", [{"encoding": "br"}, {"encoding": "gzip"}])
def test_what_can_not_be_read_counts_as_complete(more: Any):
    assert answer(EVENTS, b"\x0b\x02\x80{}\x03", **more).is_complete
