"""What a stream used, and whether it has ended as its protocol says: a test of bytes for each event, parsed at the end only."""

from __future__ import annotations

import dataclasses
from collections import deque
from collections.abc import Iterator
from typing import Any

import orjson

from langop_model.gateway.upstreams import error_body, estimate
from langop_model.gateway.upstreams.base import Route, Usage
from langop_model.gateway.upstreams.events import DONE
from langop_model.gateway.upstreams.usage import usage_of

SAMPLES = 64  # events that are kept to estimate what was written; twice as far apart whenever there are as many
NOTHING = (b":null", b": null")
HEAD = 96  # bytes at the start of an event that name its type
WHOLE = 1 << 30

# What a stream's last event has, and in how many of its first bytes. A chat may end without: see is_complete.
DONE_SIZE = 16  # bytes of the event that ends a chat, at most
ENDS: dict[Route, tuple[bytes, int]] = {
    Route.MESSAGES: (b"message_stop", HEAD),
    Route.RESPONSES: (b"response.completed", HEAD),  # the others that end it have a usage, be it null
    Route.TRANSCRIPTIONS: (b"transcript.text.done", HEAD),
    Route.SPEECH: (b"speech.audio.done", HEAD),
    Route.IMAGES: (b"image_generation.completed", HEAD),
    Route.IMAGE_EDITS: (b"image_edit.completed", HEAD),
}
END_TYPES = frozenset(
    {"message_stop", "response.completed", "response.incomplete", "transcript.text.done", "speech.audio.done"}
    | {"image_generation.completed", "image_edit.completed"}
)
# Where nothing but what the model says about its own end may be known: a chat without [DONE], and Gemini's streams always.
FINISHED = {Route.CHAT: "choices", Route.COMPLETIONS: "choices", Route.GENERATE_CONTENT: "candidates"}


class StreamUsage:
    """The usage of one stream, of so many choices. Each event goes through `feed` on its way to the client.

    The rest is asked for at the end.
    """

    __slots__ = (
        *("_end", "_end_within", "_error", "_error_within", "_first", "_last", "_member", "_next", "_samples", "_stride"),
        *("_tail", "choices", "ended", "events", "route"),
    )

    def __init__(self, route: Route, choices: int = 1) -> None:
        self.route = route
        self.choices = choices
        self.events = 0
        self.ended = False
        self._member = b'"usageMetadata"' if route is Route.GENERATE_CONTENT else b'"usage"'
        self._end, self._end_within = ENDS.get(route, (DONE, DONE_SIZE))
        self._error_within = WHOLE if route in FINISHED else HEAD
        self._error: bytes | None = None
        self._first: bytes | None = None
        self._last: bytes | None = None
        self._samples: list[bytes] = []
        self._tail: deque[bytes] = deque(maxlen=3 + choices)  # a usage may follow the event that ends a choice
        self._stride = self._next = 1

    def feed(self, event: bytes) -> None:
        """Note one event, a complete server-sent event."""
        self.events += 1
        self._tail.append(event)
        if self.events >= self._next:
            self._sample(event)
        at = event.rfind(self._member)
        if at >= 0:
            self._reported(event, at)
        if event.find(self._end, 0, self._end_within) >= 0:
            self._maybe_ended(event)
        if event.find(b'"error"', 0, self._error_within) >= 0 or event.startswith(b"event: error"):
            self._maybe_failed(event)

    @property
    def is_complete(self) -> bool:
        """Whether the stream has ended as its protocol says, without an error.

        A chat each of whose choices has its `finish_reason` is complete without `[DONE]`, which some servers omit.
        """
        if self._error is not None:
            return False
        entries = FINISHED.get(self.route)
        if self.ended or entries is None:
            return self.ended
        return len({index for event in self._tail for index in _finished(event, entries)}) >= self.choices

    @property
    def error(self) -> bytes | None:
        """The event that says an error, if one came."""
        return self._error

    def usage(self) -> Usage | None:
        """Return what the provider reported; None if it did not."""
        if self._last is None:
            return None
        found = usage_of(self.route, parsed(self._last))
        if self.route is not Route.MESSAGES or self._first is self._last or self._first is None:
            return found
        return _joined(usage_of(self.route, parsed(self._first)), found)

    def estimate(self, question: int) -> Usage:
        """Return an estimate for a stream whose provider reported nothing; `question` in tokens."""
        written = sum(self._written(parsed(event)) for event in self._samples)
        shown = len(self._samples)
        tokens = written / estimate.BYTES_PER_TOKEN * (self.events / shown) if shown else 0
        return estimate.estimated(question, round(tokens + 0.5) if tokens else 0)

    def _written(self, event: dict[str, Any]) -> int:
        """Return the bytes of text that an event adds: OpenAI's responses repeat the whole text in those that end a part."""
        if self.route is Route.RESPONSES and not str(event.get("type", "")).endswith(".delta"):
            return 0
        return estimate.written_bytes(event)

    def _reported(self, event: bytes, at: int) -> None:
        if not event.startswith(NOTHING, at + len(self._member)):
            if self._first is None:
                self._first = event
            self._last = event
        if self.route is Route.RESPONSES:
            self._maybe_ended(event)

    def _sample(self, event: bytes) -> None:
        self._samples.append(event)
        self._next += self._stride
        if len(self._samples) >= SAMPLES:
            self._samples = self._samples[::2]
            self._stride *= 2
            self._next = self.events + self._stride

    def _maybe_ended(self, event: bytes) -> None:
        """Note an end, unless its words are only in what the model wrote."""
        if data(event) == DONE:
            self.ended = True
            return
        kind = parsed(event).get("type") if self._end is not DONE else None
        if kind in END_TYPES:
            self.ended = True
        elif kind == "response.failed":
            self._error = event

    def _maybe_failed(self, event: bytes) -> None:
        if error_body.says_error(parsed(event)):
            self._error = event


def data(event: bytes) -> bytes:
    """Return the data of a server-sent event: its `data:` lines, joined."""
    lines = [line[5:].strip() for line in event.splitlines() if line.startswith(b"data:")]
    return lines[0] if len(lines) == 1 else b"\n".join(lines)


def parsed(event: bytes) -> dict[str, Any]:
    """Return the object that an event holds, empty if it holds none."""
    try:
        body = orjson.loads(data(event))
    except orjson.JSONDecodeError:
        return {}
    return body if isinstance(body, dict) else {}


def _finished(event: bytes, entries: str) -> Iterator[Any]:
    """Yield the numbers of the choices or candidates for which an event says why they have ended."""
    found = parsed(event).get(entries)
    for each in found if isinstance(found, list) else ():
        if isinstance(each, dict) and (each.get("finish_reason") or each.get("finishReason")):
            yield each.get("index", 0)


def _joined(first: Usage | None, last: Usage | None) -> Usage | None:
    """Return Anthropic's `message_start`, which has the question, with `message_delta`, which has the answer.

    Newer servers repeat the question in the last, older ones omit it there.
    """
    if first is None or last is None:
        return first or last
    if last.input_tokens >= first.input_tokens:
        return dataclasses.replace(last, tier=last.tier or first.tier)
    return dataclasses.replace(first, output_tokens=last.output_tokens, reasoning_tokens=last.reasoning_tokens)
