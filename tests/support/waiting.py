"""Waiting for what happens in a while."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")
PATIENCE = 180.0  # seconds; far more than anything takes that is waited for


def eventually(look: Callable[[], T], holds: Callable[[T], object] = bool, *, interval: float = 0.05) -> T:
    """Return what `look` returns, once it `holds`; by default, once it is true. `interval` is the seconds between two looks.

    Raises AssertionError with the last look when it never does.
    """
    deadline = time.monotonic() + PATIENCE
    while not holds(value := look()):
        if time.monotonic() > deadline:
            raise AssertionError(f"not so within {PATIENCE:.0f} s: {value!r}")
        time.sleep(interval)
    return value
