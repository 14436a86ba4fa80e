"""The limits of one model in this process: requests and tokens of the last minute, and requests in flight.

The window slides: any sixty seconds hold at most the limit. A request that no provider answered is taken out again, which the
libraries for sliding windows can't do. Tokens are known when the answer is complete; until then a request reserves what it
may use.

Memory (tests/unit/gateway/limits/test_memory.py measures it): a request of the last minute takes about 160 bytes, one that used
tokens 260; a model without traffic takes 2.6 kB, so 500 of them 1.3 MB. A limit of 60,000 requests per minute that is used up
takes 10 to 16 MB in each worker.
"""

from __future__ import annotations

import time
from collections import OrderedDict, deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

from langop_model.contract.settings import Limits

WINDOW = 60.0  # seconds
MIN_DELAY = 0.01  # seconds
CONCURRENCY_RETRY_AFTER = 1.0  # seconds; when a request in flight ends can't be known, so clients get this
DECAY = 0.9  # of the largest answer, for each smaller one

REQUESTS = "rateLimits.requestsPerMinute"
TOKENS = "rateLimits.tokensPerMinute"
CONCURRENT = "rateLimits.concurrentRequests"


@dataclass(slots=True)
class Reservation:
    """A request that was admitted `at` a time by the clock, with the `tokens` reserved until it settles what it used."""

    ticket: str
    at: float
    tokens: int = 0


@dataclass(frozen=True, slots=True)
class Delay:
    """The limit that a request waits for, and for how many seconds, 0 for none.

    Unless it is `certain`, a request in flight may end the delay earlier. `poll_after` is when to ask again whether one has
    ended, in seconds; None where the end of a request is signalled.
    """

    limit: str = ""
    seconds: float = 0.0
    certain: bool = True
    poll_after: float | None = None


NO_DELAY = Delay()


class Used(NamedTuple):
    """What is used of each limit: of the last minute, the requests and the tokens with those that are reserved; in flight."""

    requests: int
    tokens: int
    concurrent: int


class LimitStore(Protocol):
    """Where requests are counted: in this process (SlidingWindow), or in redis for several (redis_window.RedisWindow)."""

    async def admit(self, ticket: str, tokens: int | None, left: float) -> Reservation | Delay:
        """Count the request `ticket` if every limit allows it, else return what it waits for.

        `tokens` is the most that it may use, None when that is unknown; `left` is how many seconds it may still wait.
        """

    def settle(self, reservation: Reservation, used: int, answered: bool) -> None:
        """Replace the reserved tokens by those `used`; `answered` says whether any provider answered, be it with an error."""

    def withdraw(self, ticket: str) -> None:
        """Forget a request that waits no longer."""

    def used_here(self) -> Used:
        """Return what this process uses."""

    @staticmethod
    async def used_together(stores: Sequence[Any]) -> list[Used]:
        """Return what all processes use that count together, for several models with stores of this kind."""


class AnswerStore(LimitStore, Protocol):
    """A LimitStore that also keeps cached answers: redis_window.RedisWindow."""

    async def find_or_admit(self, entry: str, ticket: str, tokens: int | None) -> bytes | Reservation | Delay:
        """Return the cached answer of the key `entry` where there is one; else do as `admit`, for a request that can't wait."""


