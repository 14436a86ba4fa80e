"""Limits of one model: a request that finds no room waits in order, and is refused when it would wait too long."""

from __future__ import annotations

import asyncio
import itertools
import math
import secrets
import time
from collections.abc import Callable

from langop_model.contract.settings import Limits
from langop_model.gateway.limits.ledger import Book, Ledger, Place, Wait


class NoRoom(Exception):
    """A request would wait longer than it may. `retry_after` is when room comes, in seconds."""

    def __init__(self, limit: str, retry_after: float) -> None:
        self.limit = limit or "rateLimits"
        self.retry_after = max(1, math.ceil(retry_after))
        super().__init__(f"{self.limit} is reached; there is room in {self.retry_after} s")


class Admission:
    """The door of one model. One event loop uses it.

    `book` is where calls are counted. Its account may be shared by several processes; the line at this door is this
    process's own, and whoever stands first in it asks the book.
    """

    def __init__(self, limits: Limits, clock: Callable[[], float] = time.monotonic, book: Book | None = None) -> None:
        self.limits = limits
        self.clock = clock
        self.book: Book = book or Ledger(limits, clock)
        self.open = not limits.any
        self.turn = asyncio.Lock()  # fair: whoever came first goes first
        self.changed = asyncio.Event()  # a call has ended: there may be room
        self.in_the_way = Wait()  # of the first in line
        self.name = secrets.token_hex(6)  # no two doors give out the same ticket
        self.numbers = itertools.count()

    async def enter(self, tokens: int | None, deadline: float) -> Place:
        """Wait in order until every limit has room; count the call.

        `tokens` is the most that the call may use, None when that is unknown. Raises NoRoom when room would come after
        `deadline` (by the clock), without waiting for it where that is certain.
        """
        ticket = f"{self.name}-{next(self.numbers)}"
        if self.open:
            return Place(ticket, self.clock())
        try:
            async with asyncio.timeout(deadline - self.clock()):
                await self.turn.acquire()
        except TimeoutError:
            raise NoRoom(self.in_the_way.limit, self.in_the_way.seconds) from None
        try:
            return await self._first_in_line(ticket, tokens, deadline)
        except BaseException:
            self.book.withdraw(ticket)
            raise
        finally:
            self.turn.release()

    async def _first_in_line(self, ticket: str, tokens: int | None, deadline: float) -> Place:
        while True:
            self.changed.clear()
            left = deadline - self.clock()
            found = await self.book.admit(ticket, tokens, left)
            if isinstance(found, Place):
                return found
            if left <= 0 or (found.certain and found.seconds > left):
                raise NoRoom(found.limit, found.seconds)
            self.in_the_way = found
            await self._sleep(min(found.seconds, left, found.look_again or found.seconds))

    def leave(self, place: Place, used: int, answered: bool = True) -> None:
        """Note the tokens that a call has used, and whether any provider `answered`, be it with an error."""
        if not self.open:
            self.book.leave(place, used, answered)
            self.changed.set()

    async def _sleep(self, seconds: float) -> None:
        """Sleep until the window moves, or until a call ends."""
        try:
            async with asyncio.timeout(seconds):
                await self.changed.wait()
        except TimeoutError:
            return
