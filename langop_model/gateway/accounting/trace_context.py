"""W3C trace context: the header `traceparent`, read without OpenTelemetry, so that the log names a trace even without spans.

https://www.w3.org/TR/trace-context/
"""

from __future__ import annotations

import re
from typing import NamedTuple

TRACEPARENT = re.compile(r"([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(?:-.*)?")
SAMPLED = 1


class TraceContext(NamedTuple):
    """The trace and the span that a request comes from."""

    trace_id: str
    span_id: str
    sampled: bool


def read(traceparent: str | None) -> TraceContext | None:
    """Return what a traceparent says; None for none, or one that the standard says to ignore."""
    match = TRACEPARENT.fullmatch(traceparent.strip()) if traceparent and len(traceparent) < 256 else None
    if match is None:
        return None
    version, trace_id, span_id, flags = match.groups()
    has_more = len(match.group(0)) > 55
    if version == "ff" or (version == "00" and has_more) or not trace_id.strip("0") or not span_id.strip("0"):
        return None
    return TraceContext(trace_id, span_id, bool(int(flags, 16) & SAMPLED))


def write(trace_id: str, span_id: str, sampled: bool) -> str:
    """Return the header for a span."""
    return f"00-{trace_id}-{span_id}-{'01' if sampled else '00'}"
