"""An answer as bytes, and back."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from langop_model.gateway.caching.entries import CachedAnswer, decode, encode
from langop_model.gateway.upstreams.base import Answer, Usage
from tests.unit.gateway.caching.requests import read, run

USAGE = Usage(3, 4, 1, 0, 2, estimated=True)
WHOLE = Answer(200, "application/json; charset=utf-8", body=b'{"a":\xc3\xa4}', usage=USAGE, dropped=("seed", "user"))
EVENTS = [b'data: {"reasoning_content":"hm"}\n\n', b"event: end\r\ndata: x\r\n\r\n", b"data: [DONE]\n\n"]


def test_a_whole_answer_comes_back_byte_for_byte():
    found = decode(encode(WHOLE, None))
    assert isinstance(found, CachedAnswer)
    assert (found.status, found.content_type, found.body) == (WHOLE.status, WHOLE.content_type, WHOLE.body)
    assert (found.usage, found.dropped, found.events) == (USAGE, WHOLE.dropped, None)


def test_a_stream_comes_back_event_by_event():
    found = decode(encode(Answer(200, "text/event-stream", usage=USAGE), EVENTS))
    assert found is not None
    assert (found.body, found.usage) == (None, USAGE)
    assert run(read(found)) == EVENTS


@pytest.mark.parametrize(
    "damage",
    [
        lambda entry: entry[:0],
        lambda entry: b"\x01" + entry[1:],
        lambda entry: entry[:3],
        lambda entry: entry[:20],
        lambda entry: entry[:-1],
        lambda entry: entry[:5] + b"[" + entry[6:],
        lambda entry: entry.replace(b'"status"', b'"status "'[:8]),
    ],
)
def test_an_entry_that_cant_be_read_is_none(damage: Callable[[bytes], bytes]):
    assert decode(damage(encode(Answer(200, "text/event-stream"), EVENTS))) is None
