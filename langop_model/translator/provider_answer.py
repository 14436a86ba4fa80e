"""What a provider has really said, byte by byte, beside what LiteLLM makes of it.

LiteLLM makes up the first event of a stream before its provider has said anything, and the last one where the stream was cut.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Callable
from typing import Any

import orjson

from langop_model.gateway.upstreams import error_body
from langop_model.gateway.upstreams.events import EventSplitter, EventTooLargeError, data_of

STREAMS = (
    "text/event-stream",
    "application/x-ndjson",
    "application/jsonl",
    "application/stream+json",
    "application/vnd.amazon.eventstream",
)
LONGEST_ERROR = 64 * 1024  # bytes that are kept of an error
_MARKS = (b'"error"', b'"jsonrpc"')  # of what may be an error, in the first bytes of a body
_OVERLAP = 64  # bytes of one part in which the first half of an end may be

# How providers say why a choice has ended, or that their stream has. What a model writes has a backslash before each quote.
_END = re.compile(
    rb'"(?:finish_?reason|stop_?reason|done_reason|completionReason)"\s*:\s*"[^"]'
    rb'|"(?:done|final|is_finished)"\s*:\s*true'
    rb'|"state"\s*:\s*"(?:completed|canceled|failed|rejected)"'  # a task of the A2A protocol
    rb'|"result"\s*:\s*\{[^{}]*"kind"\s*:\s*"message"'  # a message of A2A in place of a task
    rb'|"(?:type|event|event_type)"\s*:\s*"(?:message_stop|message-end|stream-end|response\.completed|response\.incomplete)"'
    rb"|data:\s*\[DONE\]|event:\s*(?:message_stop|done)\b",
    re.IGNORECASE,
)


class ProviderAnswer:
    """An answer with a status below 400, as its parts arrive.

    `has_begun`: something has come that is neither an error nor a comment. `error` is the error that it holds, if it does.
    `broke` is what kept the rest from coming, `is_read`: all that the provider sent is here.
    """

    def __init__(self, content_type: str, encoding: str = "") -> None:
        self.content_type = content_type.partition(";")[0].strip().lower()
        self.has_begun = False
        self.is_read = False
        self.error: bytes | None = None
        self.broke: Exception | None = None
        self._said_end = False
        self._tail = b""
        self._rest = b""
        self._events = EventSplitter()
        self._decode = _decoder(encoding)

    @property
    def is_complete(self) -> bool:
        """Whether it has ended as its protocol says. An answer that is no stream is complete when nothing broke it."""
        if self.error is not None or self.broke is not None or not self.has_begun:
            return False
        return self._said_end or self.content_type not in STREAMS or self._decode is None

    @property
    def ended_early(self) -> bool:
        """Whether all has been read, and the protocol's end was not among it."""
        return self.is_read and self.has_begun and self.error is None and not self.is_complete

    def feed(self, data: bytes) -> None:
        if self._decode is None:  # in an encoding that is not understood here
            self.has_begun = True
            return
        try:
            data = self._decode(data)
        except zlib.error:
            self._decode, self.has_begun = None, True
            return
        if not self._said_end and self.content_type in STREAMS:
            self._said_end = _END.search(self._tail + data) is not None
            self._tail = data[-_OVERLAP:]
        if self.content_type == "text/event-stream":
            self._note_events(data)
        elif self.content_type != "text/html" and not self.has_begun:
            self._note_beginning(data)

    def end(self) -> None:
        self.is_read = True
        if self._rest:
            self._note_error(self._rest)
            self.has_begun = self.has_begun or self.error is None

    def _note_events(self, data: bytes) -> None:
        try:
            events = self._events.feed(data)
        except EventTooLargeError:  # nothing that an error could be
            self.has_begun = True
            return
        for event in events:
            said = data_of(event)
            if b'"error"' in said or b'"state"' in said or event.startswith(b"event: error"):
                self._note_error(said)
            self.has_begun = self.has_begun or (bool(said) and self.error is None)

    def _note_beginning(self, data: bytes) -> None:
        """Note how a body begins that is no stream of events. What looks like an error is judged by its first line or whole.

        An answer of A2A's says at any place whether its task has failed.
        """
        self._rest += data
        start = self._rest.lstrip()
        may_be_one = any(mark in start[:200] for mark in _MARKS)
        if start and (not may_be_one or len(start) > LONGEST_ERROR):
            self.has_begun, self._rest = True, b""
            return
        line, ended, _ = start.partition(b"\n")
        content = _parsed(line) if ended else None
        if content is not None:
            self._note_error(line)
            self.has_begun, self._rest = self.error is None, b""

    def _note_error(self, said: bytes) -> None:
        if self.error is None and is_error(_parsed(said)):
            self.error = said[:LONGEST_ERROR]


def is_error(content: Any) -> bool:
    """Whether a parsed body or event says an error."""
    if isinstance(content, list) and content:
        content = content[0]
    return isinstance(content, dict) and error_body.says_error(content)


def _parsed(text: bytes) -> Any:
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        return None


def _decoder(encoding: str) -> Callable[[bytes], bytes] | None:
    encoding = encoding.strip().lower()
    if encoding in ("", "identity"):
        return bytes
    if encoding in ("gzip", "deflate"):
        return zlib.decompressobj(wbits=zlib.MAX_WBITS | 32).decompress
    return None
