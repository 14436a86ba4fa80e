"""What the tests of the gateway share: LiteLLM with the prices that it brings, a real redis, and no garbage collector."""

from __future__ import annotations

import gc
import os
from collections.abc import Iterator

import pytest

from tests.live import redis_server
from tests.live.redis_server import RedisServer

os.environ.setdefault("LITELLM_LOCAL_MODEL_COST_MAP", "True")
os.environ.setdefault("LITELLM_MODE", "PRODUCTION")

PASSWORD = "not-a-real-password-0815"


@pytest.fixture(scope="session", params=["redis", "valkey"])
def program(request: pytest.FixtureRequest) -> str:
    """A server of each kind that people run."""
    return redis_server.find_valkey() if request.param == "valkey" else redis_program()


def redis_program() -> str:
    return redis_server.find_or_skip("NOTHING ABOUT REDIS IS TESTED")


@pytest.fixture(scope="session")
def one_redis(program: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    server = RedisServer(program, tmp_path_factory.mktemp("redis"), PASSWORD)
    yield server
    server.kill()


@pytest.fixture
def server(one_redis: RedisServer) -> RedisServer:
    """A redis that runs and is empty."""
    one_redis.start()
    one_redis.client.flushall()
    return one_redis


@pytest.fixture
def no_collector() -> Iterator[None]:
    """What only the garbage collector can free, it frees for many requests at once, and everybody waits meanwhile."""
    gc.collect()
    gc.disable()
    yield
    gc.enable()
