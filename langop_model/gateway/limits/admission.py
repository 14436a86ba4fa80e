"""Admission to one model: a request waits in order until every limit allows it, and fails when it would wait too long."""

from __future__ import annotations

import asyncio
import itertools
import math
import secrets
import time
from collections.abc import Callable
from typing import cast

from langop_model.contract.settings import Limits
from langop_model.gateway.limits.sliding_window import AnswerStore, Delay, LimitStore, Reservation, SlidingWindow

UNLIMITED = Reservation("", 0.0)  # of every request to a model without limits: nothing is counted


class RateLimitTimeoutError(Exception):
    """A request would wait longer than it may.

    `limit` is the field of the specification, `retry_after` when the limit allows the next request, in seconds, and `queued`
    how many requests wait for this model in this process.
    """

    def __init__(self, limit: str, retry_after: float, queued: int = 0) -> None:
        self.limit = limit or "rateLimits"
        self.retry_after = max(1, math.ceil(retry_after))
        self.queued = queued
        waiting = f", {queued} waiting" if queued else ""
        super().__init__(f"{self.limit} is reached{waiting}; retry in {self.retry_after} s")


class Admission:
    """Admission control for one model group. One event loop uses it.

    `store` counts, perhaps for several processes. The queue here is this process's; its first request asks the store.
    """

    def __init__(self, limits: Limits, clock: Callable[[], float] = time.monotonic, store: LimitStore | None = None) -> None:
        self.limits = limits
        self.clock = clock
        self.store: LimitStore = store or SlidingWindow(limits, clock)
        self.open = not limits.any
        self.turn = asyncio.Lock()  # fair: first come, first served
        self.changed = asyncio.Event()  # a request has ended, so a limit may allow the next
        self.blocked_by = Delay()  # what the first of the queue waits for
        self.queued = 0
        self.prefix = secrets.token_hex(6)  # keeps the tickets of all processes apart
        self.numbers = itertools.count()

    async def admit(self, tokens: int | None, deadline: float) -> Reservation:
        """Wait in order until every limit allows the request, and count it.

        `tokens` is the most that it may use, None when that is unknown. Raises RateLimitTimeoutError when it would be allowed
        after `deadline` (by the clock) only, at once where that is certain.
        """
        if self.open:
            return UNLIMITED
        ticket = self._ticket()
        if not self.turn.locked():  # nobody waits here: no queue is needed
            found = await self.store.admit(ticket, tokens, 0)
            if isinstance(found, Reservation):
                return found
            self._refuse_if_hopeless(found, deadline)
        return await self._wait(ticket, tokens, deadline)

    async def find_or_admit(self, entry: str, tokens: int | None, deadline: float) -> bytes | Reservation:
        """Return the cached answer of the key `entry` where redis has one; else do as `admit`.

        Both are one round trip. Only for a store in redis, which keeps the answers too. Raises RateLimitTimeoutError.
        """
        ticket = self._ticket()
        found = await cast("AnswerStore", self.store).find_or_admit(entry, ticket, tokens)
        if not isinstance(found, Delay):
            return found
        self._refuse_if_hopeless(found, deadline)
        return await self._wait(ticket, tokens, deadline)

    def settle(self, reservation: Reservation, used: int, answered: bool = True) -> None:
        """Note the tokens that a request has used, and whether any provider `answered`, be it with an error."""
        if not self.open:
            self.store.settle(reservation, used, answered)
            self.changed.set()

    def _ticket(self) -> str:
        return f"{self.prefix}-{next(self.numbers)}"

    def _refuse_if_hopeless(self, delay: Delay, deadline: float) -> None:
        left = deadline - self.clock()
        if left <= 0 or (delay.certain and delay.seconds > left):
            raise RateLimitTimeoutError(delay.limit, delay.seconds, self.queued)

    async def _wait(self, ticket: str, tokens: int | None, deadline: float) -> Reservation:
        self.queued += 1
        try:
            return await self._wait_for_turn(ticket, tokens, deadline)
        finally:
            self.queued -= 1

    async def _wait_for_turn(self, ticket: str, tokens: int | None, deadline: float) -> Reservation:
        try:
            async with asyncio.timeout(deadline - self.clock()):
                await self.turn.acquire()
        except TimeoutError:
            raise RateLimitTimeoutError(self.blocked_by.limit, self.blocked_by.seconds, self.queued - 1) from None
        try:
            return await self._admit_first(ticket, tokens, deadline)
        except BaseException:
            self.store.withdraw(ticket)
            raise
        finally:
            self.turn.release()

    async def _admit_first(self, ticket: str, tokens: int | None, deadline: float) -> Reservation:
        while True:
            self.changed.clear()
            left = deadline - self.clock()
            found = await self.store.admit(ticket, tokens, left)
            if isinstance(found, Reservation):
                return found
            if left <= 0 or (found.certain and found.seconds > left):
                raise RateLimitTimeoutError(found.limit, found.seconds, self.queued - 1)
            self.blocked_by = found
            await self._sleep(min(found.seconds, left, found.poll_after or found.seconds))

    async def _sleep(self, seconds: float) -> None:
        """Sleep until the window moves, or until a request ends."""
        try:
            async with asyncio.timeout(seconds):
                await self.changed.wait()
        except TimeoutError:
            return
