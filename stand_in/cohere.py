"""Cohere's words, version 2: https://docs.cohere.com/v2/reference/chat-stream. small.py has the path."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from stand_in.answer import event
from stand_in.call import Call, Said

Calls = Mapping[str, Sequence[str]]  # the names of tools, and the parts of each one's arguments


def plain(_: Call, said: Said) -> object:
    """Return a whole answer."""
    message = {"role": "assistant", "content": [{"type": "text", "text": said.text}]}
    return {"id": "1", "finish_reason": "COMPLETE", "message": message, "usage": _usage(said)}


def stream(_: Call, said: Said) -> list[bytes]:
    """Return the parts of a streamed answer."""
    return as_events(events(said.pieces, "COMPLETE", _usage(said)))


def events(texts: Iterable[str], reason: str, usage: object, calls: Calls | None = None) -> list[dict[str, Any]]:
    """Return the contents of a stream's events. The texts before calls of tools are the model's plan."""
    return [
        {"type": "message-start", "id": "1", "delta": {"message": {"role": "assistant", "content": []}}},
        *(_called(texts, calls) if calls else _said(texts)),
        {"type": "message-end", "delta": {"finish_reason": reason, "usage": usage}},
    ]


def as_events(contents: Iterable[dict[str, Any]]) -> list[bytes]:
    """Return server-sent events with these contents."""
    return [*(event(content, content["type"]) for content in contents), b"data: [DONE]\n\n"]


def _said(texts: Iterable[str]) -> Iterable[dict[str, Any]]:
    yield {"type": "content-start", "index": 0, "delta": {"message": {"content": {"type": "text", "text": ""}}}}
    for text in texts:
        yield {"type": "content-delta", "index": 0, "delta": {"message": {"content": {"text": text}}}}
    yield {"type": "content-end", "index": 0}


def _called(plan: Iterable[str], calls: Calls) -> Iterable[dict[str, Any]]:
    for text in plan:
        yield {"type": "tool-plan-delta", "delta": {"message": {"tool_plan": text}}}
    for index, (name, parts) in enumerate(calls.items()):
        begun = {"id": f"{name}_1", "type": "function", "function": {"name": name, "arguments": ""}}
        yield {"type": "tool-call-start", "index": index, "delta": {"message": {"tool_calls": begun}}}
        for part in parts:
            delta = {"message": {"tool_calls": {"function": {"arguments": part}}}}
            yield {"type": "tool-call-delta", "index": index, "delta": delta}
        yield {"type": "tool-call-end", "index": index}


def _usage(said: Said) -> dict[str, Any]:
    return {"tokens": {"input_tokens": said.input_tokens, "output_tokens": said.output_tokens}}
