"""The account of one model in redis, for all processes that serve it.

Each question is one script (lua/), so that no two processes get the same room; the clock is redis's. A process also keeps the
account of its own calls (ledger.Ledger): while redis is down it goes by that, and when redis is back, or has restarted with
nothing in it, that is what it tells redis first.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from langop_model.contract.settings import Limits
from langop_model.gateway.limits.ledger import CONCURRENT, DECAY, NO_PLACE, REQUESTS, TOKENS, WINDOW, Ledger, Place, Wait
from langop_model.gateway.limits.shared import Lost, Shared

LEASE = 15.0  # seconds that a call counts as under way unless its process, which may have died, says so again
RENEWED = 3.0  # seconds between two such words
PATIENCE = 3.0  # seconds that a process keeps its turn unless it asks again
LOOK_AGAIN = 0.05  # seconds, more or less by half, between two looks whether a call of another process has ended
LOOK_FOR_CHANGES = 1.0  # seconds between two looks while the window has to move

KEYS = ("requests", "used", "under_way", "sums", "line", "seen", "processes")
LIMITS = {"requests": REQUESTS, "tokens": TOKENS, "places": CONCURRENT}


class SharedLedger:
    """A Book (langop_model/gateway/limits/ledger.py). `name` is the resource's, with its namespace. One event loop uses it."""

    def __init__(
        self,
        shared: Shared,
        name: str,
        limits: Limits,
        clock: Callable[[], float] = time.monotonic,
        window: float = WINDOW,
    ) -> None:
        self.shared = shared
        self.limits = limits
        self.keys = [f"langop:{{{name}}}:{key}" for key in KEYS]  # the braces keep them together in a cluster
        self.window = window
        self.own = Ledger(limits, clock, window)
        self.behind = True  # redis does not know all of `own`
        self.renewed = clock()
        self.in_line = ""  # the ticket that redis has in line for this process
        self.in_order = asyncio.Lock()  # what is told about one call must not overtake what was told before
        shared.members.append(self)

    async def admit(self, ticket: str, tokens: int | None, left: float) -> Place | Wait:
        """Count a call if there is room, else say what is in the way."""
        asking = self.shared.task(self._ask(ticket, tokens, left))
        try:
            return await asyncio.shield(asking)
        except asyncio.CancelledError:
            asking.add_done_callback(self._undo)  # the client has left; redis may have let its call in all the same
            raise
        except Lost:
            return await self._alone(ticket, tokens, left)

    def leave(self, place: Place, used: int, answered: bool) -> None:
        """Note the tokens that a call has used, and whether any provider `answered`."""
        self.own.leave(place, used, answered)
        counted = used if self.limits.tokens_per_minute else 0
        if self.limits.holds or not answered:
            self.shared.task(self._tell("leave", [place.ticket, place.tokens, counted, int(answered), DECAY]))

    def withdraw(self, ticket: str) -> None:
        """Leave the line."""
        if self.in_line == ticket:
            self.in_line = ""
            self.shared.task(self._tell("withdraw", [ticket]))

    async def beat(self, remembers: bool) -> None:
        """Say which calls are still under way. Raises Lost."""
        self.behind = self.behind or not remembers
        now = self.own.clock()
        self.own.forget_old(now)
        if self.own.is_empty or (not self.behind and now < self.renewed + RENEWED):
            return
        async with self.in_order:
            await self._renew()

    async def _ask(self, ticket: str, tokens: int | None, left: float) -> Place | Wait:
        limits = self.limits
        arguments: list[str | int | float] = [
            self.shared.process,
            ticket,
            limits.requests_per_minute or 0,
            limits.tokens_per_minute or 0,
            limits.concurrent_requests or 0,
            -1 if tokens is None else tokens,
            *map(_milliseconds, (left, self.window, LEASE, PATIENCE)),
        ]
        async with self.in_order:
            for _ in range(2):
                if self.behind:
                    await self._renew()
                answer = await self.shared.run("admit", self.keys, arguments)
                if answer[0] != "unknown":
                    break
                self.behind = True
        if answer[0] == "unknown":  # lost again in between: this once it must do without
            raise Lost
        if answer[0] == "in":
            self.in_line = ""
            return self.own.let_in(ticket, int(answer[1]))
        return self._wait(ticket, *answer[1:])

    def _wait(self, ticket: str, limit: str, milliseconds: int, certain: int, queued: int) -> Wait:
        self.in_line = ticket if queued else ""
        seconds = milliseconds / 1000 or NO_PLACE
        look_again = LOOK_FOR_CHANGES if certain else LOOK_AGAIN * random.uniform(0.5, 1.5)  # noqa: S311
        return Wait(LIMITS[limit], seconds, bool(certain), look_again)

    async def _alone(self, ticket: str, tokens: int | None, left: float) -> Place | Wait:
        """Decide by this process's own calls."""
        self.behind = True
        found = await self.own.admit(ticket, tokens, left)
        return found if isinstance(found, Place) else replace(found, look_again=LOOK_FOR_CHANGES)

    def _undo(self, asking: asyncio.Task[Place | Wait]) -> None:
        if asking.cancelled() or asking.exception() is not None:
            return
        found = asking.result()
        if isinstance(found, Place):
            self.leave(found, 0, answered=False)
        elif self.in_line:
            self.withdraw(self.in_line)

    async def _tell(self, what: str, arguments: list[str | int | float]) -> None:
        async with self.in_order:
            try:
                await self.shared.run(what, self.keys, arguments)
            except Lost:
                self.behind = True

    async def _renew(self) -> None:
        """Say what this process has under way; also all that it has counted, where redis may not know it. Raises Lost."""
        known = await self.shared.run("renew", self.keys, self._account(everything=self.behind))
        if not known and not self.behind:
            await self.shared.run("renew", self.keys, self._account(everything=True))
        self.behind = False
        self.renewed = self.own.clock()

    def _account(self, everything: bool) -> list[Any]:
        own, now = self.own, self.own.clock()
        requests = own.requests.let_in.items() if everything and own.requests is not None else ()
        used = own.tokens.used if everything and own.tokens is not None else ()
        under_way = own.under_way.items() if self.limits.holds else ()
        largest = own.tokens.largest if own.tokens is not None else None
        return [
            self.shared.process,
            _milliseconds(LEASE),
            _milliseconds(self.window),
            -1 if largest is None else largest,
            len(requests),
            len(used),
            *(part for ticket, at in requests for part in (ticket, _milliseconds(now - at))),
            *(part for use in used for part in (f"{use.ticket} {use.tokens}", _milliseconds(now - use.at))),
            *(f"{ticket} {aside}" for ticket, aside in under_way),
        ]


def _milliseconds(seconds: float) -> int:
    return round(seconds * 1000)
