"""When a provider may be asked again: Retry-After in seconds or as a date (RFC 9110, 10.2.3), and OpenAI's retry-after-ms."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

LONGEST = 86_400.0  # seconds; what is longer is no advice
# The standard has whole seconds. Some servers write a fraction, and OpenAI's own clients read it.
_NUMBER = re.compile(r"[0-9]+(\.[0-9]+)?")


def seconds_of(headers: Mapping[str, str]) -> float | None:
    """Return the seconds after which a request may be sent again, 0 for a date that has passed. Raises nothing.

    None where the headers do not say, or say what neither the standard nor a server is known to say: then the request is sent
    again when the specification says so, not at once. `headers` find a name in any case of its letters, as those of aiohttp
    and httpx do. retry-after-ms comes first, being the more precise one.
    """
    milliseconds = _number(headers.get("retry-after-ms", ""))
    if milliseconds is not None:
        return min(milliseconds / 1000, LONGEST)
    text = headers.get("retry-after", "")
    seconds = _number(text)
    if seconds is None:
        seconds = _until(text)
    return None if seconds is None else min(seconds, LONGEST)


def _number(text: str) -> float | None:
    text = text.strip()
    return float(text) if _NUMBER.fullmatch(text) else None


def _until(date: str) -> float | None:
    try:
        at = parsedate_to_datetime(date)
    except (TypeError, ValueError, OverflowError):
        return None
    at = at if at.tzinfo else at.replace(tzinfo=UTC)  # the oldest of the standard's three formats names no zone
    return max(0.0, (at - datetime.now(UTC)).total_seconds())
