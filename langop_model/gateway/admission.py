"""Limits of one model: a request that finds no room waits in order, and is refused when it would wait too long.

Requests per minute are a moving window, so that any sixty seconds hold at most the limit; a call that no provider has answered
is taken out of it, which the libraries for such windows can't do. Tokens are known when the answer is there: until then a call
counts what it may use.
"""

from __future__ import annotations

import asyncio
import contextlib
import math
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from langop_model.gateway.settings import Limits

WINDOW = 60.0  # seconds
SHORTEST = 0.01  # seconds of a wait


class NoRoom(Exception):
    """A request would wait longer than it may. `retry_after` is when room comes, in seconds."""

    def __init__(self, limit: str, retry_after: float) -> None:
        self.limit = limit
        self.retry_after = max(1, math.ceil(retry_after))
        super().__init__(f"{limit} is reached; there is room in {self.retry_after} s")


@dataclass(slots=True)
class Place:
    """A call that was let in `at` a time by the clock: `tokens` are set aside for it until it says what it used."""

    at: float
    tokens: int = 0


@dataclass(frozen=True, slots=True)
class _Wait:
    """What is in the way and for how many seconds, 0 for nothing. When not `certain`, a call under way may end it before."""

    limit: str = ""
    seconds: float = 0.0
    certain: bool = True


class Admission:
    """The door of one model. One event loop uses it."""

    def __init__(self, limits: Limits, clock: Callable[[], float] = time.monotonic) -> None:
        self.limits = limits
        self.clock = clock
        self.slots = asyncio.Semaphore(limits.concurrent_requests) if limits.concurrent_requests else None
        self.turn = asyncio.Lock()  # fair: whoever came first goes first
        self.changed = asyncio.Event()  # a call has ended: there may be room
        self.requests = _Requests(limits.requests_per_minute) if limits.requests_per_minute else None
        self.tokens = _Tokens(limits.tokens_per_minute) if limits.tokens_per_minute else None

    async def slot(self, deadline: float) -> bool:
        """Wait for one of the concurrent places until `deadline` (by the clock); whether there is one to give back.

        Raises NoRoom.
        """
        if self.slots is None:
            return False
        try:
            async with asyncio.timeout(deadline - self.clock()):
                await self.slots.acquire()
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
            async with asyncio.timeout(deadline - self.clock()):
                await self.turn.acquire()
        except TimeoutError:
            wait = self._wait(tokens)
            raise NoRoom(wait.limit or "rateLimits", wait.seconds) from None
        try:
            while (wait := self._wait(tokens)).seconds > 0:
                left = deadline - self.clock()
                if left <= 0 or (wait.certain and wait.seconds > left):
                    raise NoRoom(wait.limit, wait.seconds)
                await self._sleep(min(wait.seconds, left))
            return self._let_in(tokens)
        finally:
            self.turn.release()

    def leave(self, place: Place, used: int, answered: bool = True) -> None:
        """Note the tokens that a call has used, and whether any provider `answered`, be it with an error."""
        if self.requests is not None and not answered:
            self.requests.take_back(place.at)
        if self.tokens is not None:
            self.tokens.settle(place.tokens, used, self.clock())
        self.changed.set()

    def _let_in(self, tokens: int | None) -> Place:
        place = Place(self.clock())
        if self.requests is not None:
            self.requests.count(place.at)
        if self.tokens is not None:
            place.tokens = self.tokens.reserve(tokens)
        return place

    def _wait(self, tokens: int | None) -> _Wait:
        now = self.clock()
        wait = self.requests.wait(now) if self.requests is not None else _Wait()
        return self.tokens.wait(tokens, now) if self.tokens is not None and not wait.seconds else wait

    async def _sleep(self, seconds: float) -> None:
        """Sleep until the window moves, or until a call ends."""
        self.changed.clear()
        try:
            async with asyncio.timeout(seconds):
                await self.changed.wait()
        except TimeoutError:
            return


class _Requests:
    """When the calls of the last minute were let in."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.let_in: deque[float] = deque()

    def wait(self, now: float) -> _Wait:
        """Return how long the next call has to wait."""
        while self.let_in and self.let_in[0] <= now - WINDOW:
            self.let_in.popleft()
        if len(self.let_in) < self.limit:
            return _Wait()
        return _Wait("rateLimits.requestsPerMinute", max(SHORTEST, self.let_in[0] + WINDOW - now))

    def count(self, at: float) -> None:
        """Count a call."""
        self.let_in.append(at)

    def take_back(self, at: float) -> None:
        """Count a call no longer."""
        with contextlib.suppress(ValueError):  # longer ago than a minute
            self.let_in.remove(at)


class _Tokens:
    """Tokens of the last minute, and those set aside for calls that are under way.

    The size of an answer is guessed from the largest one lately. Before any is known, one call at a time finds out: so the
    limit is exceeded by one call's worth at most, also when many arrive at once.
    """

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.used: deque[tuple[float, int]] = deque()
        self.aside = 0
        self.under_way = 0
        self.largest: int | None = None

    def wait(self, tokens: int | None, now: float) -> _Wait:
        """Return how long a call of at most `tokens` has to wait."""
        while self.used and self.used[0][0] <= now - WINDOW:
            self.used.popleft()
        spent = sum(amount for _, amount in self.used)
        guess = self._guess(tokens)
        alone = not self.under_way and spent < self.limit
        if alone or (guess is not None and spent + self.aside + guess <= self.limit):
            return _Wait()
        until_oldest = max(SHORTEST, self.used[0][0] + WINDOW - now) if self.used else WINDOW
        return _Wait("rateLimits.tokensPerMinute", until_oldest, certain=not self.under_way)

    def reserve(self, tokens: int | None) -> int:
        """Set tokens aside for a call that starts; return how many."""
        aside = self._guess(tokens) or 0
        self.aside += aside
        self.under_way += 1
        return aside

    def settle(self, aside: int, used: int, now: float) -> None:
        """Count what a call has used in place of what was set aside for it."""
        self.aside -= aside
        self.under_way -= 1
        if used:
            self.used.append((now, used))
            self.largest = max(used, round((self.largest or 0) * 0.9))

    def _guess(self, tokens: int | None) -> int | None:
        known = [amount for amount in (tokens, self.largest) if amount is not None]
        return min(known) if known else None