class SlidingWindow:
    """The LimitStore of this process. One event loop uses it; nothing here waits."""

    def __init__(self, limits: Limits, clock: Callable[[], float] = time.monotonic, window: float = WINDOW) -> None:
        self.limits = limits
        self.clock = clock
        self.requests = Requests(limits.requests_per_minute, window) if limits.requests_per_minute else None
        self.tokens = Tokens(limits.tokens_per_minute, window) if limits.tokens_per_minute else None
        self.in_flight: dict[str, int] = {}  # tickets, and the tokens reserved for each
        self.reserved_tokens = 0  # of all of `in_flight`

    async def admit(self, ticket: str, tokens: int | None, left: float) -> Reservation | Delay:  # noqa: ARG002 - see LimitStore
        """Count a request if every limit allows it."""
        return self.admit_now(ticket, tokens)

    def admit_now(self, ticket: str, tokens: int | None) -> Reservation | Delay:
        """Count a request if every limit allows it."""
        delay = self.delay(tokens)
        if delay.seconds:
            return delay
        return self.reserve(ticket, (self.tokens.estimate(tokens) or 0) if self.tokens is not None else 0)

    def delay(self, tokens: int | None) -> Delay:
        """Return what a request of at most `tokens` has to wait for."""
        now = self.clock()
        delay = self.requests.delay(now) if self.requests is not None else NO_DELAY
        if not delay.seconds and self.tokens is not None:
            delay = self.tokens.delay(tokens, now, bool(self.in_flight), self.reserved_tokens)
        slots = self.limits.concurrent_requests
        if not delay.seconds and slots and len(self.in_flight) >= slots:
            delay = Delay(CONCURRENT, CONCURRENCY_RETRY_AFTER, certain=False)
        return delay

    def reserve(self, ticket: str, tokens: int) -> Reservation:
        """Count a request, and reserve tokens for it."""
        reservation = Reservation(ticket, self.clock(), tokens)
        if self.requests is not None:
            self.requests.count(ticket, reservation.at)
        self.in_flight[ticket] = tokens
        self.reserved_tokens += tokens
        return reservation

    def settle(self, reservation: Reservation, used: int, answered: bool) -> None:
        """Replace the reserved tokens of a request by those that it used."""
        self.reserved_tokens -= self.in_flight.pop(reservation.ticket, 0)
        if self.requests is not None and not answered:
            self.requests.admitted.pop(reservation.ticket, None)
        if self.tokens is not None and used:
            self.tokens.count(Use(self.clock(), used, reservation.ticket))

    def withdraw(self, ticket: str) -> None:
        """Do nothing: a request that waits is not counted here."""

    def used_here(self) -> Used:
        self.forget_old(self.clock())
        tokens = self.tokens.spent if self.tokens is not None else 0
        requests = len(self.requests.admitted) if self.requests is not None else 0
        return Used(requests, tokens + self.reserved_tokens, len(self.in_flight))

    @staticmethod
    async def used_together(stores: Sequence[SlidingWindow]) -> list[Used]:
        """Return what is used now of several models."""
        return [store.used_here() for store in stores]

    @property
    def is_empty(self) -> bool:
        """Whether nothing is counted at the moment."""
        counted = (self.requests.admitted if self.requests else None) or (self.tokens.used if self.tokens else None)
        return not counted and not self.in_flight

    def forget_old(self, now: float) -> None:
        """Forget what happened longer ago than the window."""
        if self.requests is not None:
            self.requests.forget_old(now)
        if self.tokens is not None:
            self.tokens.forget_old(now)


class Requests:
    """When the requests of the window were admitted, by their tickets, the oldest first."""

    def __init__(self, limit: int, window: float = WINDOW) -> None:
        self.limit = limit
        self.window = window
        self.admitted: OrderedDict[str, float] = OrderedDict()  # a dict would search its deleted entries for the oldest

    def delay(self, now: float) -> Delay:
        """Return how long the next request has to wait."""
        self.forget_old(now)
        if len(self.admitted) < self.limit:
            return NO_DELAY
        return Delay(REQUESTS, max(MIN_DELAY, next(iter(self.admitted.values())) + self.window - now))

    def count(self, ticket: str, at: float) -> None:
        self.forget_old(at)
        self.admitted[ticket] = at

    def forget_old(self, now: float) -> None:
        """Forget what was admitted longer ago than the window."""
        while self.admitted:
            ticket = next(iter(self.admitted))
            if self.admitted[ticket] > now - self.window:
                return
            del self.admitted[ticket]


class Use(NamedTuple):
    """The tokens that a request has used, counted when its answer was complete."""

    at: float
    tokens: int
    ticket: str


class Tokens:
    """The tokens of the window.

    The size of an answer is estimated by the largest recent one. Before the size of any is known, requests go one at a time:
    so the limit is exceeded by one request's tokens at most, also when many arrive at once.
    """

    def __init__(self, limit: int, window: float = WINDOW) -> None:
        self.limit = limit
        self.window = window
        self.used: deque[Use] = deque()
        self.spent = 0  # the sum of `used`
        self.largest: int | None = None

    def delay(self, tokens: int | None, now: float, others: bool, reserved: int) -> Delay:
        """Return how long a request of at most `tokens` has to wait, with `others` in flight that have tokens `reserved`."""
        self.forget_old(now)
        estimate = self.estimate(tokens)
        alone = not others and self.spent < self.limit
        if alone or (estimate is not None and self.spent + reserved + estimate <= self.limit):
            return NO_DELAY
        until_oldest = max(MIN_DELAY, self.used[0].at + self.window - now) if self.used else self.window
        return Delay(TOKENS, until_oldest, certain=not others)

    def estimate(self, tokens: int | None) -> int | None:
        """Return what a request that may use at most `tokens` is expected to use; None when nothing is known."""
        if tokens is None or self.largest is None:
            return self.largest if tokens is None else tokens
        return min(tokens, self.largest)

    def count(self, use: Use) -> None:
        """Count what a request has used."""
        self.forget_old(use.at)
        self.used.append(use)
        self.spent += use.tokens
        self.largest = max(use.tokens, int((self.largest or 0) * DECAY))

    def forget_old(self, now: float) -> None:
        """Forget what was used longer ago than the window."""
        while self.used and self.used[0].at <= now - self.window:
            self.spent -= self.used.popleft().tokens
