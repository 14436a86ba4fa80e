"""Processes that share a redis, as far as their limits see: each has a connection and an account of its own."""

from __future__ import annotations

import asyncio

from redis.asyncio import Redis

from langop_model.contract.settings import Limits
from langop_model.gateway.limits.admission import Admission, NoRoom
from langop_model.gateway.limits.ledger import WINDOW, Place
from langop_model.gateway.limits.shared import Shared
from langop_model.gateway.limits.shared_ledger import SharedLedger
from tests.live.redis_server import RedisServer


class Process:
    """One process. Its heart beats only when a test says so."""

    def __init__(
        self, server: RedisServer | tuple[int, str], name: str = "team/model", window: float = WINDOW, **limits: int
    ) -> None:
        self.shared = connection(server)
        self.ledger = SharedLedger(self.shared, name, Limits(**limits), window=window)
        self.admission = Admission(self.ledger.limits, book=self.ledger)

    async def enter(self, within: float = 2.0, tokens: int | None = None) -> Place | None:
        """Return a place; None when there is no room within so many seconds."""
        try:
            return await self.admission.enter(tokens, self.admission.clock() + within)
        except NoRoom:
            return None

    async def let_in(self, count: int, within: float = 2.0) -> int:
        """Return how many of so many calls that come together are let in."""
        return sum(place is not None for place in await asyncio.gather(*(self.enter(within) for _ in range(count))))

    async def leave(self, place: Place | None, used: int = 0, answered: bool = True) -> None:
        """End a call, and wait until redis knows."""
        assert place is not None
        self.admission.leave(place, used, answered)
        await self.told()

    async def told(self) -> None:
        """Wait until redis knows everything."""
        await asyncio.gather(*self.shared.tasks)


def connection(server: RedisServer | tuple[int, str]) -> Shared:
    """Return a new process's connection to a redis, or to the redis of a port and a password."""
    port, password = server if isinstance(server, tuple) else (server.port, server.password)
    return Shared(Redis(port=port, password=password, decode_responses=True, socket_timeout=None))
