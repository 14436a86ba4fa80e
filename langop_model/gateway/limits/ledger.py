"""What the limits of one model count: requests and tokens of the last minute, and calls under way.

A moving window: any sixty seconds hold at most the limit. A call that no provider has answered is taken out of it, which the
libraries for such windows can't do. Tokens are known when the answer is there: until then a call counts what it may use.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from langop_model.contract.settings import Limits

WINDOW = 60.0  # seconds
SHORTEST = 0.01  # seconds of a wait
NO_PLACE = 1.0  # seconds after which who found no place among the concurrent calls may come again
DECAY = 0.9  # of the largest answer, for each that is smaller

REQUESTS = "rateLimits.requestsPerMinute"
TOKENS = "rateLimits.tokensPerMinute"
CONCURRENT = "rateLimits.concurrentRequests"


@dataclass(slots=True)
class Place:
    """A call that was let in `at` a time by the clock: `tokens` are set aside for it until it says what it used."""

    ticket: str
    at: float
    tokens: int = 0


@dataclass(frozen=True, slots=True)
class Wait:
    """The limit in the way and for how many seconds, 0 for nothing. When not `certain`, a call under way may end it before.

    `look_again` is when to look whether it has ended, in seconds; None where a call that ends says so itself.
    """

    limit: str = ""
    seconds: float = 0.0
    certain: bool = True
    look_again: float | None = None


class Book(Protocol):
    """Where calls are counted: in this process (Ledger), or in redis for several (shared_ledger.SharedLedger)."""

    async def admit(self, ticket: str, tokens: int | None, left: float) -> Place | Wait:
        """Count the call `ticket` if there is room, else say what is in the way.

        `tokens` is the most that it may use, None when that is unknown; `left` is how many seconds it may still wait.
        """

    def leave(self, place: Place, used: int, answered: bool) -> None:
        """Note the tokens that a call has used, and whether any provider `answered`, be it with an error."""

    def withdraw(self, ticket: str) -> None:
        """Forget a call that waits no longer."""


class Ledger:
    """The account of this process. One event loop uses it; nothing here waits."""

    def __init__(self, limits: Limits, clock: Callable[[], float] = time.monotonic, window: float = WINDOW) -> None:
        self.limits = limits
        self.clock = clock
        self.requests = Requests(limits.requests_per_minute, window) if limits.requests_per_minute else None
        self.tokens = Tokens(limits.tokens_per_minute, window) if limits.tokens_per_minute else None
        self.under_way: dict[str, int] = {}  # tickets, and the tokens set aside for each

    async def admit(self, ticket: str, tokens: int | None, left: float) -> Place | Wait:  # noqa: ARG002 - see Book
        """Count a call if there is room."""
        wait = self.wait(tokens)
        if wait.seconds:
            return wait
        return self.let_in(ticket, (self.tokens.guess(tokens) or 0) if self.tokens is not None else 0)

    def wait(self, tokens: int | None) -> Wait:
        """Return what is in the way of a call of at most `tokens`."""
        now = self.clock()
        wait = self.requests.wait(now) if self.requests is not None else Wait()
        if not wait.seconds and self.tokens is not None:
            wait = self.tokens.wait(tokens, now, self.under_way)
        places = self.limits.concurrent_requests
        if not wait.seconds and places and len(self.under_way) >= places:
            wait = Wait(CONCURRENT, NO_PLACE, certain=False)
        return wait

    def let_in(self, ticket: str, aside: int) -> Place:
        """Count a call, and set tokens aside for it."""
        place = Place(ticket, self.clock(), aside)
        if self.requests is not None:
            self.requests.count(ticket, place.at)
        self.under_way[ticket] = aside
        return place

    def leave(self, place: Place, used: int, answered: bool) -> None:
        """Count what a call has used in place of what was set aside for it."""
        self.under_way.pop(place.ticket, None)
        if self.requests is not None and not answered:
            self.requests.let_in.pop(place.ticket, None)
        if self.tokens is not None and used:
            self.tokens.count(Use(self.clock(), used, place.ticket))

    def withdraw(self, ticket: str) -> None:
        """Nothing is known here of a call that waits."""

    @property
    def is_empty(self) -> bool:
        """Whether nothing is counted at the moment."""
        counted = (self.requests.let_in if self.requests else None) or (self.tokens.used if self.tokens else None)
        return not counted and not self.under_way

    def forget_old(self, now: float) -> None:
        """Forget what happened longer ago than a minute."""
        if self.requests is not None:
            self.requests.forget_old(now)
        if self.tokens is not None:
            self.tokens.forget_old(now)


class Requests:
    """When the calls of the last minute were let in, by their tickets, the oldest first."""

    def __init__(self, limit: int, window: float = WINDOW) -> None:
        self.limit = limit
        self.window = window
        self.let_in: dict[str, float] = {}

    def wait(self, now: float) -> Wait:
        """Return how long the next call has to wait."""
        self.forget_old(now)
        if len(self.let_in) < self.limit:
            return Wait()
        return Wait(REQUESTS, max(SHORTEST, next(iter(self.let_in.values())) + self.window - now))

    def count(self, ticket: str, at: float) -> None:
        """Count a call."""
        self.forget_old(at)
        self.let_in[ticket] = at

    def forget_old(self, now: float) -> None:
        """Forget what was let in longer ago than a minute."""
        while self.let_in and next(iter(self.let_in.values())) <= now - self.window:
            del self.let_in[next(iter(self.let_in))]


class Use(NamedTuple):
    """The tokens that a call has used, counted when its answer was complete."""

    at: float
    tokens: int
    ticket: str


class Tokens:
    """Tokens of the last minute.

    The size of an answer is guessed from the largest one lately. Before any is known, one call at a time finds out: so the
    limit is exceeded by one call's worth at most, also when many arrive at once.
    """

    def __init__(self, limit: int, window: float = WINDOW) -> None:
        self.limit = limit
        self.window = window
        self.used: deque[Use] = deque()
        self.spent = 0  # all of `used`
        self.largest: int | None = None

    def wait(self, tokens: int | None, now: float, under_way: dict[str, int]) -> Wait:
        """Return how long a call of at most `tokens` has to wait."""
        self.forget_old(now)
        guess = self.guess(tokens)
        alone = not under_way and self.spent < self.limit
        if alone or (guess is not None and self.spent + sum(under_way.values()) + guess <= self.limit):
            return Wait()
        until_oldest = max(SHORTEST, self.used[0].at + self.window - now) if self.used else self.window
        return Wait(TOKENS, until_oldest, certain=not under_way)

    def guess(self, tokens: int | None) -> int | None:
        """Return what a call will use that may use at most `tokens`; None when nothing is known."""
        known = [amount for amount in (tokens, self.largest) if amount is not None]
        return min(known) if known else None

    def count(self, use: Use) -> None:
        """Count what a call has used."""
        self.forget_old(use.at)
        self.used.append(use)
        self.spent += use.tokens
        self.largest = max(use.tokens, int((self.largest or 0) * DECAY))

    def forget_old(self, now: float) -> None:
        """Forget what was used longer ago than a minute."""
        while self.used and self.used[0].at <= now - self.window:
            self.spent -= self.used.popleft().tokens
