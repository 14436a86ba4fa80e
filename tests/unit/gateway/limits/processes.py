"""Processes that share a redis, as far as their limits see: each has a connection and an account of its own."""

from __future__ import annotations

import asyncio

from langop_model.contract.settings import Limits
from langop_model.gateway import redis_client
from langop_model.gateway.limits.admission import Admission, RateLimitTimeoutError
from langop_model.gateway.limits.redis_connection import RedisConnection
from langop_model.gateway.limits.redis_window import RedisWindow
from langop_model.gateway.limits.sliding_window import WINDOW, Reservation
from tests.live.redis_server import RedisServer


class Process:
    """One process. Its heart beats only when a test says so."""

    def __init__(
        self, server: RedisServer | tuple[int, str], name: str = "team/model", window: float = WINDOW, **limits: int
    ) -> None:
        self.redis = connection(server)
        self.window = RedisWindow(self.redis, name, Limits(**limits), window=window)
        self.admission = Admission(self.window.limits, store=self.window)

    async def enter(self, within: float = 2.0, tokens: int | None = None) -> Reservation | None:
        """Return a reservation; None when there is no room within so many seconds."""
        try:
            return await self.admission.admit(tokens, self.admission.clock() + within)
        except RateLimitTimeoutError:
            return None

    async def let_in(self, count: int, within: float = 2.0) -> int:
        """Return how many of so many calls that come together are let in."""
        return sum(reservation is not None for reservation in await asyncio.gather(*(self.enter(within) for _ in range(count))))

    async def settle(self, reservation: Reservation | None, used: int = 0, answered: bool = True) -> None:
        """End a call, and wait until redis knows."""
        assert reservation is not None
        self.admission.settle(reservation, used, answered)
        await self.told()

    async def told(self) -> None:
        """Wait until redis knows everything."""
        await self.redis.flush()


PATIENT = 10.0  # seconds; a test machine may be busy, and most tests are about something else


def connection(server: RedisServer | tuple[int, str], answer_timeout: float = PATIENT) -> RedisConnection:
    """Return a new process's connection to a redis, or to the redis of a port and a password."""
    port, password = server if isinstance(server, tuple) else (server.port, server.password)
    client = redis_client.connect({"REDIS_HOST": "127.0.0.1", "REDIS_PORT": str(port), "REDIS_PASSWORD": password})
    assert client is not None
    return RedisConnection(client, answer_timeout)
