"""Sessions of aiohttp to providers, whose requests no stray answer can belong to.

A provider may say more on a connection than it was asked, for example a second answer after one that timed out at its proxy.
aiohttp keeps it for the next request on that connection, which may be another caller's. So a connection is looked at once more
before it is used: one with unread bytes is closed.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

import aiohttp

if TYPE_CHECKING:
    from aiohttp.connector import Connection

Handler = Callable[[aiohttp.ClientRequest], Awaitable[aiohttp.ClientResponse]]

KEEP_ALIVE = 4.0  # seconds that an idle connection is kept: the servers of uvicorn and Node.js close it after 5


class StaleConnectionError(aiohttp.ServerDisconnectedError):
    """A pooled connection had unread bytes, and is closed. Nothing was sent: the request can be made on another."""


class ClientRequest(aiohttp.ClientRequest):
    """A request that is sent on a clean connection only."""

    async def send(self, conn: Connection) -> aiohttp.ClientResponse:
        """Send it. Raises StaleConnectionError."""
        if conn.protocol is None or conn.protocol.should_close:
            raise StaleConnectionError
        return await super().send(conn)


def new_session(**options: Any) -> aiohttp.ClientSession:
    """Return a connection pool for requests to providers, with further `options` of aiohttp's session. Needs an event loop."""
    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=0, keepalive_timeout=KEEP_ALIVE, ttl_dns_cache=30),
        cookie_jar=aiohttp.DummyCookieJar(),
        request_class=ClientRequest,
        middlewares=(_on_clean_connection,),
        **options,
    )


async def _on_clean_connection(request: aiohttp.ClientRequest, handler: Handler) -> aiohttp.ClientResponse:
    """Send a request on the first clean connection."""
    while True:
        try:
            return await handler(request)
        except StaleConnectionError:
            continue
