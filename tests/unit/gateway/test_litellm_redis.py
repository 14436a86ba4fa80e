"""Where redis is: the same variables as for LiteLLM's cache."""

from __future__ import annotations

import asyncio

import pytest

from langop_model.gateway.internals import litellm_redis
from tests.live.redis_server import RedisServer

VARIABLES = ("HOST", "PORT", "USERNAME", "PASSWORD", "SSL", "DB", "URL", "SOCKET_TIMEOUT", "DECODE_RESPONSES")


@pytest.fixture(autouse=True)
def _no_redis(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in VARIABLES:
        monkeypatch.delenv(f"REDIS_{name}", raising=False)


def _set(monkeypatch: pytest.MonkeyPatch, **variables: object) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(f"REDIS_{name}", str(value))


def _databases_with_a_mark(server: RedisServer) -> list[int]:
    """Let a process that has just started say that it is there; return the databases in which it did."""
    shared = litellm_redis.connect()
    assert shared is not None
    asyncio.run(shared.beat())
    return [int(name[2:]) for name in server.client.info("keyspace")]


def test_without_a_redis_there_is_no_connection():
    assert litellm_redis.connect() is None


def test_host_port_and_password_are_enough(server: RedisServer, monkeypatch: pytest.MonkeyPatch):
    _set(monkeypatch, HOST="127.0.0.1", PORT=server.port, PASSWORD=server.password)
    assert _databases_with_a_mark(server) == [0]


def test_user_and_database_are_heeded(server: RedisServer, monkeypatch: pytest.MonkeyPatch):
    server.client.acl_setuser("gateway", enabled=True, passwords=["+not-a-real-one-1"], categories=["+@all"], keys=["langop:*"])
    _set(monkeypatch, HOST="127.0.0.1", PORT=server.port, USERNAME="gateway", PASSWORD="not-a-real-one-1", DB=3)
    assert _databases_with_a_mark(server) == [3]


def test_a_url_says_it_all(server: RedisServer, monkeypatch: pytest.MonkeyPatch):
    _set(monkeypatch, URL=f"redis://:{server.password}@127.0.0.1:{server.port}/2")
    assert _databases_with_a_mark(server) == [2]


def test_the_short_timeout_of_litellms_cache_is_not_that_of_the_limits(monkeypatch: pytest.MonkeyPatch):
    _set(monkeypatch, HOST="127.0.0.1", SOCKET_TIMEOUT="0.1")
    shared = litellm_redis.connect()
    assert shared is not None
    assert shared.client.connection_pool.connection_kwargs["socket_timeout"] is None


@pytest.mark.parametrize("url", ["not-a-scheme://:secret-4711@h:1/0", "redis://:secret-4711@h:secret-4711/0"])
def test_a_url_that_cant_be_read_is_said_without_its_password(
    url: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
):
    _set(monkeypatch, URL=url)
    assert litellm_redis.connect() is None
    assert "redis://USER:PASSWORD@HOST:PORT/DATABASE" in caplog.text
    assert "secret-4711" not in caplog.text
