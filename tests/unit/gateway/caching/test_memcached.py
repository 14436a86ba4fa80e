"""Answers in a real memcached: kept, expired, and while it is down, hangs, or comes back."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager

import pytest

from langop_model.contract.settings import Caching
from langop_model.gateway.caching import memcached
from langop_model.gateway.caching.backend import TIMEOUT
from langop_model.gateway.caching.memcached import MemcachedBackend, servers
from langop_model.gateway.caching.response_cache import ResponseCache
from tests.live import memcached_server
from tests.live.memcached_server import MemcachedServer
from tests.unit.gateway.caching.requests import Provider, group, request, run

LATER = 10.0  # seconds


@pytest.fixture(scope="module")
def one_memcached() -> Iterator[MemcachedServer]:
    server = MemcachedServer(memcached_server.find_or_skip("NOTHING ABOUT MEMCACHED IS TESTED"))
    yield server
    server.kill()


@pytest.fixture
def server(one_memcached: MemcachedServer, monkeypatch: pytest.MonkeyPatch) -> MemcachedServer:
    """A memcached that runs and is empty."""
    monkeypatch.setattr(memcached, "PROBE_INTERVAL", 0.05)
    one_memcached.kill()
    one_memcached.start()
    return one_memcached


@asynccontextmanager
async def backend(*ports: int) -> AsyncIterator[MemcachedBackend]:
    made = MemcachedBackend([("127.0.0.1", port) for port in ports])
    try:
        yield made
    finally:
        for server in made.servers:
            for task in server.tasks:
                task.cancel()
            server.client.connection_pool.close()


async def told(cache: MemcachedBackend) -> None:
    """Wait until everything that was put is there."""
    await asyncio.gather(*(task for server in cache.servers for task in server.tasks))


async def until_up(cache: MemcachedBackend) -> None:
    deadline = time.monotonic() + LATER
    while not all(server.up for server in cache.servers):
        assert time.monotonic() < deadline
        await asyncio.sleep(0.02)


def test_an_entry_comes_back_byte_for_byte(server: MemcachedServer):
    entry = bytes(range(256)) * 100 + b"\r\nEND\r\n"

    async def scene() -> tuple[bytes | None, bytes | None]:
        async with backend(server.port) as cache:
            cache.put("langop:{a/b}:answer:1 with spaces", entry, 60)
            await told(cache)
            return await cache.get("langop:{a/b}:answer:1 with spaces"), await cache.get("another")

    assert run(scene()) == (entry, None)


def test_an_entry_lives_for_its_time(server: MemcachedServer):
    async def scene() -> tuple[bytes | None, bytes | None]:
        async with backend(server.port) as cache:
            cache.put("short", b"1", 0.3)  # memcached counts whole seconds
            cache.put("long", b"2", 40 * 24 * 3600)
            await told(cache)
            await asyncio.sleep(2.1)
            return await cache.get("short"), await cache.get("long")

    assert run(scene()) == (None, b"2")


def test_keys_are_divided_among_servers(server: MemcachedServer):
    other = MemcachedServer(server.command[0])
    other.start()

    async def scene() -> tuple[int, int]:
        async with backend(server.port, other.port) as cache:
            for number in range(40):
                cache.put(f"{number}", b"x", None)
            await told(cache)
            both = sum([await cache.get(f"{number}") is not None for number in range(40)])
            other.kill()
            return both, sum([await cache.get(f"{number}") is not None for number in range(40)])

    try:
        both, one = run(scene())
    finally:
        other.kill()
    assert both == 40
    assert 0 < one < 40


def test_an_entry_that_memcached_refuses_is_not_kept_and_all_else_is(server: MemcachedServer, caplog: pytest.LogCaptureFixture):
    async def scene() -> tuple[bytes | None, bytes | None]:
        async with backend(server.port) as cache:
            cache.put("large", b"x" * (memcached.MAX_ENTRY_SIZE + 4096), None)
            cache.put("small", b"x", None)
            await told(cache)
            return await cache.get("large"), await cache.get("small")

    assert run(scene()) == (None, b"x")
    assert "did not keep an answer" in caplog.text


def test_the_largest_entry_is_kept(server: MemcachedServer):
    async def scene() -> bool:
        async with backend(server.port) as cache:
            cache.put("large", b"x" * memcached.MAX_ENTRY_SIZE, None)
            await told(cache)
            return await cache.get("large") is not None

    assert run(scene())


def test_while_memcached_is_down_at_start_each_request_asks_the_provider(
    server: MemcachedServer, caplog: pytest.LogCaptureFixture
):
    async def scene() -> tuple[int, int]:
        async with backend(server.port) as cache:
            server.kill()
            answered, provider = await _ask(cache, 5)
            return answered, provider.asked

    assert run(scene()) == (5, 5)
    assert len([record for record in caplog.records if record.name == "langop.memcached"]) == 1


async def _ask(cache: MemcachedBackend, times: int) -> tuple[int, Provider]:
    provider = Provider()
    provider.go.set()
    responses = ResponseCache(group(), Caching("memcached", 60), cache)
    answered = 0
    for _ in range(times):
        answer, _hit = await responses.get_or_ask(request(), provider.whole)
        answered += answer.status == 200
    return answered, provider


def test_a_memcached_that_hangs_delays_one_request_only(server: MemcachedServer):
    async def scene() -> tuple[int, float]:
        async with backend(server.port) as cache:
            await cache.get("connects")
            server.pause()
            began = time.monotonic()
            answered, _ = await _ask(cache, 20)
            return answered, time.monotonic() - began

    try:
        answered, seconds = run(scene())
    finally:
        server.go_on()
    assert answered == 20
    assert seconds < TIMEOUT * 10  # each for itself would take twenty times


def test_a_memcached_that_is_back_is_used_again(server: MemcachedServer):
    async def scene() -> tuple[bytes | None, bytes | None]:
        async with backend(server.port) as cache:
            cache.put("a", b"1", None)
            await told(cache)
            server.kill()
            down = await cache.get("a")
            server.start()
            await until_up(cache)
            cache.put("a", b"2", None)
            await asyncio.sleep(0.1)
            return down, await cache.get("a")

    assert run(scene()) == (None, b"2")


def test_an_answer_that_comes_late_is_not_taken_for_another(server: MemcachedServer):
    async def scene() -> list[bytes | None]:
        async with backend(server.port) as cache:
            for name in ("a", "b"):
                cache.put(name, name.encode(), None)
            await told(cache)
            server.pause()
            late = await cache.get("a")
            server.go_on()
            await until_up(cache)
            return [late, await cache.get("b"), await cache.get("a")]

    assert run(scene()) == [None, b"b", b"a"]


def test_a_client_that_leaves_takes_no_connection_with_it(server: MemcachedServer):
    async def scene() -> bytes | None:
        async with backend(server.port) as cache:
            cache.put("a", b"1", None)
            await told(cache)
            for pauses in range(30):
                leaving = asyncio.create_task(cache.get("a"))
                for _ in range(pauses % 10):
                    await asyncio.sleep(0)
                leaving.cancel()
                await asyncio.gather(leaving, return_exceptions=True)
            assert cache.servers[0].up
            return await cache.get("a")

    assert run(scene()) == b"1"


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ({"MEMCACHED_HOST": "cache"}, [("cache", 11211)]),
        ({"MEMCACHED_HOST": "cache", "MEMCACHED_PORT": "1"}, [("cache", 1)]),
        ({"MEMCACHED_SERVERS": "a:1, b ,c:3"}, [("a", 1), ("b", 11211), ("c", 3)]),
        ({}, []),
    ],
)
def test_the_environment_says_where_memcached_is(environment: dict[str, str], expected: list[tuple[str, int]]):
    assert servers(environment) == expected
