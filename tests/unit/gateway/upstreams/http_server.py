"""A server of a test, and the client that the relay has."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from yarl import URL

from langop_model.gateway.upstreams.http_client import HTTPClient, Target

T = TypeVar("T")
Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


def with_server(serve: Serve, test: Callable[[HTTPClient, Target], Awaitable[T]]) -> T:
    """Run `test` with a client, and with the target of a server that serves each connection by `serve`."""

    async def run() -> T:
        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        client = HTTPClient()
        try:
            return await test(client, client.target(URL(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1/chat?a=b")))
        finally:
            await client.aclose()
            server.close()

    return asyncio.run(run())
