"""Go durations, as Kubernetes resources write them: 300ms, 5m, 1h30m."""

from __future__ import annotations

from functools import lru_cache

LONGEST = 365 * 24 * 3600.0  # seconds; no wait of a gateway is longer than a year
SHORTEST = 0.001  # seconds; durationpy counts in microseconds, and nothing here can wait for less than a millisecond


@lru_cache(maxsize=1024)
def seconds(text: str) -> float:
    """Return the seconds of a Go duration, an int where they are whole.

    Raises ValueError for what is no duration, for less than a millisecond and for more than a year.
    """
    import durationpy

    try:
        value = durationpy.from_str(text).total_seconds()
    except (durationpy.DurationError, OverflowError) as problem:
        raise ValueError(str(problem)) from None
    if not SHORTEST <= value <= LONGEST:
        raise ValueError(f"{text} is shorter than a millisecond or longer than a year")
    return int(value) if value == int(value) else value


def in_go(value: float) -> str:
    """Return `value` seconds as a Go duration: 30 is 30s, 0.25 is 0.25s. Never in the form 1e-05, which Go does not read."""
    return f"{value:.9f}".rstrip("0").rstrip(".") + "s"
