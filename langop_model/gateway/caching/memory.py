"""Answers in the memory of this process: the most recently used, up to a number of bytes."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import NamedTuple

from cachetools import LRUCache

from langop_model.gateway.caching.backend import MEGABYTE

# Megabytes for the answers of all models without spec.caching.maxSize together, in each worker.
DEFAULT_MEGABYTES = 64
# Bytes that an entry takes beside its key and its content: tests/unit/gateway/caching/test_memory.py measures it.
OVERHEAD = 450


class _Entry(NamedTuple):
    content: bytes
    expires: float


class MemoryBackend:
    """Entries up to `megabytes` in all, the least recently used dropped first. One event loop uses it.

    One whose time is over is no answer any more, and goes when it is asked for or when room is needed: to look for it earlier
    takes more time with each answer than to keep the answer.
    """

    def __init__(self, megabytes: float = DEFAULT_MEGABYTES, timer: Callable[[], float] = time.monotonic) -> None:
        self.timer = timer
        self.max_entry = int(megabytes * MEGABYTE) // 4  # one answer must not drop all the others
        self.entries: LRUCache[str, _Entry] = LRUCache(
            maxsize=megabytes * MEGABYTE, getsizeof=lambda entry: len(entry.content) + OVERHEAD
        )

    @property
    def size(self) -> int:
        """Bytes that its entries take."""
        return int(self.entries.currsize)

    def get_now(self, key: str) -> bytes | None:
        entry = self.entries.get(key)
        if entry is None:
            return None
        if entry.expires <= self.timer():
            del self.entries[key]
            return None
        return entry.content

    async def get(self, key: str) -> bytes | None:
        return self.get_now(key)

    def put(self, key: str, entry: bytes, ttl: float | None) -> None:
        """Keep an entry unless it is too large."""
        if len(entry) <= self.max_entry:
            self.entries[key] = _Entry(entry, self.timer() + ttl if ttl is not None else float("inf"))
