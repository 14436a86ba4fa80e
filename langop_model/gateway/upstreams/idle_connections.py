"""Connections to a provider that wait for their next request: the one that was used last is used first.

aiohttp's own pool takes the oldest: all that a burst has opened stay open, and each request finds one that the processor's
caches have forgotten. To give a connection to that pool and to get it back also takes more CPU than to keep it.
"""

from __future__ import annotations

import asyncio
import random
from typing import TYPE_CHECKING

from langop_model.gateway.upstreams import client_request
from langop_model.gateway.upstreams.client_request import KEEP_ALIVE

if TYPE_CHECKING:
    from aiohttp.connector import Connection


MAX_AGE = 300.0  # seconds
SPREAD = 0.2  # part of it that a connection may be closed earlier: those of a burst must not all be made anew at once


class Held:
    """A connection, with the times since when it has been `idle`, and from which on it is not kept."""

    __slots__ = ("connection", "ends", "idle")

    def __init__(self, connection: Connection, made: float) -> None:
        self.connection = connection
        self.idle = made
        self.ends = made + MAX_AGE * random.uniform(1 - SPREAD, 1)  # noqa: S311 - it guards nothing


class IdleConnections:
    """Those of one pool of aiohttp: of one host, port and proxy. They are closed after KEEP_ALIVE seconds without a request.

    One that is about MAX_AGE seconds old when its answer is complete is not kept: under constant load it would never see that
    a name has other addresses, or that there are more servers behind one.
    """

    __slots__ = ("loop", "timer", "waiting")

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.loop = loop
        self.waiting: list[Held] = []  # the one that has been idle longest comes first
        self.timer: asyncio.TimerHandle | None = None

    def take(self) -> Held | None:
        """Return one that nothing has been said on since its last answer; None where there is none."""
        waiting = self.waiting
        while waiting:
            held = waiting.pop()
            if client_request.is_clean(held.connection):
                return held
            held.connection.close()
        return None

    def keep(self, held: Held) -> None:
        """Keep one whose answer is complete; close it where that is not so, the provider wants it closed, or it is too old."""
        now = self.loop.time()
        if now >= held.ends or not client_request.is_clean(held.connection):
            held.connection.close()
            return
        held.idle = now
        self.waiting.append(held)
        if self.timer is None:
            self.timer = self.loop.call_later(KEEP_ALIVE, self._close_idle)

    def close(self) -> None:
        """Close all."""
        if self.timer is not None:
            self.timer.cancel()
            self.timer = None
        while self.waiting:
            self.waiting.pop().connection.close()

    def _close_idle(self) -> None:
        """Close those that have been idle long enough, and look again when the next one has."""
        self.timer = None
        now = self.loop.time()
        idle = [held for held in self.waiting if now - held.idle >= KEEP_ALIVE]
        del self.waiting[: len(idle)]
        for held in idle:
            held.connection.close()
        if self.waiting:
            self.timer = self.loop.call_at(self.waiting[0].idle + KEEP_ALIVE, self._close_idle)
