"""Whether the translator answers, asked without ever waiting: the supervisor's loop looks between other things."""

from __future__ import annotations

import contextlib
import socket
import time
from collections.abc import Callable
from pathlib import Path

from langop_model.gateway.upstreams.translator_protocol import HEALTH

INTERVAL = 1.0  # seconds between two questions
TIMEOUT = 5.0  # seconds for an answer: translating a large body keeps it busy for one


class TranslatorHealth:
    """Asks on the socket `path`. `up` is what the last question has shown."""

    def __init__(self, path: Path, clock: Callable[[], float] = time.monotonic) -> None:
        self.path = path
        self.clock = clock
        self.up = False
        self._connection: socket.socket | None = None
        self._asked_at = -INTERVAL

    def look(self, is_running: bool) -> None:
        """Ask it, or read its answer."""
        now = self.clock()
        if not is_running:
            self._learn(False)
        elif self._connection is not None:
            self._read(now)
        elif now >= self._asked_at + (INTERVAL if self.up else 0):
            self._asked_at = now
            self._ask()

    def close(self) -> None:
        """Ask no more."""
        self._learn(False)

    def _ask(self) -> None:
        connection = socket.socket(socket.AF_UNIX)
        connection.setblocking(False)
        self._connection = connection
        try:
            connection.connect(str(self.path))
            connection.sendall(f"GET {HEALTH} HTTP/1.1\r\nHost: translator\r\nConnection: close\r\n\r\n".encode())
        except OSError:  # it does not listen yet, or no longer
            self._learn(False)

    def _read(self, now: float) -> None:
        assert self._connection is not None  # noqa: S101 - the caller has looked
        try:
            answer = self._connection.recv(64)
        except BlockingIOError:
            if now > self._asked_at + TIMEOUT:
                self._learn(False)
            return
        except OSError:
            answer = b""
        self._learn(answer.startswith(b"HTTP/1.1 200"))

    def _learn(self, up: bool) -> None:
        self.up = up
        if self._connection is not None:
            with contextlib.suppress(OSError):
                self._connection.close()
            self._connection = None
