"""HTTP on a worker's connections: uvicorn's, within limits."""

from __future__ import annotations

import asyncio
import functools
import weakref
from collections.abc import Callable, Sequence
from http import HTTPStatus
from typing import Any

from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol, RequestResponseCycle

from langop_model.gateway import end_of_turn
from langop_model.gateway.access import error_formats, open_routes
from langop_model.gateway.asgi import ABORT, WHEN_LEFT, WHOLE_ANSWER, WHOLE_BODY, App
from langop_model.gateway.serving import connections, descriptors
from langop_model.gateway.serving.connections import Connections
from langop_model.gateway.serving.transport import Transport

MAX_HEAD_SIZE = 64 * 1024  # bytes of a request's line and headers; nginx takes 32 KiB, Node.js 16
MAX_HEADERS = 100  # Apache's number
HEAD_TIMEOUT = 10.0  # seconds until a request's head is complete, from its first byte or from the connection's beginning
BODY_GRACE = 1.0  # seconds that a body may still take when the gateway stops
WRITE_TIMEOUT = 60.0  # seconds until a client that reads nothing of its answer is given up
COLON = b": "  # between a header's name and its value


class Protocol(HttpToolsProtocol):  # type: ignore[misc]
    """uvicorn's protocol with limits, on a transport that holds headers back for a moment."""

    def __init__(self, limits: Connections, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self.limits = limits
        self.own_app: App = self.app  # type: ignore[has-type]
        end_of_turn.of(self.loop).requests = self.tasks
        self.in_head = False
        self.received = 0  # bytes of the part that is being read
        self.head_size = 0  # bytes of a head that has begun, or since the last ones of a body: trailers
        self.headers: list[tuple[bytes, bytes]] = []
        self.refusal: tuple[int, str] | None = None
        self.left: Callable[[], None] | None = None  # what is called when the client leaves
        self.head_timer: asyncio.TimerHandle | None = None
        self.write_timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:
        super().connection_made(Transport(transport, self.loop))
        excess = len(self.connections) - self.limits.most
        if excess > 0 and not self.limits.make_room() and excess > descriptors.FOR_PROBES:
            self.limits.say()
            self._refuse(503, connections.FULL, "too_many_connections")
            return
        self.limits.idle[self.transport] = None
        self._expect_head()

    def connection_lost(self, exc: Exception | None) -> None:
        self.limits.idle.pop(self.transport, None)
        for timer in (self.head_timer, self.write_timer):
            if timer is not None:
                timer.cancel()
        super().connection_lost(exc)
        left, self.left = self.left, None
        if left is not None:
            left()
        # Both refer back to this protocol. So does the parser, which uvicorn drops: see on_headers_complete.
        self.cycle = None
        self.scope: dict[str, Any] = {}

    def data_received(self, data: bytes) -> None:
        """Read a part of a request."""
        self.received = len(data)
        super().data_received(data)
        self.head_size += self.received
        if self.head_size > MAX_HEAD_SIZE or len(self.headers) > MAX_HEADERS:
            self._limit_head(self.head_size)
            if self.refusal and not self.transport.is_closing():
                self._refuse(*self.refusal)
        # Also bytes that begin no request, and the rest of a body that was refused, must come to an end.
        waits = self.timeout_keep_alive_task is None and (self.cycle is None or self.cycle.response_complete)
        if self.head_timer is None and (self.in_head or waits):
            self._expect_head()

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self.in_head = True
        self.head_size = min(self.head_size, 0)  # below 0 where the part that is being read holds something else too

    def on_headers_complete(self) -> None:
        self.in_head = False
        if max(self.head_size, 0) + self.received > MAX_HEAD_SIZE or len(self.headers) > MAX_HEADERS:
            self._limit_head(len(self.url) + sum(len(name) + len(value) + 4 for name, value in self.headers))
            if self.refusal:
                raise ValueError(self.refusal[1])  # an error ends the parser, which asks for a 400
        self.head_size = -self.received  # what has been received is not added to what comes
        if self.head_timer is not None:
            self.head_timer.cancel()
            self.head_timer = None
        self.limits.idle.pop(self.transport, None)
        self.app = self.own_app
        if len(self.connections) > self.limits.most and not self._is_probe():
            self.limits.say()
            self.app = connections.full
        super().on_headers_complete()
        # The cycle refers to its scope. If the scope referred to the cycle too, only the garbage collector could free them.
        cycle = weakref.ref(self.cycle)
        self.scope["extensions"] = {
            ABORT: self.abort_answer,
            WHEN_LEFT: self.when_left,
            WHOLE_BODY: functools.partial(_whole_body, cycle),
            WHOLE_ANSWER: functools.partial(_whole_answer, cycle),
        }
        if self.limits.closes_each:
            self.close_after_answer()

    def on_body(self, body: bytes) -> None:
        super().on_body(body)
        self.head_size = -self.received

    def close_after_answer(self) -> None:
        """Tell the client to use another connection next time, with the answer that has not begun yet."""
        if self.cycle is not None and not self.cycle.response_started:
            self.cycle.keep_alive = False

    def abort_answer(self) -> None:
        """Close the connection of an answer whose rest is missing, so that its client does not take it for whole."""
        if self.cycle is not None:
            self.cycle.disconnected = True  # the application has said all, and the server need not remark on it
        self.transport.close()

    def when_left(self, call: Callable[[], None] | None) -> None:
        """Call something when the client leaves, or nothing. A connection has one request at a time that is served."""
        self.left = call

    def on_response_complete(self) -> None:
        self.transport.write_held()
        super().on_response_complete()
        if not self.pipeline and not self.transport.is_closing():
            self.limits.idle[self.transport] = None

    def send_400_response(self, msg: str) -> None:
        """Answer what is not valid HTTP, or breaks a limit, and close."""
        self._refuse(*(self.refusal or (400, msg)))

    def shutdown(self) -> None:
        """Finish what was asked. Half a request can't hold the gateway up."""
        super().shutdown()
        if self._is_incomplete():
            self.loop.call_later(BODY_GRACE, self._close_incomplete)

    def pause_writing(self) -> None:
        """Wait for a client that does not read, for some time."""
        super().pause_writing()
        self.write_timer = self.loop.call_later(WRITE_TIMEOUT, self.transport.abort)

    def resume_writing(self) -> None:
        super().resume_writing()
        if self.write_timer is not None:
            self.write_timer.cancel()
            self.write_timer = None

    def _limit_head(self, size: int) -> None:
        """Note why a head of so many bytes is refused, if it is."""
        if size > MAX_HEAD_SIZE:
            self.refusal = (431, f"the request's head is larger than {MAX_HEAD_SIZE // 1024} KiB")
        elif len(self.headers) > MAX_HEADERS:
            self.refusal = (431, f"the request has more than {MAX_HEADERS} headers")

    def _expect_head(self) -> None:
        self.head_timer = self.loop.call_later(HEAD_TIMEOUT, self._give_head_up)

    def _give_head_up(self) -> None:
        self.head_timer = None
        if self.transport.is_closing():
            return
        if self.in_head:
            self._refuse(408, f"the request's head was not complete within {HEAD_TIMEOUT:.0f} s")
        elif self.cycle is None or self.cycle.response_complete:
            self.transport.close()

    def _is_incomplete(self) -> bool:
        return self.cycle is not None and not self.cycle.response_complete and self.cycle.more_body

    def _close_incomplete(self) -> None:
        if self._is_incomplete():
            self.transport.close()

    def _is_probe(self) -> bool:
        path = self.url.partition(b"?")[0].decode("latin-1")
        return connections.is_probe(self.parser.get_method().decode("latin-1"), path)

    def _refuse(self, status: int, message: str, code: str | None = None) -> None:
        """Answer with an error, unless an answer has begun; and close."""
        if self.cycle is not None and not self.cycle.response_started:
            self.cycle.disconnected = True  # its head was complete and then found wrong: the application writes nothing more
        if self.cycle is None or self.cycle.response_complete or not self.cycle.response_started:
            body = error_formats.error_body(open_routes.Protocol.OPENAI, status, message, code=code)
            phrase = HTTPStatus(status).phrase
            head = (
                f"HTTP/1.1 {status} {phrase}\r\ncontent-type: application/json\r\n"
                f"content-length: {len(body)}\r\nconnection: close\r\n\r\n"
            )
            self.transport.write(head.encode() + body)
        self.transport.close()


def _whole_body(known: weakref.ref[RequestResponseCycle]) -> bytes | None:
    """Take the body of a request that has arrived whole; None where it has not."""
    cycle = known()
    if cycle is None or cycle.more_body or cycle.disconnected:
        return None
    body, cycle.body = bytes(cycle.body), bytearray()
    return body


def _whole_answer(
    known: weakref.ref[RequestResponseCycle], status: int, headers: Sequence[tuple[bytes, bytes]], body: bytes
) -> bool:
    """Answer with a whole body, in half the time of two messages; False where there is more to do than to write it."""
    cycle = known()
    if (
        cycle is None
        or cycle.response_started
        or cycle.disconnected
        or not cycle.keep_alive
        or cycle.flow.write_paused
        or cycle.scope["method"] == "HEAD"
    ):
        return False
    headers = [*cycle.default_headers, *headers]
    head = b"\r\n".join(map(COLON.join, headers))
    breaks = len(headers) - 1
    if b"connection: " in head or head.count(b"\n") != breaks or head.count(b"\r") != breaks or b"\0" in head:
        return False  # uvicorn closes the connection, or refuses the header
    head = b"%b%b\r\ncontent-length: %d\r\n\r\n" % (STATUS_LINE[status], head, len(body))
    cycle.transport.write_whole(head, body)
    cycle.response_started = cycle.response_complete = True
    cycle.on_response()
    return True
