"""Who answers while LiteLLM is being imported: 200 to "are you alive?", 503 to everything else.

A process of its own on the gateway's socket: an import of seconds holds the interpreter's lock, and no thread may live in the
launcher when it forks.
"""

from __future__ import annotations

import contextlib
import json
import signal
import socket
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from langop_model.gateway.serving.channel import Channel

ALIVE = ("/health/liveliness", "/health/liveness")
RETRY_AFTER = 2  # seconds
PATIENCE = 2.0  # seconds for a client to send what it wants
LARGEST_BODY = 1024 * 1024  # bytes that are read away: an answer before the end of a request can get lost


class _Handler(BaseHTTPRequestHandler):
    timeout = PATIENCE

    def _answer(self) -> None:
        with contextlib.suppress(OSError, ValueError):
            self.rfile.read(min(int(self.headers.get("Content-Length") or 0), LARGEST_BODY))
        alive = self.path.split("?")[0] in ALIVE
        error = {"message": "the gateway is starting", "type": "service_unavailable", "code": "503"}
        body = json.dumps("I'm alive!" if alive else {"status": "starting", "error": error}).encode()
        self.send_response(200 if alive else 503)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        if not alive:
            self.send_header("Retry-After", str(RETRY_AFTER))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = do_OPTIONS = _answer  # noqa: N815 - http.server's names

    def log_message(self, *_: Any) -> None:
        """Say nothing: these are probes."""


class _Server(ThreadingHTTPServer):
    daemon_threads = False  # whoever is being answered at the end gets the whole answer

    def __init__(self, listener: socket.socket, channel: Channel) -> None:
        super().__init__(listener.getsockname()[:2], _Handler, bind_and_activate=False)
        self.socket.close()
        self.socket = listener
        self.channel = channel

    def service_actions(self) -> None:
        """Go when the launcher is gone."""
        list(self.channel.receive())
        if self.channel.closed:
            raise SystemExit

    def handle_error(self, *_: Any) -> None:
        """Say nothing: a client went away."""


def serve(listener: socket.socket, channel: Channel) -> None:
    """Answer on `listener` until SIGTERM, or until the launcher's end of `channel` is closed."""
    signal.signal(signal.SIGTERM, _leave)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with contextlib.suppress(SystemExit), _Server(listener, channel) as server:
        server.serve_forever(poll_interval=0.2)


def _leave(*_: Any) -> None:
    raise SystemExit
