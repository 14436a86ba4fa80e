"""An answer as it is sent, whatever the protocol, and the texts in messages."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Answer:
    """An HTTP answer. A stream is sent chunk by chunk, with chunked encoding; all else is one chunk, with a length."""

    chunks: tuple[bytes, ...]
    content_type: str = "application/json"
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    streamed: bool = False


def as_json(content: object, status: int = 200, headers: Mapping[str, str] | None = None) -> Answer:
    """Return a plain answer."""
    return Answer((json.dumps(content).encode(),), status=status, headers=headers or {})


def as_stream(chunks: Iterable[bytes], content_type: str = "text/event-stream") -> Answer:
    """Return a streamed answer."""
    return Answer(tuple(chunks), content_type, streamed=True)


def event(content: object, name: str = "") -> bytes:
    """Return one server-sent event, with an `event:` line if it has a name."""
    line = f"event: {name}\n" if name else ""
    return f"{line}data: {json.dumps(content)}\n\n".encode()


def text_of(content: object) -> str:
    """Return the text in a message's content: a string, a part with a `text`, or a list of parts."""
    if isinstance(content, str):
        return content
    if isinstance(content, dict):
        return text_of(content.get("text"))
    if isinstance(content, list):
        return " ".join(filter(None, map(text_of, content)))
    return ""


def count(text: str) -> int:
    """Return the tokens of a text: its words."""
    return len(text.split())
