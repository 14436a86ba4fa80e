"""What a window costs: sliding_window.py says it."""

from __future__ import annotations

import gc
import itertools
import tracemalloc
from collections.abc import Callable
from typing import Any

from langop_model.contract.settings import Limits
from langop_model.gateway.limits.admission import Admission
from langop_model.gateway.limits.sliding_window import SlidingWindow

COUNT = 20_000


def bytes_of(build: Callable[[], Any]) -> int:
    """Return the memory that what `build` returns takes."""
    gc.collect()
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        kept = build()
        gc.collect()
        taken = tracemalloc.get_traced_memory()[0] - before
        assert kept is not None
        return taken
    finally:
        tracemalloc.stop()


def window(used: int, **limits: int) -> SlidingWindow:
    """Return a window of COUNT requests that have ended."""
    times = itertools.count()
    made = SlidingWindow(Limits(**limits), clock=lambda: next(times) * 1e-6)
    for number in range(COUNT):
        reservation = made.reserve(f"0123456789ab-{number}", 0)
        made.settle(reservation, used, answered=True)
    return made


def test_a_request_of_the_window_takes_at_most_200_bytes():
    assert bytes_of(lambda: window(0, requests_per_minute=COUNT)) / COUNT <= 200


def test_a_request_with_tokens_takes_at_most_330_bytes():
    assert bytes_of(lambda: window(7, requests_per_minute=COUNT, tokens_per_minute=10**9)) / COUNT <= 330


def test_a_model_without_traffic_takes_at_most_3500_bytes():
    limits = Limits(requests_per_minute=1000, tokens_per_minute=1000, concurrent_requests=10)
    assert bytes_of(lambda: [Admission(limits) for _ in range(500)]) / 500 <= 3500
