"""The limits of one model in redis, for all processes that serve it.

Each question is one script (lua/), so that no two processes get the same capacity; the clock is redis's. A process also counts
its own requests (sliding_window.SlidingWindow): while redis is down it decides by those, and when redis is back, or has been
restarted empty, it first gets them all.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from langop_model.contract.settings import Limits
from langop_model.gateway.limits.redis_connection import RedisConnection
from langop_model.gateway.limits.redis_lane import Argument, RedisUnavailableError
from langop_model.gateway.limits.sliding_window import (
    CONCURRENCY_RETRY_AFTER,
    CONCURRENT,
    DECAY,
    REQUESTS,
    TOKENS,
    WINDOW,
    Delay,
    Reservation,
    SlidingWindow,
    Used,
)

LEASE = 15.0  # seconds that a request counts as in flight unless its process, which may have died, renews that
LEASE_RENEWAL_INTERVAL = 3.0  # seconds
TURN_TIMEOUT = 3.0  # seconds that a request keeps its place in the queue unless it asks again
POLL_INTERVAL = 0.05  # seconds, ±50 %, between two questions whether a request of another process has ended
WINDOW_POLL_INTERVAL = 1.0  # seconds between two questions while the window has to move
AT_ONCE = 50  # models whose usage is one question: redis answers nobody else meanwhile, for a fraction of a millisecond
BATCH = 4  # such questions on their way together: one batch takes half the CPU of four, and requests wait for its end

KEYS = ("requests", "used", "in_flight", "sums", "queue", "seen", "processes")
LIMITS = {b"requests": REQUESTS, b"tokens": TOKENS, b"concurrent": CONCURRENT}


class RedisWindow:
    """A LimitStore in redis. `name` is the resource's, with its namespace. One event loop uses it."""

    def __init__(
        self,
        redis: RedisConnection,
        name: str,
        limits: Limits,
        clock: Callable[[], float] = time.monotonic,
        window: float = WINDOW,
    ) -> None:
        self.redis = redis
        self.limits = limits
        self.keys = [f"langop:{{{name}}}:{key}" for key in KEYS]  # the braces: one slot of a cluster
        self.usage_keys = [key.encode() for key in self.keys[:4]]  # bytes, as the client sends them: they are asked for often
        self.window = window
        self.own = SlidingWindow(limits, clock, window)
        self.needs_resync = True  # redis does not know all of `own`
        self.lease_renewed_at = clock()
        self.queued_ticket = ""  # the ticket that redis has in its queue for this process
        self.resync = asyncio.Lock()
        redis.listeners.append(self)

    async def admit(self, ticket: str, tokens: int | None, left: float) -> Reservation | Delay:
        """Count a request if every limit allows it, else return what it waits for."""
        try:
            answer = await self._ask(ticket, tokens, left, self.keys)
        except RedisUnavailableError:
            return self._admit_locally(ticket, tokens)
        return self._understood(ticket, answer)

    async def find_or_admit(self, entry: str, ticket: str, tokens: int | None) -> bytes | Reservation | Delay:
        """Return the cached answer of the key `entry` where there is one; else do as `admit`, for a request that can't wait."""
        try:
            answer = await self._ask(ticket, tokens, 0, [*self.keys, entry])
        except RedisUnavailableError:
            return self._admit_locally(ticket, tokens)
        return bytes(answer[1]) if answer[0] == b"hit" else self._understood(ticket, answer)

    def settle(self, reservation: Reservation, used: int, answered: bool) -> None:
        """Replace the reserved tokens by those `used`; `answered` says whether any provider answered."""
        self.own.settle(reservation, used, answered)
        counted = used if self.limits.tokens_per_minute else 0
        if self.limits.holds or not answered:
            self._tell("settle", [reservation.ticket, reservation.tokens, counted, int(answered), DECAY])

    def withdraw(self, ticket: str) -> None:
        if self.queued_ticket == ticket:
            self.queued_ticket = ""
            self._tell("withdraw", [ticket])

    def used_here(self) -> Used:
        return self.own.used_here()

    @staticmethod
    async def used_together(stores: Sequence[RedisWindow]) -> list[Used]:
        """Return what all processes use of several models, which share a redis; what this one does where it is unreachable.

        AT_ONCE models are one question to one server; in a cluster each is a question of its own, to whichever server has it.
        """
        size, together = (1, AT_ONCE) if stores[0].redis.is_cluster else (AT_ONCE, BATCH)
        questions = [stores[at : at + size] for at in range(0, len(stores), size)]
        found: list[Used] = []
        for at in range(0, len(questions), together):
            for used in await asyncio.gather(*map(_used_of, questions[at : at + together])):
                found += used
        return found

    async def beat(self, has_state: bool) -> None:
        """Renew the leases. Raises RedisUnavailableError."""
        self.needs_resync = self.needs_resync or not has_state
        now = self.own.clock()
        self.own.forget_old(now)
        if self.own.is_empty or (not self.needs_resync and now < self.lease_renewed_at + LEASE_RENEWAL_INTERVAL):
            return
        await self._renew()

    async def _ask(self, ticket: str, tokens: int | None, left: float, keys: list[str]) -> list[Any]:
        limits = self.limits
        arguments: list[Argument] = [
            self.redis.process,
            ticket,
            limits.requests_per_minute or 0,
            limits.tokens_per_minute or 0,
            limits.concurrent_requests or 0,
            -1 if tokens is None else tokens,
            *map(_milliseconds, (left, self.window, LEASE, TURN_TIMEOUT)),
        ]

        def undo(answer: list[Any]) -> None:
            """The client has left meanwhile, and redis may have admitted its request."""
            if answer[0] == b"admitted":
                self.settle(self.own.reserve(ticket, int(answer[1])), 0, answered=False)
            elif answer[0] == b"wait" and answer[4]:
                self._tell("withdraw", [ticket])

        for _ in range(2):
            await self._tell_everything()
            answer: list[Any] = await self.redis.run("admit", keys, arguments, undo)
            if answer[0] != b"unknown":
                return answer
            self.needs_resync = True
        raise RedisUnavailableError  # lost again in between: this request must do without

    async def _tell_everything(self) -> None:
        if self.needs_resync:
            async with self.resync:
                if self.needs_resync:
                    await self._renew()

    def _understood(self, ticket: str, answer: list[Any]) -> Reservation | Delay:
        if answer[0] == b"admitted":
            self.queued_ticket = "" if self.queued_ticket == ticket else self.queued_ticket
            return self.own.reserve(ticket, int(answer[1]))
        _, limit, milliseconds, certain, queued = answer
        if queued:
            self.queued_ticket = ticket
        seconds = milliseconds / 1000 or CONCURRENCY_RETRY_AFTER
        poll_after = WINDOW_POLL_INTERVAL if certain else POLL_INTERVAL * random.uniform(0.5, 1.5)  # noqa: S311
        return Delay(LIMITS[limit], seconds, bool(certain), poll_after)

    def _admit_locally(self, ticket: str, tokens: int | None) -> Reservation | Delay:
        """Decide by this process's own requests."""
        self.needs_resync = True
        found = self.own.admit_now(ticket, tokens)
        return found if isinstance(found, Reservation) else replace(found, poll_after=WINDOW_POLL_INTERVAL)

    def _tell(self, script: str, arguments: list[Argument]) -> None:
        self.redis.tell(script, self.keys, arguments, self._failed)

    def _failed(self) -> None:
        self.needs_resync = True

    async def _renew(self) -> None:
        """Renew the leases, and tell all that is counted where redis may not know it. Raises RedisUnavailableError."""
        known = await self.redis.run("renew", self.keys, self._state(everything=self.needs_resync))
        if not known and not self.needs_resync:
            await self.redis.run("renew", self.keys, self._state(everything=True))
        self.needs_resync = False
        self.lease_renewed_at = self.own.clock()

    def _state(self, everything: bool) -> list[Argument]:
        own, now = self.own, self.own.clock()
        requests = own.requests.admitted.items() if everything and own.requests is not None else ()
        used = own.tokens.used if everything and own.tokens is not None else ()
        in_flight = own.in_flight.items() if self.limits.holds else ()
        largest = own.tokens.largest if own.tokens is not None else None
        return [
            self.redis.process,
            _milliseconds(LEASE),
            _milliseconds(self.window),
            -1 if largest is None else largest,
            len(requests),
            len(used),
            *(part for ticket, at in requests for part in (ticket, _milliseconds(now - at))),
            *(part for use in used for part in (f"{use.ticket} {use.tokens}", _milliseconds(now - use.at))),
            *(f"{ticket} {tokens}" for ticket, tokens in in_flight),
        ]


async def _used_of(stores: Sequence[RedisWindow]) -> list[Used]:
    keys = [key for store in stores for key in store.usage_keys]
    try:
        answer: bytes = await stores[0].redis.run("usage", keys, [_milliseconds(stores[0].window)])
    except RedisUnavailableError:
        return [store.used_here() for store in stores]
    figures = list(map(int, answer.split()))
    return [Used(*figures[at : at + 3]) for at in range(0, len(figures), 3)]


def _milliseconds(seconds: float) -> int:
    return round(seconds * 1000)
