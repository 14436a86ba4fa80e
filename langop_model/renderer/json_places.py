"""Where a field of a JSON text is, without a YAML parser."""

from __future__ import annotations

import json
import re

from langop_model.renderer.findings import Path

_decode = json.JSONDecoder().raw_decode
_SPACE = re.compile(r"[ \t\n\r]*")


def locate(text: str, path: Path, *, exists: bool = False) -> tuple[int, int]:
    """Return line and column, from 1, of `path` in a JSON text, or of its nearest parent: a key's, or an item's of a list.

    `exists` says that there is a field at `path`, which can make it faster. Raises ValueError for a text that is no JSON on the
    way there.
    """
    mark = _only_place(text, path[-1]) if exists and path else None
    if mark is None:
        mark = _walked(text, path)
    return text.count("\n", 0, mark) + 1, mark - text.rfind("\n", 0, mark)


def _only_place(text: str, key: str | int) -> int | None:
    """Return where the text of a key is, which the JSON has; None where it may be in another place too.

    Without a backslash there is one way to write a key, and quotes do nothing but begin and end a text.
    """
    if isinstance(key, int) or "\\" in text:
        return None
    at = text.find(f'"{key}"')
    return at if at == text.rfind(f'"{key}"') and at >= 0 else None


def _walked(text: str, path: Path) -> int:
    """Return where `path` is, from the start of the text: most values are skipped by the JSON parser, in C."""
    at = mark = _skip(text, 0)
    for segment in path:
        step = _member(text, at, str(segment)) if text[at : at + 1] == "{" else _item(text, at, segment)
        if step is None:
            break
        mark, at = step
    return mark


def _skip(text: str, at: int) -> int:
    found = _SPACE.match(text, at)
    return found.end() if found else at


def _member(text: str, at: int, name: str) -> tuple[int, int] | None:
    """Return where the key `name` of the object at `at` is, and its value; None where there is none."""
    at = _skip(text, at + 1)
    while text[at : at + 1] != "}":
        key, end = _decode(text, at)
        value = _skip(text, _after(text, end, ":"))
        if key == name:
            return at, value
        at = _next(text, _decode(text, value)[1], "}")
    return None


def _item(text: str, at: int, index: str | int) -> tuple[int, int] | None:
    """Return where an item of the list at `at` is, twice; None where there is none."""
    if text[at : at + 1] != "[" or not isinstance(index, int):
        return None
    at = _skip(text, at + 1)
    for _ in range(index):
        if text[at : at + 1] == "]":
            return None
        at = _next(text, _decode(text, at)[1], "]")
    return None if text[at : at + 1] == "]" else (at, at)


def _next(text: str, end: int, last: str) -> int:
    """Return where the next member or item is after one that ends at `end`, or the bracket `last`."""
    at = _skip(text, end)
    return at if text[at : at + 1] == last else _skip(text, _after(text, at, ","))


def _after(text: str, at: int, mark: str) -> int:
    at = _skip(text, at)
    if text[at : at + 1] != mark:
        raise ValueError(f"no {mark} at {at}")
    return at + 1
