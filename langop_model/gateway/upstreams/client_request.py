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

MAX_STALE_CONNECTIONS = 1_000  # that a request passes over: more than a pool has, and an end for a server that closes them all
KEEP_ALIVE = 4.0  # seconds that an idle connection is kept: the servers of uvicorn and Node.js close it after 5


class StaleConnectionError(aiohttp.ServerDisconnectedError):
    """A pooled connection had unread bytes, and is closed. Nothing was sent: the request can be made on another."""


class ClientRequest(aiohttp.ClientRequest):
    """A request that is sent on a clean connection only."""

    async def send(self, conn: Connection) -> aiohttp.ClientResponse:
        """Send it. Raises StaleConnectionError."""
        if not is_clean(conn):
            raise StaleConnectionError
        return await super().send(conn)


def is_clean(connection: Connection) -> bool:
    """Whether a connection is open, and nothing has been said on it since its last answer."""
    protocol, transport = connection.protocol, connection.transport
    return protocol is not None and transport is not None and not transport.is_closing() and not protocol.should_close


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
    for _ in range(MAX_STALE_CONNECTIONS):
        try:
            return await handler(request)
        except StaleConnectionError:
            continue
    raise aiohttp.ServerDisconnectedError
