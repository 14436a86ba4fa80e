"""Timers of one length that share one timer of the event loop: they are due in the order in which they were set.

Each request sets several, and hardly any of them is ever due. To make one of the event loop's and to take it back costs more
than everything else that a request does with it.
"""

from __future__ import annotations

import asyncio
import itertools
from typing import Protocol


class Waiting(Protocol):
    """Who wants to know when its time is over."""

    def is_due(self) -> None:
        """Called once, when the time is over; in the event loop."""


class Timer:
    """Tells everybody who waits, `seconds` after it began to. One event loop uses it."""

    __slots__ = ("handle", "loop", "seconds", "waiting")

    def __init__(self, loop: asyncio.AbstractEventLoop, seconds: float) -> None:
        self.loop = loop
        self.seconds = seconds
        self.waiting: dict[Waiting, float] = {}  # until when, in the order of these times
        self.handle: asyncio.TimerHandle | None = None

    def add(self, one: Waiting) -> None:
        """Let one wait."""
        self.waiting[one] = due = self.loop.time() + self.seconds
        if self.handle is None:
            self.handle = self.loop.call_at(due, self._look)

    def remove(self, one: Waiting) -> None:
        """Forget one, whether it waits or not."""
        self.waiting.pop(one, None)

    def _look(self) -> None:
        """Tell those who are due, and look again when the next one is."""
        now = self.loop.time()
        due = list(itertools.takewhile(lambda one: self.waiting[one] <= now, self.waiting))
        for one in due:
            if self.waiting.pop(one, None) is not None:  # what another one did may have removed it
                one.is_due()
        following = next(iter(self.waiting.values()), None)
        self.handle = self.loop.call_at(following, self._look) if following is not None else None


_timers: dict[float, Timer] = {}  # by their length: there are as many as configurations have


def of(seconds: float) -> Timer:
    """Return the timer of the running event loop for a length in seconds that a configuration, or a constant, says."""
    loop = asyncio.get_running_loop()
    timer = _timers.get(seconds)
    if timer is None or timer.loop is not loop:
        timer = _timers[seconds] = Timer(loop, seconds)
    return timer
