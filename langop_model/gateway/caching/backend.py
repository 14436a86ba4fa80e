"""What a place for answers must do. None of it fails or delays a request for long: a cache that is down has no answers."""

from __future__ import annotations

from typing import Protocol

MEGABYTE = 1024 * 1024
TIMEOUT = 0.25  # seconds; what a request waits at most for a cache


class CacheBackend(Protocol):
    """Where entries are kept. `max_entry` is the size in bytes of the largest that it takes."""

    max_entry: int

    async def get(self, key: str) -> bytes | None:
        """Return an entry; None where there is none, or no answer within TIMEOUT."""

    def put(self, key: str, entry: bytes, ttl: float | None) -> None:
        """Keep an entry for `ttl` seconds (None: as long as there is space). Returns at once."""
