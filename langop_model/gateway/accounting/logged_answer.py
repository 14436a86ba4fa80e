"""An answer as the log shows it, where the specification asks for it: a whole one as it is, a stream put together."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import orjson

from langop_model.gateway.upstreams.base import Route
from langop_model.gateway.upstreams.stream_usage import parsed

LONGEST = 1 << 20  # bytes of one answer in the log; a stream's rest is cut off, a whole answer says only how long it is
WHOLE_AT_THE_END = ("response.completed", "response.incomplete")


class LoggedAnswer:
    """Collects an answer on its way to the client."""

    __slots__ = ("_body", "_choices", "_final", "_size", "route")

    def __init__(self, route: Route) -> None:
        self.route = route
        self._body: bytes | None = None
        self._choices: dict[int, dict[str, Any]] = {}
        self._final: Any = None
        self._size = 0

    def whole(self, body: bytes) -> None:
        """Note the body of a whole answer."""
        self._body = body

    def feed(self, event: bytes) -> None:
        """Note an event of a stream."""
        self._size += len(event)
        if self._size > LONGEST:
            return
        part = parsed(event)
        if part.get("type") in WHOLE_AT_THE_END:
            self._final = part.get("response")
            return
        for index, name, text in _pieces(part):
            into = self._choices.setdefault(index, {})
            into[name] = into.get(name, "") + text

    def value(self) -> Any:
        """Return the answer: its JSON, or how long it is where it is none; a stream in the form of a whole answer."""
        if self._body is not None:
            return _readable(self._body)
        if self._final is not None:
            return self._final
        choices = [self._choices[index] for index in sorted(self._choices)]
        return self._joined(choices) if choices else None

    def _joined(self, choices: list[dict[str, Any]]) -> Any:
        if self.route is Route.MESSAGES:
            return {
                "role": "assistant",
                "content": [{"type": kind, kind: text} for each in choices for kind, text in each.items()],
            }
        if self.route is Route.GENERATE_CONTENT:
            return {"candidates": [{"content": {"parts": [{"text": each.get("content", "")}]}} for each in choices]}
        if self.route is Route.COMPLETIONS:
            return {"choices": [{"index": at, "text": each.get("text", "")} for at, each in enumerate(choices)]}
        return {"choices": [{"index": at, "message": {"role": "assistant", **each}} for at, each in enumerate(choices)]}


def _pieces(part: Mapping[str, Any]) -> Iterable[tuple[int, str, str]]:
    """Yield index, name and text of what an event adds."""
    for choice in _dicts(part.get("choices")):
        delta = choice.get("delta") or choice
        index = choice.get("index") or 0
        for name in ("content", "reasoning_content", "refusal", "text"):
            if isinstance(delta.get(name), str):
                yield index, name, delta[name]
        for call in _dicts(delta.get("tool_calls")):
            function = call.get("function") or {}
            yield index, "tool_calls", f"{function.get('name') or ''}{function.get('arguments') or ''}"
    yield from _other_pieces(part)


def _other_pieces(part: Mapping[str, Any]) -> Iterable[tuple[int, str, str]]:
    delta = part.get("delta")
    if isinstance(delta, dict):  # Anthropic's content blocks
        for name in ("text", "thinking", "partial_json"):
            if isinstance(delta.get(name), str):
                yield part.get("index") or 0, name, delta[name]
    for index, candidate in enumerate(_dicts(part.get("candidates"))):
        for piece in _dicts((candidate.get("content") or {}).get("parts")):
            if isinstance(piece.get("text"), str):
                yield index, "content", piece["text"]


def _dicts(value: Any) -> list[dict[str, Any]]:
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []


def _readable(body: bytes) -> Any:
    if len(body) <= LONGEST:
        try:
            return orjson.loads(body)
        except orjson.JSONDecodeError:
            pass
    return {"bytes": len(body)}
