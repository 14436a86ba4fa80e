"""Requests to providers over the connections of one aiohttp session.

aiohttp makes the connections (DNS, TLS, proxies) and parses what comes. A request whose body is known and that needs no proxy
is written to its connection at once: aiohttp's own request and response objects take more CPU than the whole exchange
(decision 9).
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Protocol
from urllib.request import getproxies, proxy_bypass

import aiohttp
from aiohttp.http_exceptions import HttpProcessingError
from yarl import URL

from langop_model import __version__
from langop_model.gateway import end_of_turn
from langop_model.gateway.upstreams import client_request
from langop_model.gateway.upstreams.idle_connections import Held, IdleConnections

if TYPE_CHECKING:
    from aiohttp.client_reqrep import ConnectionKey
    from aiohttp.connector import Connection
    from multidict import CIMultiDictProxy

CONNECT_TIMEOUT = 10.0  # seconds; a host that is down is found down long before the answer's own timeout
SWITCHING_PROTOCOLS = 101
OWN = frozenset({"Content-Type", "Content-Length", "Transfer-Encoding"})  # headers that each request has for itself


class Response(Protocol):
    """What the relay needs of an answer: aiohttp's has it, and so has that of a request which is written at once."""

    status: int
    content: aiohttp.StreamReader

    @property
    def headers(self) -> CIMultiDictProxy[str]: ...

    def release(self) -> Any:
        """Keep the connection for another request; it is closed where something of the answer is still to come."""

    def close(self) -> Any:
        """Close the connection."""


class Target:
    """Where requests go, and the proxy on their way. What all of them say is written once.

    `pooled` is such a request as aiohttp makes it: it knows which connections it may use, and has aiohttp's own headers.
    """

    __slots__ = ("idle", "last_head", "last_headers", "pooled", "proxy", "request_line", "standard", "url")

    def __init__(self, url: URL, proxy: str | None, pooled: aiohttp.ClientRequest, idle: IdleConnections) -> None:
        self.url = url
        self.proxy = proxy
        self.pooled = pooled
        self.idle = idle
        self.last_headers: Mapping[str, str] | None = None
        self.last_head = b""
        self.request_line = f"POST {url.raw_path_qs} HTTP/1.1"
        self.standard = [(name.lower(), f"{name}: {value}") for name, value in self.pooled.headers.items() if name not in OWN]

    def head(self, headers: Mapping[str, str], length: int) -> bytes:
        """Return the head of a request with a body of `length` bytes. Raises ValueError for a header with a line break."""
        if headers != self.last_headers:  # mostly they are those of the request before
            self.last_head, self.last_headers = self._head(headers), dict(headers)
        return b"%bContent-Length: %d\r\n\r\n" % (self.last_head, length)

    def _head(self, headers: Mapping[str, str]) -> bytes:
        names = {name.lower() for name in headers}
        lines = [self.request_line]
        lines += [line for name, line in self.standard if name not in names]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        lines.append("")
        text = "\r\n".join(lines)
        breaks = len(lines) - 1
        if text.count("\n") != breaks or text.count("\r") != breaks or "\0" in text:
            raise ValueError("a header holds a line break")
        return text.encode()


