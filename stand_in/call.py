"""A request as all protocols see it, and what the model says to it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from stand_in.answer import count, text_of
from stand_in.behaviour import Behaviour


@dataclass(frozen=True, slots=True)
class Said:
    """What the model says, and what that costs in tokens."""

    text: str
    input_tokens: int
    output_tokens: int

    @property
    def total_tokens(self) -> int:
        """Both directions together."""
        return self.input_tokens + self.output_tokens

    @property
    def pieces(self) -> list[str]:
        """The text as a stream delivers it: word by word, each with the space around it."""
        return re.findall(r"\s*\S+\s*", self.text) or [self.text]


@dataclass(frozen=True, slots=True)
class Call:
    """A request as a protocol sees it. `number` makes its ids unique; `path` is without an endpoint's label."""

    number: int
    method: str
    path: str
    query: Mapping[str, str]
    body: dict[str, Any]
    behaviour: Behaviour
    headers: Mapping[str, str] = field(default_factory=dict)
    endpoint: str = ""

    @property
    def root(self) -> str:
        """What stands before `path` in the request's own path."""
        return f"/{self.endpoint}" if self.endpoint else ""

    @property
    def model(self) -> str:
        """The model the body asks for."""
        return str(self.body.get("model", "stand-in"))

    @property
    def wants_stream(self) -> bool:
        """Whether the body asks for a stream."""
        return self.body.get("stream") is True

    def said(self, turns: object, content: str = "content", system: object = None) -> Said:
        """Return what the model says to a conversation.

        `turns` are the messages, with their text under the key `content`; `system` is a system prompt beside them.
        """
        messages = [turn for turn in turns if isinstance(turn, dict)] if isinstance(turns, list) else []
        texts = [text_of(message.get(content)) for message in messages]
        asked = [text for message, text in zip(messages, texts, strict=True) if message.get("role", "user") == "user"]
        text = self.behaviour.get("text", f"You said: {asked[-1] if asked else ''}")
        usage = self.behaviour.get("usage", (count(text_of(system)) + sum(map(count, texts)), count(text)))
        return Said(text, *usage)
