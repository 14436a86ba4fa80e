"""Which variables of the environment say that there is a redis or a memcached: renderer and gateway read them alike."""

from __future__ import annotations

from collections.abc import Mapping

REDIS = ("REDIS_URL", "REDIS_HOST", "REDIS_SENTINEL_NODES", "REDIS_CLUSTER_NODES")
MEMCACHED = ("MEMCACHED_SERVERS", "MEMCACHED_HOST")


def names_redis(environment: Mapping[str, str]) -> bool:
    """Return whether the environment names a redis."""
    return any(environment.get(name) for name in REDIS)


def names_memcached(environment: Mapping[str, str]) -> bool:
    """Return whether the environment names a memcached."""
    return any(environment.get(name) for name in MEMCACHED)
