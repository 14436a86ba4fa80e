"""A memory cache that holds at most so many megabytes: spec.caching.maxSize. LiteLLM's own counts entries, 200 of them."""

from __future__ import annotations

import json
import time
from typing import Any

import litellm
from cachetools import TLRUCache
from litellm.caching.base_cache import BaseCache

MEGABYTE = 1024 * 1024
OVERHEAD = 400  # bytes that an entry costs beside its text: key, dictionary, list links (measured with tracemalloc)


class BoundedMemory(BaseCache):  # type: ignore[misc]
    """What was used last is kept, up to `megabytes`; each entry lives as long as LiteLLM says (`ttl` in seconds)."""

    def __init__(self, megabytes: float, default_ttl: float | None) -> None:
        super().__init__(default_ttl=round(default_ttl) if default_ttl else 0)
        self.default = default_ttl
        self.entries: TLRUCache[str, tuple[str, float]] = TLRUCache(
            maxsize=megabytes * MEGABYTE,
            ttu=lambda _, entry, now: now + entry[1],
            timer=time.monotonic,
            getsizeof=lambda entry: len(entry[0]) + OVERHEAD,
        )

    def set_cache(self, key: str, value: Any, **kwargs: Any) -> None:
        """Keep a value; one that is larger than the cache, or that JSON can't hold, is not kept."""
        ttl = kwargs.get("ttl")
        lifetime = float(ttl) if ttl is not None else self.default if self.default is not None else float("inf")
        try:
            self.entries[key] = json.dumps(value), lifetime
        except (TypeError, ValueError):
            self.entries.pop(key, None)

    def get_cache(self, key: str, **_: Any) -> Any:
        """Return the value, or None."""
        entry = self.entries.get(key)
        return None if entry is None else json.loads(entry[0])

    async def async_set_cache(self, key: str, value: Any, **kwargs: Any) -> None:
        """Keep a value."""
        self.set_cache(key, value, **kwargs)

    async def async_get_cache(self, key: str, **kwargs: Any) -> Any:
        """Return the value, or None."""
        return self.get_cache(key, **kwargs)

    async def async_set_cache_pipeline(self, cache_list: list[tuple[str, Any]], **kwargs: Any) -> None:
        """Keep several values."""
        for key, value in cache_list:
            self.set_cache(key, value, **kwargs)

    async def disconnect(self) -> None:
        """Nothing to disconnect from."""


def install(megabytes: float | None) -> None:
    """Put the bounded memory in the place of LiteLLM's, where a size is asked for and its cache is in memory."""
    cache = litellm.cache
    if megabytes is not None and cache is not None and str(cache.type) == "local":
        cache.cache = BoundedMemory(megabytes, cache.ttl)
