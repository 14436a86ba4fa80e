"""Answers that are kept as spec.caching says: bounded in megabytes, for their time to live, and each for one question only."""

from __future__ import annotations

import json
import time
from typing import Any, NamedTuple

import litellm
from cachetools import TLRUCache
from litellm.caching import caching_handler
from litellm.caching.base_cache import BaseCache
from litellm.caching.in_memory_cache import InMemoryCache
from litellm.caching.redis_cache import RedisCache

MEGABYTE = 1024 * 1024
# Bytes that an entry costs beside the letters of its key and its text: tests/unit/gateway/test_cache.py measures it.
OVERHEAD = 600


class _Entry(NamedTuple):
    text: str
    lifetime: float
    size: int


class BoundedMemory(BaseCache):  # type: ignore[misc]
    """What was used last is kept, up to `megabytes`; each entry lives as long as LiteLLM says (`ttl` in seconds)."""

    def __init__(self, megabytes: float, default_ttl: float | None) -> None:
        super().__init__(default_ttl=round(default_ttl) if default_ttl else 0)
        self.default = default_ttl
        self.entries: TLRUCache[str, _Entry] = TLRUCache(
            maxsize=megabytes * MEGABYTE,
            ttu=lambda _, entry, now: now + entry.lifetime,
            timer=time.monotonic,
            getsizeof=lambda entry: entry.size,
        )

    def set_cache(self, key: str, value: Any, **kwargs: Any) -> None:
        """Keep a value; one that is larger than the cache, or that JSON can't hold, is not kept."""
        ttl = kwargs.get("ttl")
        lifetime = float(ttl) if ttl is not None else self.default if self.default is not None else float("inf")
        try:
            text = json.dumps(value)
            self.entries[key] = _Entry(text, lifetime, len(key) + len(text) + OVERHEAD)
        except (TypeError, ValueError):
            self.entries.pop(key, None)

    def get_cache(self, key: str, **_: Any) -> Any:
        """Return the value, or None."""
        entry = self.entries.get(key)
        return None if entry is None else json.loads(entry.text)

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


class BeforeRedis(InMemoryCache):  # type: ignore[misc]
    """The memory in front of redis: what this process wrote, for the time to live, and so also while redis is down.

    What another process wrote is read in redis each time. LiteLLM would keep it here for ten minutes more, however old it is.
    """

    def set_cache(self, key: str, value: Any, **kwargs: Any) -> None:
        """Keep a value that has a time to live; LiteLLM gives none to what it has read in redis."""
        if kwargs.get("ttl") is not None:
            super().set_cache(key, value, **kwargs)


def install(megabytes: float | None) -> None:
    """Make LiteLLM's cache do what its settings can't say. `megabytes` bounds a cache in memory; None leaves LiteLLM's."""
    cache = litellm.cache
    if cache is None:
        return
    _tell_all_questions_apart(cache)
    if isinstance(cache.cache, RedisCache):
        caching_handler.in_memory_cache_obj = BeforeRedis()
    elif isinstance(cache.cache, InMemoryCache) and megabytes is not None:
        cache.cache = BoundedMemory(megabytes, cache.ttl)


def _tell_all_questions_apart(cache: litellm.Cache) -> None:
    """Make every parameter part of the key, also those that OpenAI does not know, such as guided_json of a vLLM, and the API.

    Without it the same messages with another schema get the answer of the first, and /v1/responses gets the embedding of its
    input. The span of a trace, which LiteLLM takes for a parameter too, would make every key different.
    """
    litellm.enable_caching_on_provider_specific_optional_params = True
    key = cache.get_cache_key

    def key_of(**request: Any) -> Any:
        request.pop("parent_otel_span", None)
        call_type = getattr(request.get("litellm_logging_obj"), "call_type", None)
        return key(**request, **({"langop_call_type": call_type} if call_type else {}))

    cache.get_cache_key = key_of
