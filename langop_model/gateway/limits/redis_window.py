"""The limits of one model in redis, for all processes that serve it.

Each question is one script (lua/), so that no two processes get the same capacity; the clock is redis's. A process also counts
its own requests (sliding_window.SlidingWindow): while redis is down it decides by those, and when redis is back, or has been
restarted empty, it first gets them all.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from langop_model.contract.settings import Limits
from langop_model.gateway.limits.redis_connection import RedisConnection, RedisUnavailableError
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
)

LEASE = 15.0  # seconds that a call counts as under way unless its process, which may have died, says so again
LEASE_RENEWAL_INTERVAL = 3.0  # seconds between two such words
TURN_TIMEOUT = 3.0  # seconds that a process keeps its turn unless it asks again
POLL_INTERVAL = 0.05  # seconds, more or less by half, between two looks whether a call of another process has ended
WINDOW_POLL_INTERVAL = 1.0  # seconds between two looks while the window has to move

KEYS = ("requests", "used", "in_flight", "sums", "line", "seen", "processes")
LIMITS = {"requests": REQUESTS, "tokens": TOKENS, "places": CONCURRENT}


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
        self.keys = [f"langop:{{{name}}}:{key}" for key in KEYS]  # the braces keep them together in a cluster
        self.window = window
        self.own = SlidingWindow(limits, clock, window)
        self.needs_resync = True  # redis does not know all of `own`
        self.lease_renewed_at = clock()
        self.queued_ticket = ""  # the ticket that redis has in line for this process
        self.ordered = asyncio.Lock()  # what is told about one call must not overtake what was told before
        redis.listeners.append(self)

    async def admit(self, ticket: str, tokens: int | None, left: float) -> Reservation | Delay:
        """Count a call if there is room, else say what is in the way."""
        asking = self.redis.task(self._ask(ticket, tokens, left))
        try:
            return await asyncio.shield(asking)
        except asyncio.CancelledError:
            asking.add_done_callback(self._undo)  # the client has left; redis may have let its call in all the same
            raise
        except RedisUnavailableError:
            return await self._admit_locally(ticket, tokens, left)

    def settle(self, reservation: Reservation, used: int, answered: bool) -> None:
        """Note the tokens that a call has used, and whether any provider `answered`."""
        self.own.settle(reservation, used, answered)
        counted = used if self.limits.tokens_per_minute else 0
        if self.limits.holds or not answered:
            self.redis.task(
                self._run_in_background("settle", [reservation.ticket, reservation.tokens, counted, int(answered), DECAY])
            )

    def withdraw(self, ticket: str) -> None:
        """Leave the line."""
        if self.queued_ticket == ticket:
            self.queued_ticket = ""
            self.redis.task(self._run_in_background("withdraw", [ticket]))

    async def beat(self, has_state: bool) -> None:
        """Say which calls are still under way. Raises RedisUnavailableError."""
        self.needs_resync = self.needs_resync or not has_state
        now = self.own.clock()
        self.own.forget_old(now)
        if self.own.is_empty or (not self.needs_resync and now < self.lease_renewed_at + LEASE_RENEWAL_INTERVAL):
            return
        async with self.ordered:
            await self._renew()

    async def _ask(self, ticket: str, tokens: int | None, left: float) -> Reservation | Delay:
        limits = self.limits
        arguments: list[str | int | float] = [
            self.redis.process,
            ticket,
            limits.requests_per_minute or 0,
            limits.tokens_per_minute or 0,
            limits.concurrent_requests or 0,
            -1 if tokens is None else tokens,
            *map(_milliseconds, (left, self.window, LEASE, TURN_TIMEOUT)),
        ]
        async with self.ordered:
            for _ in range(2):
                if self.needs_resync:
                    await self._renew()
                answer = await self.redis.run("admit", self.keys, arguments)
                if answer[0] != "unknown":
                    break
                self.needs_resync = True
        if answer[0] == "unknown":  # lost again in between: this once it must do without
            raise RedisUnavailableError
        if answer[0] == "in":
            self.queued_ticket = ""
            return self.own.reserve(ticket, int(answer[1]))
        return self._delay(ticket, *answer[1:])

    def _delay(self, ticket: str, limit: str, milliseconds: int, certain: int, queued: int) -> Delay:
        self.queued_ticket = ticket if queued else ""
        seconds = milliseconds / 1000 or CONCURRENCY_RETRY_AFTER
        poll_after = WINDOW_POLL_INTERVAL if certain else POLL_INTERVAL * random.uniform(0.5, 1.5)  # noqa: S311
        return Delay(LIMITS[limit], seconds, bool(certain), poll_after)

    async def _admit_locally(self, ticket: str, tokens: int | None, left: float) -> Reservation | Delay:
        """Decide by this process's own calls."""
        self.needs_resync = True
        found = await self.own.admit(ticket, tokens, left)
        return found if isinstance(found, Reservation) else replace(found, poll_after=WINDOW_POLL_INTERVAL)

    def _undo(self, asking: asyncio.Task[Reservation | Delay]) -> None:
        if asking.cancelled() or asking.exception() is not None:
            return
        found = asking.result()
        if isinstance(found, Reservation):
            self.settle(found, 0, answered=False)
        elif self.queued_ticket:
            self.withdraw(self.queued_ticket)

    async def _run_in_background(self, what: str, arguments: list[str | int | float]) -> None:
        async with self.ordered:
            try:
                await self.redis.run(what, self.keys, arguments)
            except RedisUnavailableError:
                self.needs_resync = True

    async def _renew(self) -> None:
        """Renew the leases, and tell all that is counted where redis may not know it. Raises RedisUnavailableError."""
        known = await self.redis.run("renew", self.keys, self._account(everything=self.needs_resync))
        if not known and not self.needs_resync:
            await self.redis.run("renew", self.keys, self._account(everything=True))
        self.needs_resync = False
        self.lease_renewed_at = self.own.clock()

    def _account(self, everything: bool) -> list[Any]:
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
            *(f"{ticket} {aside}" for ticket, aside in in_flight),
        ]


def _milliseconds(seconds: float) -> int:
    return round(seconds * 1000)
