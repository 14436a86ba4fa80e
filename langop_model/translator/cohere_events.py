"""Cohere's streams as LiteLLM reads them: a line of JSON for each event, which is in `event` and `data` too.

Cohere sends server-sent events whose content is in `type` and `delta`
(https://docs.cohere.com/v2/reference/chat-stream), or such lines to a client that accepts JSON alone. LiteLLM understands
lines only, and looks for the reason of an answer's end and for its usage in `event` and `data`.
"""

from __future__ import annotations

import orjson

PROVIDERS = frozenset({"cohere", "cohere_chat"})
DATA = b"data:"
FRAMING = (b"event:", b"id:", b"retry:", b":")  # what else server-sent events consist of
DONE = b"[DONE]"


class Lines:
    """The lines of one stream, from its bytes as they come."""

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, part: bytes) -> bytes:
        """Return the lines that are complete with another part."""
        *complete, self._rest = (self._rest + part).split(b"\n")
        return b"".join(map(_line, complete))

    def end(self) -> bytes:
        """Return the last line, if nothing ends it."""
        rest, self._rest = self._rest, b""
        return _line(rest)


def _line(line: bytes) -> bytes:
    said = line.strip()
    if said.startswith(DATA):
        said = said[len(DATA) :].strip()
    elif not said or said.startswith(FRAMING):
        return b""
    if said == DONE:
        return b""
    try:
        content = orjson.loads(said)
    except orjson.JSONDecodeError:
        return line + b"\n"  # LiteLLM says what it can't read
    if isinstance(content, dict) and isinstance(content.get("type"), str):
        content = {**content, "event": content["type"], "data": content}
    return orjson.dumps(content) + b"\n"
