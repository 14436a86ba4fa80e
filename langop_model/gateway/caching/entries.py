"""An answer as bytes: what a cache keeps.

One byte for the version of this format, four for the length of a JSON header, the header, then the body. The header has the
status, the media type, dropped hints, usage, and for a stream the sizes of its events, so that it is replayed event by event.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import fields
from operator import attrgetter
from typing import Any

import orjson

from langop_model.gateway.upstreams.base import Answer, Usage

VERSION = 3
PREFIX_BYTES = 5
_in_order = attrgetter(*(field.name for field in fields(Usage)))  # without the names: an entry is made of most answers


class CachedAnswer(Answer):
    """An answer from a cache; it costs nothing."""

    __slots__ = ()

    def copy(self) -> CachedAnswer:
        """Return another answer, which is from a cache too."""
        own = CachedAnswer(self.status, self.content_type, body=self.body, events=self.events, usage=self.usage)
        own.dropped, own.is_binary, own.account = self.dropped, self.is_binary, self.account
        return own


def encode(answer: Answer, events: Sequence[bytes] | None) -> bytes:
    """Return an answer as bytes; of a stream, `events` are all that it said."""
    header = orjson.dumps(
        {
            "status": answer.status,
            "content_type": answer.content_type,
            "dropped": answer.dropped,
            "usage": None if answer.usage is None else _in_order(answer.usage),
            "is_binary": answer.is_binary,
            "events": None if events is None else [len(event) for event in events],
        }
    )
    body = b"".join(events) if events is not None else answer.body or b""
    return b"".join((bytes((VERSION,)), len(header).to_bytes(4, "big"), header, body))


def decode(entry: bytes) -> CachedAnswer | None:
    """Return the answer of an entry; None where it is of another version of this format, or damaged."""
    start = PREFIX_BYTES + int.from_bytes(entry[1:PREFIX_BYTES], "big")
    if entry[:1] != bytes((VERSION,)) or len(entry) < start:
        return None
    try:
        header: dict[str, Any] = orjson.loads(entry[PREFIX_BYTES:start])
        usage = header["usage"]
        answer = CachedAnswer(
            header["status"],
            header["content_type"],
            usage=None if usage is None else Usage(*usage),
            dropped=tuple(header["dropped"]),
            is_binary=header["is_binary"],
        )
        sizes = header["events"]
        if sizes is None:
            answer.body = entry[start:]
        elif sum(sizes) == len(entry) - start:
            answer.events = _replay(entry, start, sizes)
        else:
            return None
    except (orjson.JSONDecodeError, KeyError, TypeError):
        return None
    return answer


async def _replay(entry: bytes, start: int, sizes: Sequence[int]) -> AsyncIterator[bytes]:
    for size in sizes:
        yield entry[start : start + size]
        start += size