class HTTPClient:
    """The connections of one worker to all providers. Redirects are not followed: they would carry a key to another host."""

    def __init__(self) -> None:
        self.session = client_request.new_session(
            timeout=aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_TIMEOUT),
            auto_decompress=False,  # identity is asked for; anything else is decoded within a limit (answers.py)
            headers={"User-Agent": f"langop-model/{__version__}", "Accept-Encoding": "identity"},
        )
        self.proxies = getproxies()
        self.idle: dict[ConnectionKey, IdleConnections] = {}
        self.turn = end_of_turn.of(asyncio.get_running_loop())

    def target(self, url: URL) -> Target:
        """Return where requests for a URL go: to its host, or by the proxy of the environment (HTTPS_PROXY, NO_PROXY)."""
        loop = asyncio.get_running_loop()
        pooled = aiohttp.ClientRequest("POST", url, headers=self.session.headers, loop=loop, session=self.session)
        idle = self.idle.get(pooled.connection_key)
        if idle is None:
            idle = self.idle[pooled.connection_key] = IdleConnections(loop)
        return Target(url, self._proxy(url), pooled, idle)

    async def post(self, target: Target, headers: Mapping[str, str], data: bytes | aiohttp.FormData) -> Response:
        """Send a request, and return its answer when its head has arrived.

        Raises aiohttp.ClientError, OSError, and ValueError for a header that is none.
        """
        if target.proxy is not None or not isinstance(data, bytes):
            return await self.session.post(target.url, data=data, headers=headers, proxy=target.proxy, allow_redirects=False)
        head = target.head(headers, len(data))
        held = target.idle.take() or Held(await self._connect(target), self.turn.loop.time())
        connection = held.connection
        protocol, transport = connection.protocol, connection.transport
        assert protocol is not None and transport is not None  # noqa: S101, PT018 - it was looked at
        try:
            self.turn.write(transport, (head, data))
            message, content = await protocol.read()
            while message.code < 200 and message.code != SWITCHING_PROTOCOLS:
                message, content = await protocol.read()
        except HttpProcessingError as problem:
            connection.close()
            raise aiohttp.ClientResponseError(target.pooled.request_info, (), message=problem.message) from None
        except BaseException:
            connection.close()
            raise
        closed = None if content.is_eof() else protocol.closed
        return DirectResponse(message.code, message.headers, content, held, target.idle, closed)

    async def get(self, url: str, headers: Mapping[str, str]) -> int:
        """Return the status that a URL answers with. Raises aiohttp.ClientError or OSError."""
        proxy = self._proxy(URL(url))
        async with self.session.get(url, headers=headers, proxy=proxy, allow_redirects=False) as response:
            return response.status

    async def aclose(self) -> None:
        """Close the connections."""
        for idle in self.idle.values():
            idle.close()
        await self.session.close()

    async def _connect(self, target: Target) -> Connection:
        """Return another connection: a new one, or one of the session's that nothing has been said on.

        Its parser reads all answers that come on it.
        """
        connector, timeout = self.session.connector, self.session.timeout
        assert connector is not None  # noqa: S101 - the session is open as long as requests are served
        for _ in range(client_request.MAX_STALE_CONNECTIONS):
            try:
                connection = await connector.connect(target.pooled, [], timeout)
            except TimeoutError as problem:
                raise aiohttp.ConnectionTimeoutError from problem
            if client_request.is_clean(connection) and connection.protocol is not None:
                connection.protocol.set_response_params(read_until_eof=True, auto_decompress=False)
                return connection
            connection.close()
        raise aiohttp.ServerDisconnectedError

    def _proxy(self, url: URL) -> str | None:
        if not self.proxies or not url.host or proxy_bypass(url.host):
            return None
        return self.proxies.get(url.scheme) or self.proxies.get("all")


class DirectResponse:
    """An answer, and the connection that it comes on, one of `idle` afterwards; `closed` is done when that is lost."""

    __slots__ = ("closed", "content", "headers", "held", "idle", "status")

    def __init__(
        self,
        status: int,
        headers: CIMultiDictProxy[str],
        content: aiohttp.StreamReader,
        held: Held,
        idle: IdleConnections,
        closed: asyncio.Future[None] | None,
    ) -> None:
        self.status = status
        self.headers = headers
        self.content = content
        self.held: Held | None = held
        self.idle = idle
        self.closed = closed
        if closed is not None:
            closed.add_done_callback(self._lost)

    def release(self) -> None:
        """Keep the connection for another request; it is closed where something of this one is still on its way."""
        held = self._give_up()
        if held is None:
            return
        transport = held.connection.transport
        if transport is not None and transport.get_write_buffer_size():
            held.connection.close()
        else:
            self.idle.keep(held)

    def close(self) -> None:
        """Close the connection."""
        held = self._give_up()
        if held is not None:
            held.connection.close()

    def _give_up(self) -> Held | None:
        """Return the connection, which is not this answer's any more; None where that was so already."""
        held, self.held = self.held, None
        closed, self.closed = self.closed, None
        if closed is not None:
            closed.remove_done_callback(self._lost)
            closed.remove_done_callback(_noted)
            closed.add_done_callback(_noted)
        return held

    def _lost(self, closed: asyncio.Future[None]) -> None:
        """End the answer: aiohttp closes a connection with malformed chunks, and lets the reader wait."""
        _noted(closed)
        if not self.content.is_eof() and self.content.exception() is None:
            self.content.set_exception(aiohttp.ClientPayloadError("the connection was lost"))


def _noted(closed: asyncio.Future[None]) -> None:
    """Take notice of how a connection ended: asyncio logs what nobody has."""
    if not closed.cancelled():
        closed.exception()
