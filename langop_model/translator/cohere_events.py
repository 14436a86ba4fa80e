"""Cohere's streams as LiteLLM reads them: a line of JSON for each event, which is in `event` and `data` too.

Cohere sends server-sent events whose content is in `type` and `delta`
(https://docs.cohere.com/v2/reference/chat-stream), or such lines to a client that accepts JSON alone. LiteLLM understands
lines only, and looks for the reason of an answer's end and for its usage in `event` and `data`.
"""

from __future__ import annotations

import orjson

from langop_model.gateway.upstreams.events import DONE, FIELDS, MAX_EVENT_SIZE, EventTooLargeError

PROVIDERS = frozenset({"cohere", "cohere_chat"})
DATA = b"data:"


class Lines:
    """The lines of one stream, from its bytes as they come."""

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, part: bytes) -> bytes:
        """Return the lines that are complete with another part. Raises EventTooLargeError."""
        *complete, self._rest = (self._rest + part).split(b"\n")
        if len(self._rest) > MAX_EVENT_SIZE:
            raise EventTooLargeError
        return b"".join(map(_line, complete))

    def end(self) -> bytes:
        """Return the last line, if nothing ends it."""
        rest, self._rest = self._rest, b""
        return _line(rest)


def _line(line: bytes) -> bytes:
    said = line.strip()
    if said.startswith(DATA):
        said = said[len(DATA) :].strip()
    elif said.startswith(FIELDS):
        return b""
    if not said or said == DONE:
        return b""
    try:
        content = orjson.loads(said)
    except orjson.JSONDecodeError:
        return line + b"\n"  # LiteLLM says what it can't read
    if isinstance(content, dict) and isinstance(content.get("type"), str):
        content = {**content, "event": content["type"], "data": content}
    return orjson.dumps(content) + b"\n"
