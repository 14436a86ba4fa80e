"""Whether a call has reached its provider: what LiteLLM raises afterwards is about the answer, not about the request."""

from __future__ import annotations

from contextvars import ContextVar
from typing import Any

_answers: ContextVar[list[int] | None] = ContextVar("answers", default=None)


def watch() -> list[int]:
    """Return a list that gets the status of each answer of a provider to this call."""
    answers: list[int] = []
    _answers.set(answers)
    return answers


def note(response: Any) -> None:
    """Note an answer: a hook of a client that waits for nothing."""
    answers = _answers.get()
    if answers is not None:
        answers.append(response.status_code)


async def note_async(response: Any) -> None:
    """Note an answer."""
    note(response)
