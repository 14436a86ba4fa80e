"""How many connections a worker has at a time, and what becomes of those that are too many.

Each request may need a second connection, to a provider, so half of the descriptors are for clients. A new connection above
that takes the place of the one that has been idle longest. Where all are busy, a few more are accepted, on which probes are
answered: a gateway that has no room is not dead. Everybody else is answered with 503.
"""

from __future__ import annotations

import logging
import time
from typing import Any

from langop_model.gateway.access import error_formats, open_routes
from langop_model.gateway.access.open_routes import Purpose
from langop_model.gateway.asgi import Message, Receive, Send
from langop_model.gateway.serving.descriptors import most_connections
from langop_model.gateway.serving.transport import Transport

FULL = "this gateway has as many connections as it can serve: try again"
SAID_EVERY = 60.0  # seconds between two lines that say so
PROBES = (Purpose.LIVENESS, Purpose.READINESS)

log = logging.getLogger("langop.connections")


class Connections:
    """The connections of a worker on which nothing is being answered, the longest idle first, and how many there may be."""

    def __init__(self, most: int | None = None) -> None:
        self.most = most if most is not None else most_connections()
        self.idle: dict[Transport, None] = {}
        self.closes_each = False  # each answer ends its connection: the worker is retired
        self._said_at: float | None = None

    def make_room(self) -> bool:
        """Close the connection that has been idle longest. Return False where all are busy."""
        oldest = next(iter(self.idle), None)
        if oldest is None:
            return False
        del self.idle[oldest]
        oldest.close()
        return True

    def say(self) -> None:
        """Log that there are too many, at most once a minute."""
        now = time.monotonic()
        if self._said_at is None or now - self._said_at >= SAID_EVERY:
            self._said_at = now
            log.warning("all %d connections are busy: further requests are answered with 503", self.most)


def is_probe(method: str, path: str) -> bool:
    """Whether a request is one of Kubernetes' probes."""
    route = open_routes.find(method, path)
    return route is not None and route.purpose in PROBES


async def full(scope: Message, _: Receive, send: Send) -> None:
    """Answer a request with 503 (an ASGI application)."""
    route = open_routes.find(scope["method"], scope["path"])
    protocol = route.protocol if route is not None else open_routes.Protocol.OPENAI
    body = error_formats.error_body(protocol, 503, FULL, code="too_many_connections")
    headers: list[tuple[bytes, bytes]] = [
        (b"content-type", b"application/json"),
        (b"content-length", b"%d" % len(body)),
        (b"retry-after", b"1"),
        (b"connection", b"close"),
    ]
    start: dict[str, Any] = {"type": "http.response.start", "status": 503, "headers": headers}
    await send(start)
    await send({"type": "http.response.body", "body": body})
