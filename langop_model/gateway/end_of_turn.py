"""What is written at the end of a turn of the event loop, all at once.

A turn serves every request that something has come for. A write in between wakes its reader, who does the little that there is
to do and sleeps again until the next write: with sixteen requests at a time, waking is a fifth of the gateway's CPU.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Sequence
from typing import Any

MOST = 16  # writes that wait: with hundreds of requests in a turn the first answer does not wait for the last


class EndOfTurn:
    """The writes of one event loop, and what is called after them. `requests` are those that it serves.

    A request that is alone is written at once.
    """

    __slots__ = ("calls", "is_expected", "loop", "requests", "writes")

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.loop = loop
        self.requests: Collection[Any] = ()
        self.writes: list[tuple[asyncio.WriteTransport, Sequence[bytes]]] = []
        self.calls: list[Callable[[], None]] = []
        self.is_expected = False

    def soon(self, call: Callable[[], None]) -> None:
        """Call something at the end of the turn, when what waits has been written."""
        self._expect()
        self.calls.append(call)

    def later(self, seconds: float, call: Callable[[], None]) -> None:
        """Call something so many seconds from now."""
        self.loop.call_later(seconds, call)

    def write(self, transport: asyncio.WriteTransport, parts: Sequence[bytes]) -> None:
        """Write to a transport, after everything that was written to it before."""
        writes = self.writes
        if not writes and len(self.requests) <= 1:
            transport.writelines(parts)
            return
        self._expect()
        writes.append((transport, parts))
        if len(writes) >= MOST:
            self.flush()

    def _expect(self) -> None:
        if not self.is_expected:
            self.is_expected = True
            self.loop.call_soon(self._end)

    def _end(self) -> None:
        self.is_expected = False
        self.flush()
        calls, self.calls = self.calls, []
        for call in calls:
            try:
                call()
            except Exception as problem:  # noqa: BLE001 - the others are called nevertheless
                self.loop.call_exception_handler({"message": "a call at the end of a turn has failed", "exception": problem})

    def flush(self) -> None:
        """Write what waits. What a closed transport should have had is lost, as everything that is written to one."""
        writes, self.writes = self.writes, []
        for transport, parts in writes:
            if transport.is_closing():
                continue
            try:
                transport.writelines(parts)
            except Exception as problem:  # noqa: BLE001 - one connection must not take the others' answers along
                transport.abort()
                self.loop.call_exception_handler({"message": "a write has failed", "exception": problem})


_last: EndOfTurn | None = None


def of(loop: asyncio.AbstractEventLoop) -> EndOfTurn:
    """Return the one of an event loop: a process has one loop, and tests have one after the other."""
    global _last  # noqa: PLW0603 - it is a cache
    if _last is None or _last.loop is not loop:
        _last = EndOfTurn(loop)
    return _last
