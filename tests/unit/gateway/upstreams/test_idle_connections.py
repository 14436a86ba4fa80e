"""Connections that wait for their next request."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from langop_model.gateway.upstreams import answers, idle_connections
from langop_model.gateway.upstreams.http_client import HTTPClient, Target
from tests.unit.gateway.upstreams.http_server import with_server

if TYPE_CHECKING:
    import pytest


class Server:
    """Answers each request with the number of its connection."""

    def __init__(self) -> None:
        self.connections = 0
        self.closed = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        number = b"%d" % self.connections
        try:
            while True:
                await reader.readuntil(b"{}")
                await asyncio.sleep(0.01)
                writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n" % len(number) + number)
        except asyncio.IncompleteReadError:
            self.closed += 1
            writer.close()


Ask = Callable[..., Awaitable[list[int]]]


def run(test: Callable[[Server, Ask], Awaitable[None]]) -> Server:
    """Run `test` with a server and with what asks each of some paths, all at the same time: on which connections they were."""
    server = Server()

    async def scene(client: HTTPClient, target: Target) -> None:
        async def one(path: str) -> int:
            response = await client.post(client.target(target.url.with_path(path)), {}, b"{}")
            return int(await answers.read(response, 100))

        async def ask(*paths: str) -> list[int]:
            return await asyncio.gather(*map(one, paths))

        await test(server, ask)
        await client.aclose()
        await asyncio.sleep(0.05)

    with_server(server.serve, scene)
    return server


def test_the_one_that_was_used_last_is_used_first():
    async def test(_: Server, ask: Ask) -> None:
        assert sorted(await ask("/a", "/a", "/a")) == [1, 2, 3]
        [last] = await ask("/a")
        assert [await ask("/a") for _ in range(3)] == [[last]] * 3

    run(test)


def test_all_paths_of_a_host_share_them():
    async def test(server: Server, ask: Ask) -> None:
        assert [await ask("/chat"), await ask("/embeddings")] == [[1], [1]]
        assert server.connections == 1

    run(test)


def test_two_requests_never_share_one():
    async def test(server: Server, ask: Ask) -> None:
        for _ in range(5):
            assert len(set(await ask("/a", "/a"))) == 2
        assert server.connections == 2

    run(test)


def test_what_nobody_uses_is_closed(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(idle_connections, "KEEP_ALIVE", 0.2)

    async def test(server: Server, ask: Ask) -> None:
        await ask("/a", "/a", "/a")
        await asyncio.sleep(0.1)
        await ask("/a")
        await asyncio.sleep(0.15)
        assert server.closed == 2  # the third has been used since
        await asyncio.sleep(0.2)
        assert server.closed == 3

    run(test)


def test_an_old_one_is_closed_after_its_answer(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(idle_connections, "MAX_AGE", 0.2)

    async def test(server: Server, ask: Ask) -> None:
        assert [await ask("/a"), await ask("/a")] == [[1], [1]]
        await asyncio.sleep(0.25)
        assert await ask("/a") == [1]
        assert await ask("/a") == [2]
        await asyncio.sleep(0.05)
        assert server.closed == 1

    run(test)


def test_all_are_closed_at_the_end():
    async def test(server: Server, ask: Ask) -> None:
        await ask("/a", "/a", "/a")
        assert server.closed == 0

    assert run(test).closed == 3
