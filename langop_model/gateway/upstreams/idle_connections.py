"""Connections to a provider that wait for their next request: the one that was used last is used first.

aiohttp's own pool takes the oldest: all that a burst has opened stay open, and each request finds one that the processor's
caches have forgotten. To give a connection to that pool and to get it back also takes more CPU than to keep it.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from langop_model.gateway.upstreams import client_request
from langop_model.gateway.upstreams.client_request import KEEP_ALIVE

if TYPE_CHECKING:
    from aiohttp.connector import Connection


class IdleConnections:
    """Those of one pool of aiohttp: of one host, port and proxy. They are closed after KEEP_ALIVE seconds without a request."""

    __slots__ = ("loop", "timer", "waiting")

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.loop = loop
        self.waiting: list[tuple[Connection, float]] = []  # each with the time since when it waits, the oldest first
        self.timer: asyncio.TimerHandle | None = None

    def take(self) -> Connection | None:
        """Return one that nothing has been said on since its last answer; None where there is none."""
        waiting = self.waiting
        while waiting:
            connection, _ = waiting.pop()
            if client_request.is_clean(connection):
                return connection
            connection.close()
        return None

    def keep(self, connection: Connection) -> None:
        """Keep one whose answer is complete; close it where that is not so, or the provider wants it closed."""
        if not client_request.is_clean(connection):
            connection.close()
            return
        self.waiting.append((connection, self.loop.time()))
        if self.timer is None:
            self.timer = self.loop.call_later(KEEP_ALIVE, self._close_old)

    def close(self) -> None:
        """Close all."""
        if self.timer is not None:
            self.timer.cancel()
            self.timer = None
        while self.waiting:
            self.waiting.pop()[0].close()

    def _close_old(self) -> None:
        """Close those that have waited long enough, and look again when the next one has."""
        self.timer = None
        now = self.loop.time()
        old = [connection for connection, since in self.waiting if now - since >= KEEP_ALIVE]
        del self.waiting[: len(old)]
        for connection in old:
            connection.close()
        if self.waiting:
            self.timer = self.loop.call_at(self.waiting[0][1] + KEEP_ALIVE, self._close_old)
