"""A worker: a process that serves requests, forked by the supervisor (supervisor.py).

Everything with a thread or an event loop is built here and not before the fork. What the supervisor says on the channel:
`retire` (a successor is ready: finish quietly) and `drain` (the gateway stops). What the worker says: `ready`, or `failed`
with the reason.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import signal
import socket
import time
from collections.abc import Awaitable, Iterator
from typing import Any

import uvicorn

from langop_model.gateway.asgi import App, Message, Receive, Send
from langop_model.gateway.serving.channel import Channel
from langop_model.gateway.serving.connections import Connections
from langop_model.gateway.serving.protocol import Protocol

# Seconds that an idle connection stays open. httpx and OpenAI's SDK give one up after 5, aiohttp after 15: the client closes
# first, and never writes a request into a connection that is just being closed here.
KEEP_ALIVE = 20


class Server(uvicorn.Server):  # type: ignore[misc]
    """uvicorn on a socket that it shares, obeying its channel instead of signals."""

    def __init__(self, config: uvicorn.Config, channel: Channel, limits: Connections) -> None:
        super().__init__(config)
        self.channel = channel
        self.limits = limits
        self.quiet_since: float | None = None  # since when nothing has been in progress; None before `retire`

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Load the configuration, accept connections, and say so."""
        await super().startup(sockets=sockets)
        asyncio.get_running_loop().add_reader(self.channel.fileno(), self._listen)
        self.channel.send("ready")

    def _listen(self) -> None:
        for word, _ in self.channel.receive():
            if word == "retire":
                self._retire()
            elif word == "drain":
                self.should_exit = True
        if self.channel.closed:  # the supervisor is gone
            asyncio.get_running_loop().remove_reader(self.channel.fileno())
            self.should_exit = True

    def _retire(self) -> None:
        """Accept no connection any more, and ask the clients of the open ones to come again on another."""
        self.limits.closes_each = True
        for connection in self.server_state.connections:
            connection.close_after_answer()
        self.quiet_since = time.monotonic()
        for server in self.servers:
            server.close()

    async def on_tick(self, counter: int) -> bool:
        """Say ten times a second whether it is time to go.

        A retired worker goes when its last connection is closed. An idle one is closed by its client, or here after
        KEEP_ALIVE as ever; so a connection on which nothing was ever asked can't hold it.
        """
        if self.quiet_since is not None:
            if self.server_state.tasks:
                self.quiet_since = time.monotonic()
            if not self.server_state.connections or time.monotonic() - self.quiet_since > KEEP_ALIVE + 1:
                return True
        return bool(await super().on_tick(counter))

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Drain on SIGTERM. SIGINT goes to everyone at a terminal: there the supervisor decides."""
        signal.signal(signal.SIGTERM, lambda *_: setattr(self, "should_exit", True))
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        yield


class StartupFailure:
    """ASGI middleware: keeps the error that kept the application from starting as one line, instead of a traceback."""

    def __init__(self, app: App) -> None:
        self.app = app
        self.reason = ""

    def __call__(self, scope: Message, receive: Receive, send: Send) -> Awaitable[None]:
        """Serve a request, or follow the server's life."""
        return self._start(scope, receive, send) if scope["type"] == "lifespan" else self.app(scope, receive, send)

    async def _start(self, scope: Message, receive: Receive, send: Send) -> None:
        async def silent_send(message: Message) -> None:
            await send({**message, "message": ""} if message["type"] == "lifespan.startup.failed" else message)

        try:
            await self.app(scope, receive, silent_send)
        except BaseException as problem:
            text = " ".join(str(problem).split())
            self.reason = f"{type(problem).__name__}: {text}" if text else type(problem).__name__
            raise


def run(app: App, listener: socket.socket, channel: Channel, settings: dict[str, Any]) -> None:
    """Serve `app` on `listener` until told to stop, and every request that was begun. `settings` are uvicorn's.

    Raises SystemExit with uvicorn's code when the application does not start; the supervisor knows why.
    """
    failure = StartupFailure(app)
    limits = Connections()
    config = uvicorn.Config(
        failure,
        interface="asgi3",  # uvicorn looks for `async def`; a function that returns what is awaited saves a coroutine
        loop="uvloop",
        http=functools.partial(Protocol, limits),
        ws="none",
        lifespan="on",
        timeout_keep_alive=KEEP_ALIVE,
        # Headers of a proxy in front say whom it serves: nobody asks that here, and any client may write them.
        proxy_headers=False,
        server_header=False,  # clients learn nothing of what serves
        **settings,
    )
    try:
        Server(config, channel, limits).run(sockets=[listener])
    except SystemExit:
        channel.send("failed", failure.reason)
        raise
