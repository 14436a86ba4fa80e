"""Numbers in words with their units: for the sentences of `explain` and `diff`."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from decimal import Decimal
from fractions import Fraction
from typing import Any

_PARTS = {
    Fraction(1): "all requests",
    Fraction(3, 4): "three quarters of the requests",
    Fraction(2, 3): "two thirds of the requests",
    Fraction(1, 2): "half of the requests",
    Fraction(1, 3): "a third of the requests",
    Fraction(1, 4): "a quarter of the requests",
    Fraction(1, 5): "a fifth of the requests",
}


def number(value: Any) -> str:
    """Return a number with separators of thousands and without a useless decimal: 50,000, 0.25, 3."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return str(value)
    if isinstance(value, float) and value == int(value) and abs(value) < 1e15:
        value = int(value)
    if isinstance(value, int):
        return f"{value:,}"
    # repr: what a person would write, without the last digits of a binary fraction
    return f"{Decimal(repr(round(value, 12))):,f}" if abs(value) >= 1e-9 else repr(value)


def duration(seconds: Any) -> str:
    """Return seconds in words: 250 ms, 90 s; from two hours on, where they are whole minutes, 2 h or 36 h 30 min."""
    if isinstance(seconds, bool) or not isinstance(seconds, int | float):
        return str(seconds)
    if 0 < seconds < 1:
        return f"{number(round(seconds * 1000, 6))} ms"
    if seconds < 7200 or seconds % 60:
        return f"{number(seconds)} s"
    hours, minutes = divmod(int(seconds) // 60, 60)
    return f"{hours:,} h {minutes} min" if minutes else f"{hours:,} h"


def listed(values: Iterable[Any], last: str = "and") -> str:
    """Return values as a sentence lists them: `a`, `a and b`, `a, b and c`."""
    words = [value if isinstance(value, str) else json.dumps(value, ensure_ascii=False) for value in values]
    return f"{', '.join(words[:-1])} {last} {words[-1]}" if len(words) > 1 else "".join(words)


def counted(count: int, noun: str) -> str:
    """Return a number with its noun: 1 time, 4 times."""
    return f"{number(count)} {noun}" if count == 1 else f"{number(count)} {noun}s"


def percent(part: float) -> str:
    """Return a part of 1 in percent: 0.9 is `90 %`; less than 1 % and more than 99 % are not rounded away."""
    value = part * 100
    if 0 < value < 1:
        return "less than 1 %"
    return "more than 99 %" if 99 < value < 100 else f"{round(value)} %"


def about(part: float) -> str:
    """Return a part of 1 in percent as an estimate: about 90 %, but more than 99 %."""
    words = percent(part)
    return words if words.startswith(("less", "more")) else f"about {words}"


def part_of_requests(part: Fraction) -> str:
    """Return a part of all requests in words: 1/3 is `a third of the requests`, 0.43 is `about 43 % of the requests`."""
    return _PARTS.get(part) or ("none of the requests" if not part else f"about {percent(float(part))} of the requests")


def waits(first: float, factor: float, longest: float, count: int) -> list[float]:
    """Return the seconds before each of `count` retries (langop_model/gateway/routing/retry_delay.py)."""
    found: list[float] = []
    for _ in range(count):
        found.append(min(first, longest))
        first = min(first * factor, longest)
    return found


def shares(weights: Sequence[int]) -> list[Fraction]:
    """Return the part that each weight has in their sum; equal parts where all are 0."""
    whole = sum(weights)
    return [Fraction(weight, whole) if whole else Fraction(1, len(weights)) for weight in weights]
