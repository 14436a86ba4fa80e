"""Regular expressions in the dialects of those who read a schema: ECMAScript (editors) and RE2 (the API server)."""

from __future__ import annotations

import re

_ESCAPE = re.compile(r"\\u([0-9a-fA-F]{4})")
_ONLY_AT_THE_END = r"$(?!\n)"  # Python's $ also matches before a last line break; that of the others does not


def in_ecmascript(pattern: str) -> str:
    """Return `pattern` without a leading (?i), which ECMAScript does not know: each letter in both cases instead."""
    if not pattern.startswith("(?i)"):
        return pattern
    text, inside, result = pattern.removeprefix("(?i)"), False, []
    for index, letter in enumerate(text):
        escaped = index > 0 and text[index - 1] == "\\"
        inside = (inside or letter == "[") and not (letter == "]" and not escaped)
        plain = letter.isalpha() and not escaped and not inside
        result.append(f"[{letter.upper()}{letter.lower()}]" if plain else letter)
    return "".join(result)


def in_re2(pattern: str) -> str:
    """Return `pattern` as RE2 spells it. Raises ValueError for lookaround, which RE2 has not."""
    spelt = _ESCAPE.sub(lambda code: f"\\x{{{code[1]}}}", pattern.replace(_ONLY_AT_THE_END, "$"))
    if any(look in spelt for look in ("(?=", "(?!", "(?<")):
        raise ValueError(f"RE2 has no lookaround: {pattern}")
    return spelt
