"""Limits of one model: a request that finds no room waits in order, and is refused when it would wait too long.

Requests per minute are a moving window of the library `limits`, so that any sixty seconds hold at most the limit. Tokens are known
when the answer is there: until then a call counts what it may use.
"""

from __future__ import annotations

import asyncio
import math
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from limits import RateLimitItemPerMinute
from limits.aio.storage import MemoryStorage, Storage
from limits.aio.strategies import MovingWindowRateLimiter

from langop_model.gateway.settings import Limits

WINDOW = 60.0  # seconds


class NoRoom(Exception):
    """A request would wait longer than it may. `retry_after` is when room comes, in seconds."""

    def __init__(self, limit: str, retry_after: float) -> None:
        self.limit = limit
        self.retry_after = max(1, math.ceil(retry_after))
        super().__init__(f"{limit} is reached; there is room in {self.retry_after} s")


@dataclass(slots=True)
class Place:
    """A call that was let in: `tokens` are set aside for it until it says what it used."""

    tokens: int = 0
    holds_slot: bool = False


@dataclass(frozen=True, slots=True)
class _Wait:
    """What is in the way and for how many seconds, 0 for nothing. When not `certain`, a call under way may end it before."""

    limit: str = ""
    seconds: float = 0.0
    certain: bool = True


class Admission:
    """The door of one model. One event loop uses it."""

    def __init__(
        self, name: str, limits: Limits, storage: Storage | None = None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.name = name
        self.limits = limits
        self.clock = clock
        self.slots = asyncio.Semaphore(limits.concurrent_requests) if limits.concurrent_requests else None
        self.turn = asyncio.Lock()  # fair: whoever came first goes first
        self.requests = RateLimitItemPerMinute(limits.requests_per_minute) if limits.requests_per_minute else None
        self.window = MovingWindowRateLimiter(storage or MemoryStorage())
        self.tokens = _Tokens(limits.tokens_per_minute, clock) if limits.tokens_per_minute else None

    async def slot(self, deadline: float) -> bool:
        """Wait for one of the concurrent places until `deadline` (by the clock); whether there is one to give back.

        Raises NoRoom.
        """
        if self.slots is None:
            return False
        try:
            await asyncio.wait_for(self.slots.acquire(), max(0.0, deadline - self.clock()))
        except TimeoutError:
            raise NoRoom("rateLimits.concurrentRequests", 1) from None
        return True

    def free_slot(self) -> None:
        """Give a place back."""
        if self.slots is not None:
            self.slots.release()

    async def enter(self, tokens: int | None, deadline: float) -> Place:
        """Wait in order until requests and tokens of the minute have room; count the call.

        `tokens` is the most that the call may use, None when that is unknown. Raises NoRoom when room would come after
        `deadline`, without waiting for it.
        """
        try:
            await asyncio.wait_for(self.turn.acquire(), max(0.0, deadline - self.clock()))
        except TimeoutError:
            raise NoRoom("the queue", 1) from None
        try:
            while (wait := await self._wait(tokens)).seconds > 0:
                left = deadline - self.clock()
                if left <= 0 or (wait.certain and wait.seconds > left):
                    raise NoRoom(wait.limit, wait.seconds)
                await self._sleep(min(wait.seconds, left))
            if self.requests is not None:
                await self.window.hit(self.requests, self.name)
            return Place(self.tokens.reserve(tokens) if self.tokens else 0)
        finally:
            self.turn.release()

    def leave(self, place: Place, used: int) -> None:
        """Note the tokens that a call has used."""
        if self.tokens is not None:
            self.tokens.settle(place.tokens, used)

    async def _wait(self, tokens: int | None) -> _Wait:
        if self.requests is not None and not await self.window.test(self.requests, self.name):
            stats = await self.window.get_window_stats(self.requests, self.name)
            return _Wait("rateLimits.requestsPerMinute", max(0.01, stats.reset_time - time.time()))
        return self.tokens.wait(tokens) if self.tokens is not None else _Wait()

    async def _sleep(self, seconds: float) -> None:
        """Sleep until the window moves, or until a call says what it used."""
        if self.tokens is None:
            await asyncio.sleep(seconds)
            return
        self.tokens.settled.clear()
        try:
            await asyncio.wait_for(self.tokens.settled.wait(), seconds)
        except TimeoutError:
            return


class _Tokens:
    """Tokens of the last minute, and those set aside for calls that are under way.

    The size of an answer is guessed from the largest one lately. Before any is known, one call at a time finds out: so the limit is
    exceeded by one call's worth at most, also when many arrive at once.
    """

    def __init__(self, limit: int, clock: Callable[[], float]) -> None:
        self.limit = limit
        self.clock = clock
        self.used: deque[tuple[float, int]] = deque()
        self.aside = 0
        self.under_way = 0
        self.largest: int | None = None
        self.settled = asyncio.Event()

    def wait(self, tokens: int | None) -> _Wait:
        """Return how long a call of at most `tokens` has to wait."""
        now = self.clock()
        while self.used and self.used[0][0] <= now - WINDOW:
            self.used.popleft()
        spent = sum(amount for _, amount in self.used)
        guess = self._guess(tokens)
        alone = not self.under_way and spent < self.limit
        if alone or (guess is not None and spent + self.aside + guess <= self.limit):
            return _Wait()
        until_oldest = max(0.01, self.used[0][0] + WINDOW - now) if self.used else WINDOW
        return _Wait("rateLimits.tokensPerMinute", until_oldest, certain=not self.under_way)

    def reserve(self, tokens: int | None) -> int:
        """Set tokens aside for a call that starts; return how many."""
        aside = self._guess(tokens) or 0
        self.aside += aside
        self.under_way += 1
        return aside

    def settle(self, aside: int, used: int) -> None:
        """Count what a call has used in place of what was set aside for it."""
        self.aside -= aside
        self.under_way -= 1
        if used:
            self.used.append((self.clock(), used))
            self.largest = max(used, round((self.largest or 0) * 0.9))
        self.settled.set()

    def _guess(self, tokens: int | None) -> int | None:
        known = [amount for amount in (tokens, self.largest) if amount is not None]
        return min(known) if known else None
