"""The stand-in itself: one HTTP server for all protocols and endpoints."""

from __future__ import annotations

import asyncio
import re
import socket
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Self, Unpack

import uvicorn

from stand_in import google
from stand_in.application import Application
from stand_in.behaviour import EVERYWHERE, Behaviour, Behaviours
from stand_in.recording import Recorder

if TYPE_CHECKING:
    from stand_in.recording import Seen

LABEL = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*")
# As a label, one of these would hide the paths of a protocol that begin with it.
NO_LABELS = {"chat", "completions", "embeddings", "model", "models", "openai", "responses", "token", "v1", "v1beta"}
START_TIMEOUT = 10.0  # seconds


class StandIn:
    """A provider on loopback, in a thread of its own: `with StandIn() as provider: provider.url`.

    port: 0 picks a free one. keep: how many of the most recent requests are kept.
    """

    def __init__(self, port: int = 0, host: str = "127.0.0.1", keep: int = 100_000) -> None:
        self.port = port
        self.host = host
        self._recorder = Recorder(keep)
        self._behaviours = Behaviours()
        self._application = Application(self._recorder, self._behaviours, self._drop)
        self._running = threading.Event()
        self._thread: threading.Thread | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._server = uvicorn.Server(
            uvicorn.Config(
                self._application,
                lifespan="off",
                ws="none",
                proxy_headers=False,
                access_log=False,
                # How the process logs is not the stand-in's business: it may be a test's.
                log_config=None,
                log_level=None,
                timeout_graceful_shutdown=1,
                # A test's event loop stands still between two requests: it would not see that a connection is closed.
                timeout_keep_alive=3600,
            )
        )

    def __enter__(self) -> Self:
        """Start."""
        return self.start()

    def __exit__(self, *_: object) -> None:
        """Stop."""
        self.stop()

    def start(self) -> Self:
        """Serve in a thread. Requests may come when this returns."""
        listening = self._listen()
        self._thread = threading.Thread(target=self._run, args=[listening], name="stand-in", daemon=True)
        self._thread.start()
        if not self._running.wait(START_TIMEOUT):
            raise TimeoutError(f"the stand-in does not start within {START_TIMEOUT:g} s")
        return self

    def stop(self) -> None:
        """Drop all connections and end the thread."""
        if self._thread is not None:
            self._call(self._shut_down)
            self._thread.join()

    def serve(self, ready: Callable[[], None]) -> None:
        """Serve in this thread until SIGINT or SIGTERM; `ready` is called when the port is known."""
        listening = self._listen()
        ready()
        self._run(listening)

    @property
    def url(self) -> str:
        """The server's root, without a slash at the end."""
        return f"http://{self.host}:{self.port}"

    def base(self, endpoint: str) -> str:
        """Return the root of an endpoint with this label. It can have a behaviour of its own."""
        if not LABEL.fullmatch(endpoint) or endpoint in NO_LABELS:
            raise ValueError(f"{endpoint!r} can't be an endpoint's label")
        self._application.endpoints.add(endpoint)
        return f"{self.url}/{endpoint}"

    def service_account(self, project: str = "stand-in") -> str:
        """Return the JSON of a Google service account whose token comes from here."""
        return google.service_account(self.url + google.TOKEN_PATH, project)

    def behave(self, endpoint: str = EVERYWHERE, **behaviour: Unpack[Behaviour]) -> None:
        """Replace the behaviour of an endpoint, or of all that have none of their own. With none given: normal.

        It holds for the requests that arrive from now on, except exchanges for a token.
        """
        if endpoint != EVERYWHERE and endpoint not in self._application.endpoints:
            raise ValueError(f"no endpoint {endpoint!r}: register it with base()")
        self._behaviours.tell(endpoint, behaviour)

    def release(self) -> None:
        """Answer the requests that hang now."""
        self._call(self._application.release)

    def reset(self) -> None:
        """Release what hangs, behave normally everywhere, and forget what was seen."""
        self._behaviours.forget()
        self.release()
        self.clear()

    @property
    def requests(self) -> list[Seen]:
        """The requests until now in the order of their arrival, exchanges for a token included."""
        return self._recorder.requests

    @property
    def in_flight(self) -> int:
        """How many requests are being answered now: a stream until its last chunk, or until its client leaves."""
        return self._recorder.in_flight

    @property
    def most_in_flight(self) -> int:
        """The peak of `in_flight` since the start or `clear()`."""
        return self._recorder.most_in_flight

    def clear(self) -> None:
        """Forget the requests and the peak. Requests in flight still count as such."""
        self._recorder.clear()

    def wait_until(self, condition: Callable[[], bool], timeout: float = 5.0) -> None:
        """Wait until a condition on what was seen holds; TimeoutError after `timeout` seconds."""
        self._recorder.wait_until(condition, timeout)

    def _listen(self) -> socket.socket:
        listening = socket.create_server((self.host, self.port), backlog=2048)
        self.port = listening.getsockname()[1]
        return listening

    def _run(self, listening: socket.socket) -> None:
        with asyncio.Runner(loop_factory=self._server.config.get_loop_factory()) as runner:
            runner.run(self._serve(listening))

    async def _serve(self, listening: socket.socket) -> None:
        self._loop = asyncio.get_running_loop()
        self._running.set()
        await self._server.serve(sockets=[listening])

    def _call(self, function: Callable[[], None]) -> None:
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(function)

    def _shut_down(self) -> None:
        self._server.should_exit = True
        # At once, although the server would do so by itself: a client that tries again is to be refused, not to hang.
        for listener in getattr(self._server, "servers", ()):
            listener.close()
        for connection in list(self._server.server_state.connections):
            connection.transport.close()

    def _drop(self, client: object) -> None:
        for connection in list(self._server.server_state.connections):
            if connection.client == client:
                connection.transport.close()
