"""Requests of aiohttp that no stray answer can belong to.

A provider may say more on a connection than it was asked, for example a second answer after one that timed out at its proxy.
aiohttp keeps it for the next request on that connection, which may be another caller's. So a connection is looked at once more
before it is used: one with unread bytes is closed.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

import aiohttp

if TYPE_CHECKING:
    from aiohttp.connector import Connection

Handler = Callable[[aiohttp.ClientRequest], Awaitable[aiohttp.ClientResponse]]


class StaleConnectionError(aiohttp.ServerDisconnectedError):
    """A pooled connection had unread bytes, and is closed. Nothing was sent: the request can be made on another."""


class ClientRequest(aiohttp.ClientRequest):
    """A request that is sent on a clean connection only."""

    async def send(self, conn: Connection) -> aiohttp.ClientResponse:
        """Send it. Raises StaleConnectionError."""
        if conn.protocol is None or conn.protocol.should_close:
            raise StaleConnectionError
        return await super().send(conn)


async def on_clean_connection(request: aiohttp.ClientRequest, handler: Handler) -> aiohttp.ClientResponse:
    """Send a request on the first clean connection: a middleware for sessions of aiohttp with the class above."""
    while True:
        try:
            return await handler(request)
        except StaleConnectionError:
            continue
