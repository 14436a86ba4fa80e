"""What the requests of a worker share, and the workers and replicas of a LanguageModel where there is a redis.

Limits and what is known of endpoints are shared through the redis of the environment (redis_client.py), answers through redis
or memcached. Without them each worker counts for itself, and keeps its own answers.
"""

from __future__ import annotations

import hashlib
import logging
from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

import orjson

from langop_model.contract.environment import names_redis
from langop_model.contract.references import resolved
from langop_model.contract.settings import Group
from langop_model.gateway.caching.backend import CacheBackend
from langop_model.gateway.caching.memory import MemoryBackend
from langop_model.gateway.caching.response_cache import ResponseCache
from langop_model.gateway.limits.admission import Admission
from langop_model.gateway.routing.endpoints import Endpoints
from langop_model.gateway.routing.peer_reports import PeerReports

if TYPE_CHECKING:  # the clients are imported where they are used: redis takes 12 MB and a tenth of a second
    from langop_model.gateway.limits.redis_connection import RedisConnection

log = logging.getLogger("langop.caching")

MEMORY, REDIS, MEMCACHED = "memory", "redis", "memcached"  # the values of spec.caching.backend


class SharedState:
    """The redis of a worker, and what each group has in it. An event loop runs when it is built.

    `has_redis` is whether the environment names one, also where that can't be read.
    """

    def __init__(self, environment: Mapping[str, str]) -> None:
        self.has_redis = names_redis(environment)
        self.redis = _connection(environment) if self.has_redis else None
        self.environment = environment
        self.backends: dict[str, CacheBackend | None] = {}  # those that several groups use

    def admission(self, group: Group) -> Admission:
        """Return the limits of a group: all processes count together where there is a redis."""
        if self.redis is None or not group.limits.any:
            return Admission(group.limits)
        from langop_model.gateway.limits.redis_window import RedisWindow

        return Admission(group.limits, store=RedisWindow(self.redis, f"{group.namespace}/{group.resource}", group.limits))

    def cache(self, group: Group, model_list: Iterable[Mapping[str, Any]] = ()) -> ResponseCache | None:
        """Return the cache of a group; None where it has none. Of `model_list`, its deployments are part of each key."""
        caching = group.caching
        if caching is None:
            return None
        if caching.backend == MEMORY and caching.megabytes is not None:
            backend: CacheBackend | None = MemoryBackend(caching.megabytes)
        else:
            if caching.backend not in self.backends:
                self.backends[caching.backend] = self._backend(caching.backend)
            backend = self.backends[caching.backend]
        if backend is None:
            log.error("%s has no cache: the environment does not say where %s is", group.resource, caching.backend)
            return None
        together = caching.backend == REDIS and group.limits.any
        return ResponseCache(group, caching, backend, revision=_revision(group, model_list), looks_up_with_admission=together)

    @property
    def memory(self) -> MemoryBackend | None:
        """The memory cache of all groups that have no caching.maxSize; None where none is kept there."""
        backend = self.backends.get(MEMORY)
        return backend if isinstance(backend, MemoryBackend) else None

    @property
    def redis_up(self) -> bool | None:
        """Whether redis answers; None where the environment names none."""
        return (self.redis is not None and self.redis.up) if self.has_redis else None

    def start(self, endpoints: Iterable[tuple[Group, Endpoints]]) -> None:
        """Start the heartbeat, and the reports about endpoints of groups that have several."""
        if self.redis is None:
            return
        balanced: defaultdict[str, list[Endpoints]] = defaultdict(list)
        for group, each in endpoints:
            if len(group.endpoints) > 1:
                balanced[group.namespace].append(each)
        for namespace, models in balanced.items():
            PeerReports(self.redis, namespace, models)
        self.redis.start()

    async def aclose(self) -> None:
        """Tell redis what is still to be told, and close the connections."""
        if self.redis is not None:
            await self.redis.aclose()

    def _backend(self, name: str) -> CacheBackend | None:
        if name == MEMORY:
            return MemoryBackend()
        if name == MEMCACHED:
            from langop_model.gateway.caching import memcached

            places = memcached.servers(self.environment)
            return memcached.MemcachedBackend(places) if places else None
        if self.redis is None:
            return None
        from langop_model.gateway.caching.redis import RedisBackend

        return RedisBackend(self.redis)


def redis_environment(environment: Mapping[str, str], section: Mapping[str, Any]) -> Mapping[str, str]:
    """Return `environment` with the redis that the configuration names (contract.settings.Redis) in place of its own.

    A text may be os.environ/NAME, a variable of `environment`.
    """
    if not section:
        return environment
    own = {name: value for name, value in environment.items() if not name.startswith("REDIS_")}
    stated = resolved(dict(section), lambda name: environment.get(name, ""))
    return own | {f"REDIS_{name.upper()}": _text(value) for name, value in stated.items()}


def _text(value: Any) -> str:
    return orjson.dumps(value).decode() if isinstance(value, list) else str(value)


def _connection(environment: Mapping[str, str]) -> RedisConnection | None:
    from langop_model.gateway import redis_client
    from langop_model.gateway.limits.redis_connection import RedisConnection

    client = redis_client.connect(environment)
    return None if client is None else RedisConnection(client)


def _revision(group: Group, model_list: Iterable[Mapping[str, Any]]) -> str:
    """Return a digest of a group's deployments, whose parameters change its answers. They hold no key, only its variable.

    Their order changes no answer.
    """
    parameters = [entry.get("litellm_params") for entry in model_list if entry.get("model_name") == group.name]
    parts = sorted(orjson.dumps(each, option=orjson.OPT_SORT_KEYS) for each in parameters)
    return hashlib.blake2b(b"\n".join(parts), digest_size=16).hexdigest()
