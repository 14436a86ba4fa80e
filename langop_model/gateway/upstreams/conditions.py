"""When a rule of a provider applies to a request: the small language of `drops` and `translates` in schema/providers.json.

    *                          every request
    name                       the request has this member
    name=value, name!=value    it has this member with this value, or with another one
    outer.inner, outer.inner=value
                               the same of a member of a member; of an array, any of its entries counts
    content:KIND               a message has content of this kind: parts, text (parts that are all text), image, audio, file,
                               video, empty
    message:KIND               a message is of this kind: tool, function, name, refusal, audio, reasoning_content
    a+b                        both
    ROUTE/condition            the same of requests to this route alone, among `translates`

A value is JSON where it can be (`1`, `true`, `[]`), else text.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import orjson

Condition = Callable[[Mapping[str, Any]], bool]

PARTS = {
    "image": frozenset({"image_url", "input_image", "image"}),
    "audio": frozenset({"input_audio", "audio_url"}),
    "file": frozenset({"file", "input_file", "document"}),
    "video": frozenset({"video_url", "video"}),
}
ROLES = frozenset({"tool", "function"})
MEMBERS = frozenset({"name", "refusal", "audio", "reasoning_content"})
_TERM = re.compile(r"(?P<path>[A-Za-z_][\w-]*(?:\.[A-Za-z_][\w-]*)*)(?:(?P<sign>!?=)(?P<value>[^+]+))?")


def of(text: str) -> Condition:
    """Return a condition as a function of a request's body. Raises ValueError for a text that is none."""
    terms = [_term(each) for each in text.split("+")]
    if len(terms) == 1:
        return terms[0]
    return lambda body: all(term(body) for term in terms)


def route_of(text: str) -> tuple[str, str]:
    """Return the route that a text is about, empty for those whose members are those of chat completions; and the condition."""
    route, slash, condition = text.partition("/")
    return (route, condition) if slash and route.isidentifier() else ("", text)


def place_of(text: str) -> tuple[str, str]:
    """Return what a condition about one member is about, and `drops` removes: the member, and what of it; empty for all."""
    member, _, inner = re.split(r"[=!]", text, maxsplit=1)[0].partition(".")
    return member, inner


def _term(text: str) -> Condition:
    if text == "*":
        return lambda _: True
    subject, colon, kind = text.partition(":")
    if colon and subject == "content":
        return _content(kind)
    if colon and subject == "message":
        return _message(kind)
    match = _TERM.fullmatch(text)
    if match is None:
        raise ValueError(f"{text!r} is not a condition")
    path = tuple(match["path"].split("."))
    if match["sign"] is None:
        return lambda body: any(True for _ in _values(body, path))
    value, is_equal = _value(match["value"]), match["sign"] == "="
    return lambda body: any((found == value) is is_equal for found in _values(body, path))


def _value(text: str) -> Any:
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        return text


def _values(value: Any, path: tuple[str, ...]) -> Iterator[Any]:
    """Yield what is at a path. Null is as if it was not there."""
    if not path:
        yield value
    elif isinstance(value, list):
        for each in value:
            yield from _values(each, path)
    elif isinstance(value, Mapping) and (inner := value.get(path[0])) is not None:
        yield from _values(inner, path[1:])


def _messages(body: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    messages = body.get("messages")
    return (message for message in messages if isinstance(message, Mapping)) if isinstance(messages, list) else iter(())


def _content(kind: str) -> Condition:
    if kind == "parts":
        return lambda body: any(isinstance(message.get("content"), list) for message in _messages(body))
    if kind == "text":
        return _has_parts_and_all_are_text
    if kind == "empty":
        return lambda body: any(message.get("content") in ("", []) for message in _messages(body))
    if kind not in PARTS:
        raise ValueError(f"content:{kind} is not a kind of content")
    types = PARTS[kind]

    def has_part(body: Mapping[str, Any]) -> bool:
        contents = (message.get("content") for message in _messages(body))
        parts = (part for content in contents if isinstance(content, list) for part in content)
        return any(isinstance(part, Mapping) and part.get("type") in types for part in parts)

    return has_part


def _has_parts_and_all_are_text(body: Mapping[str, Any]) -> bool:
    parts = [part for message in _messages(body) if isinstance(message.get("content"), list) for part in message["content"]]
    return bool(parts) and all(isinstance(part, Mapping) and part.get("type") == "text" for part in parts)


def _message(kind: str) -> Condition:
    if kind in ROLES:
        return lambda body: any(message.get("role") == kind for message in _messages(body))
    if kind in MEMBERS:
        return lambda body: any(message.get(kind) is not None for message in _messages(body))
    raise ValueError(f"message:{kind} is not a kind of message")
