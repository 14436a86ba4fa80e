"""What each group of a worker has in the redis and memcached of the environment."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import Mapping
from typing import Any

import pytest
from redis.asyncio import Redis, RedisCluster
from redis.asyncio.sentinel import SentinelConnectionPool

from langop_model.contract.settings import Caching, Limits
from langop_model.gateway import redis_client
from langop_model.gateway.caching.backend import MEGABYTE
from langop_model.gateway.caching.memcached import MemcachedBackend
from langop_model.gateway.caching.memory import DEFAULT_MEGABYTES, MemoryBackend
from langop_model.gateway.caching.redis import RedisBackend
from langop_model.gateway.caching.response_cache import ResponseCache
from langop_model.gateway.limits.redis_window import RedisWindow
from langop_model.gateway.limits.sliding_window import SlidingWindow
from langop_model.gateway.routing.endpoints import Endpoints
from langop_model.gateway.shared_state import SharedState, redis_environment
from tests.live.redis_server import RedisServer
from tests.unit.gateway.caching.requests import group, request

NOWHERE = {"REDIS_HOST": "127.0.0.1", "REDIS_PORT": "1"}


def cache(caching: Caching, environment: Mapping[str, str] | None = None, **members: Any) -> ResponseCache | None:
    return SharedState(environment or {}).cache(group(caching=caching, **members))


def test_each_group_has_its_own_size_and_lifetime():
    state = SharedState({})
    small, large = (state.cache(group(caching=Caching("memory", ttl, size))) for ttl, size in ((1, 2), (None, 5)))
    assert small is not None
    assert large is not None
    assert isinstance(small.backend, MemoryBackend)
    assert isinstance(large.backend, MemoryBackend)
    assert (small.ttl, small.backend.entries.maxsize) == (1, 2 * MEGABYTE)
    assert (large.ttl, large.backend.entries.maxsize) == (None, 5 * MEGABYTE)


def test_groups_without_a_size_share_one_memory():
    state = SharedState({})
    first, second = (state.cache(group(name, caching=Caching("memory"))) for name in "ab")
    assert first is not None
    assert second is not None
    assert first.backend is second.backend
    assert isinstance(first.backend, MemoryBackend)
    assert first.backend.entries.maxsize == DEFAULT_MEGABYTES * MEGABYTE


def test_backends_come_from_the_environment():
    redis = cache(Caching("redis"), NOWHERE)
    memcached = cache(Caching("memcached"), {"MEMCACHED_HOST": "127.0.0.1"})
    assert redis is not None
    assert memcached is not None
    assert isinstance(redis.backend, RedisBackend)
    assert isinstance(memcached.backend, MemcachedBackend)


@pytest.mark.parametrize("backend", ["redis", "memcached"])
def test_a_backend_that_the_environment_does_not_name_is_no_cache_and_said(backend: str, caplog: pytest.LogCaptureFixture):
    assert cache(Caching(backend)) is None
    assert f"does not say where {backend} is" in caplog.text


def test_a_group_without_caching_has_none():
    assert SharedState({}).cache(group()) is None


def test_limits_are_in_redis_where_there_is_one():
    limited = group(limits=Limits(requests_per_minute=1))
    assert isinstance(SharedState(NOWHERE).admission(limited).store, RedisWindow)
    assert isinstance(SharedState({}).admission(limited).store, SlidingWindow)
    assert SharedState(NOWHERE).admission(group()).open


def test_limits_and_answers_in_redis_are_asked_together():
    limited, free = cache(Caching("redis"), NOWHERE, limits=Limits(requests_per_minute=1)), cache(Caching("redis"), NOWHERE)
    assert limited is not None
    assert free is not None
    assert (limited.looks_up_with_admission, free.looks_up_with_admission) == (True, False)


def test_another_deployment_has_other_answers():
    def key(model: str) -> str | None:
        entries = [{"model_name": "m", "litellm_params": {"model": model}}]
        made = SharedState({}).cache(group(caching=Caching("memory")), entries)
        assert made is not None
        return made.keys.key(request())

    assert key("openai/gpt-4o") != key("openai/gpt-5")


def test_deployments_in_another_order_have_the_same_answers():
    entries = [{"model_name": "m", "litellm_params": {"model": model}} for model in ("openai/gpt-4o", "openai/gpt-5")]
    made = [SharedState({}).cache(group(caching=Caching("memory")), each) for each in (entries, entries[::-1])]
    first, second = (each.keys.key(request()) for each in made if each is not None)
    assert first == second


def test_a_worker_whose_redis_is_down_starts_and_ends():
    async def scene() -> bool:
        state = SharedState(NOWHERE)
        state.start([(group(), Endpoints(group()))])
        admission = state.admission(group(limits=Limits(requests_per_minute=1)))
        await admission.admit(None, admission.clock() + 5)
        await state.aclose()
        return state.redis is not None and not state.redis.up

    assert asyncio.run(scene())


@pytest.mark.parametrize("package", ["redis", "memcachio", "litellm"])
def test_a_worker_imports_no_client_that_it_does_not_use(package: str):
    code = f"""
import sys
from langop_model.gateway import services, shared_state
shared_state.SharedState({{}})
assert {package!r} not in sys.modules
"""
    ended = subprocess.run([sys.executable, "-c", code], check=False, capture_output=True, text=True, timeout=60)
    assert ended.returncode == 0, ended.stderr


def test_the_configurations_redis_comes_before_the_environments(server: RedisServer):
    section = {"host": "127.0.0.1", "port": server.port, "password": "os.environ/SECRET", "db": 2}
    environment = redis_environment({**NOWHERE, "REDIS_URL": "redis://127.0.0.1:1", "SECRET": server.password}, section)

    async def scene() -> None:
        state = SharedState(environment)
        assert state.redis is not None
        await state.redis.beat()
        await state.aclose()

    asyncio.run(scene())
    assert list(server.client.info("keyspace")) == ["db2"]


def test_a_cluster_of_the_configuration_is_a_cluster():
    section = {"cluster_nodes": [{"host": "os.environ/HOST", "port": 7001}, {"host": "b", "port": "7002"}]}
    client = redis_client.connect(redis_environment({**NOWHERE, "HOST": "a"}, section))
    assert isinstance(client, RedisCluster)
    assert set(client.nodes_manager.startup_nodes) == {"a:7001", "b:7002"}


def test_a_sentinel_of_the_configuration_is_asked_for_its_master():
    section = {"sentinel_nodes": [["a", 26379]], "service_name": "main", "sentinel_password": "os.environ/SECRET"}
    client = redis_client.connect(redis_environment({**NOWHERE, "SECRET": "s"}, section))
    assert isinstance(client, Redis)
    pool = client.connection_pool
    assert isinstance(pool, SentinelConnectionPool)
    assert (pool.service_name, pool.sentinel_manager.sentinel_kwargs["password"]) == ("main", "s")


def test_without_a_redis_in_the_configuration_the_environment_holds():
    assert redis_environment(NOWHERE, {}) == NOWHERE
