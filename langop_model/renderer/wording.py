"""How a value is named in a message: JSON's words, short, and never what may be a secret."""

from __future__ import annotations

import json
from typing import Any

LONGEST = 60  # characters of a wrong value that are worth repeating

TYPES = {
    "object": "an object (key: value)", "array": "a list", "string": "text", "integer": "an integer",
    "number": "a number", "boolean": "true or false", "null": "empty",
}  # fmt: skip


def kind_of(value: Any) -> str:
    """Return what a JSON value is, as it follows `is`: text, a number, a list, an object, true, false, or empty (null)."""
    if value is None:
        return "empty (null)"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return "text" if value else "empty"
    if isinstance(value, int | float):
        return "a number"
    return "a list" if isinstance(value, list) else "an object"


def shown(value: Any, *, hidden: bool = False) -> str:
    """Return a wrong value as it follows `is`: shortened where it is long, and only its kind where it is `hidden`."""
    if value is None:
        return kind_of(value)
    if hidden and value != "" and not isinstance(value, bool):
        return f"{kind_of(value)} (value hidden)"
    return shortened(json.dumps(value, ensure_ascii=False, default=str))


def shortened(text: str) -> str:
    """Return `text`, cut where it is longer than a message should repeat."""
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"


def did_you_mean(word: object, choices: list[str]) -> str:
    """Return ` Did you mean X?` when one of `choices` is near `word`, else nothing."""
    from difflib import get_close_matches

    by_lower = {str(choice).lower(): str(choice) for choice in choices}
    near = get_close_matches(str(word).lower(), by_lower, n=1, cutoff=0.6)
    return f" Did you mean {by_lower[near[0]]}?" if near else ""
