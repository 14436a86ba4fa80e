"""Answers in the redis of the environment, which all processes of a model share with its limits.

What is looked up together with an admission is one script with it (limits/lua/admit.lua); this is for models without limits.
"""

from __future__ import annotations

from langop_model.gateway.caching.backend import MEGABYTE
from langop_model.gateway.limits.redis_connection import RedisConnection
from langop_model.gateway.limits.redis_lane import RedisUnavailableError

MAX_ENTRY_SIZE = 4 * MEGABYTE  # a redis takes 512 MB; larger ones would delay everything else that it is asked


class RedisBackend:
    """Entries in redis, which bounds its own memory (maxmemory, maxmemory-policy)."""

    max_entry = MAX_ENTRY_SIZE

    def __init__(self, redis: RedisConnection) -> None:
        self.redis = redis

    async def get(self, key: str) -> bytes | None:
        """Return an entry; None where there is none, or redis does not answer in time."""
        try:
            return await self.redis.get(key)
        except RedisUnavailableError:
            return None

    def put(self, key: str, entry: bytes, ttl: float | None) -> None:
        """Keep an entry, unless redis is down or full."""
        self.redis.store(key, entry, ttl)
