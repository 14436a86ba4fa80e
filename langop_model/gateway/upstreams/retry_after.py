"""When a provider may be asked again: Retry-After, a number or a date (RFC 9110, 10.2.3), and OpenAI's retry-after-ms."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

LONGEST = 86_400.0  # seconds; what is longer is no advice


def seconds_of(headers: Mapping[str, str]) -> float | None:
    """Return the seconds after which a request may be sent again; None where the headers do not say. Raises nothing."""
    milliseconds = headers.get("retry-after-ms")
    if milliseconds is not None:
        found = _number(milliseconds)
        if found is not None:
            return min(found / 1000, LONGEST)
    value = headers.get("retry-after")
    if value is None:
        return None
    found = _number(value)
    return min(found if found is not None else _until(value), LONGEST)


def _number(text: str) -> float | None:
    try:
        value = float(text)
    except ValueError:
        return None
    return value if 0 <= value < float("inf") else None


def _until(date: str) -> float:
    try:
        at = parsedate_to_datetime(date)
    except (TypeError, ValueError):
        return 0.0
    at = at if at.tzinfo else at.replace(tzinfo=UTC)
    return max(0.0, (at - datetime.now(UTC)).total_seconds())
