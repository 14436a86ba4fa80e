"""Cohere's events become the lines that LiteLLM reads."""

from __future__ import annotations

import json

import pytest

from langop_model.gateway.upstreams.events import MAX_EVENT_SIZE, EventTooLargeError
from langop_model.translator.cohere_events import Lines

END = {"type": "message-end", "delta": {"finish_reason": "COMPLETE"}}
EVENT = b"event: message-end\ndata: " + json.dumps(END).encode() + b"\n\n"
READ = {**END, "event": "message-end", "data": END}


@pytest.mark.parametrize("size", [1, 7, len(EVENT)])
def test_an_event_becomes_a_line_however_it_is_cut(size: int):
    lines = Lines()
    read = b"".join(lines.feed(EVENT[at : at + size]) for at in range(0, len(EVENT), size))
    assert [json.loads(line) for line in read.splitlines()] == [READ]
    assert lines.end() == b""


def test_a_line_stays_one():
    assert json.loads(Lines().feed(json.dumps(END).encode() + b"\n")) == READ


def test_the_last_line_needs_no_end():
    lines = Lines()
    assert lines.feed(json.dumps(END).encode()) == b""
    assert json.loads(lines.end()) == READ


@pytest.mark.parametrize("said", [b"data: [DONE]\n", b": a comment\n", b"id: 1\n", b"\r\n"])
def test_what_says_nothing_is_left_out(said: bytes):
    assert Lines().feed(said) == b""


def test_a_line_without_an_end_in_sight_is_an_error():
    with pytest.raises(EventTooLargeError):
        Lines().feed(b"a" * (MAX_EVENT_SIZE + 1))


def test_what_is_no_json_stays_as_it_is():
    assert Lines().feed(b"Bad Gateway\n") == b"Bad Gateway\n"
