"""A worker's connections, with a small application behind them: what a client may cost, and probes among many."""

from __future__ import annotations

import asyncio
import gc
import json
from collections import Counter
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from uvicorn.protocols.http.httptools_impl import RequestResponseCycle

from langop_model.gateway.asgi import WHEN_LEFT, WHOLE_BODY
from langop_model.gateway.serving import descriptors, protocol
from langop_model.gateway.serving.connections import Connections
from langop_model.gateway.serving.protocol import Protocol
from tests.unit.gateway.serving.server import Server, serving

GET = b"GET /health/readiness HTTP/1.1\r\nhost: x\r\n\r\n"
ASK = b"GET /v1/models HTTP/1.1\r\nhost: x\r\n\r\n"
SLOW = b"GET /slow HTTP/1.1\r\nhost: x\r\n\r\n"

Test = Callable[["Served"], Awaitable[None]]


class Served:
    """A server, and connections to it."""

    server: Server

    def __init__(self, limits: Connections) -> None:
        self.limits = limits
        self.release = asyncio.Event()
        self.bodies: list[bytes | None] = []
        self.has_left = asyncio.Event()

    async def app(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["path"] == "/slow":
            await self.release.wait()
        if scope["path"] == "/body":
            message = await receive()
            self.bodies.append(message.get("body", b""))
        if scope["path"].startswith("/whole"):
            self.bodies.append(scope["extensions"][WHOLE_BODY]())
        when_left = scope["extensions"][WHEN_LEFT]
        if scope["path"].startswith("/whole"):
            when_left(self.has_left.set)
        if scope["path"] == "/whole/waits":
            await self.has_left.wait()
            return
        when_left(None)
        content = b"x" * (32 * 2**20) if scope["path"] == "/large" else b"ok"
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"%d" % len(content))]})
        await send({"type": "http.response.body", "body": content})

    async def open(self, *parts: bytes) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        reader, writer = await asyncio.open_connection("127.0.0.1", self.server.port, limit=2**26)
        for part in parts:
            writer.write(part)
            await asyncio.sleep(0)
        return reader, writer

    async def ask(self, *parts: bytes) -> tuple[int, Any]:
        """Return the status and the body of the answer on a connection of its own; 0 where it is closed without one."""
        reader, writer = await self.open(*parts)
        try:
            return await answer(reader)
        finally:
            writer.close()

    def shut_down(self) -> None:
        for connection in list(self.server.state.connections):
            connection.shutdown()


async def answer(reader: asyncio.StreamReader) -> tuple[int, Any]:
    head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 10)
    length = int(head.lower().partition(b"content-length: ")[2].split(b"\r\n")[0])
    body = await reader.readexactly(length)
    return int(head.split()[1]), json.loads(body) if body.startswith(b"{") else body


async def is_closed(reader: asyncio.StreamReader) -> bool:
    return await asyncio.wait_for(reader.read(), 10) == b""


def run(test: Test, most: int = 100) -> None:
    async def serve() -> None:
        served = Served(Connections(most))
        async with serving(served.app, served.limits) as served.server:
            try:
                await test(served)
            finally:
                served.release.set()

    asyncio.run(serve())


def alive() -> Counter[type]:
    """Return how many connections and requests there are, also of servers of other tests."""
    return Counter(type(each) for each in gc.get_objects() if type(each) in (Protocol, RequestResponseCycle))


@pytest.mark.usefixtures("no_collector")
def test_a_request_that_is_over_leaves_nothing_in_memory():
    async def test(served: Served) -> None:
        before = alive()
        reader, writer = await served.open()
        for path in (b"/whole", b"/"):
            for _ in range(10):
                writer.write(b"POST %b HTTP/1.1\r\nhost: x\r\ncontent-length: 2\r\n\r\n{}" % path)
                assert await answer(reader) == (200, b"ok")
        assert alive() - before == {Protocol: 1, RequestResponseCycle: 1}  # the connection knows its last request
        writer.close()

    run(test)


@pytest.mark.usefixtures("no_collector")
@pytest.mark.parametrize("parts", [(ASK,), (ASK, ASK), (SLOW,), ()], ids=["answered", "twice", "left", "idle"])
def test_a_connection_that_is_closed_leaves_nothing_in_memory(parts: tuple[bytes, ...]):
    async def test(served: Served) -> None:
        before = alive()
        reader, writer = await served.open(*parts)
        for _ in parts if SLOW not in parts else ():
            await answer(reader)
        assert (alive() - before)[Protocol] == 1
        writer.close()
        del reader, writer
        served.release.set()
        async with asyncio.timeout(10):
            while served.server.state.connections or served.server.state.tasks:
                await asyncio.sleep(0.01)
        await asyncio.sleep(0.01)
        assert alive() - before == {}

    run(test)


def test_a_head_larger_than_the_limit_is_refused_before_it_is_complete():
    async def test(served: Served) -> None:
        status, body = await served.ask(b"GET / HTTP/1.1\r\nx: " + b"a" * (protocol.MAX_HEAD_SIZE + 1))
        assert (status, body["error"]["message"]) == (431, "the request's head is larger than 64 KiB")

    run(test)


def test_many_small_headers_count_too():
    async def test(served: Served) -> None:
        headers = b"".join(b"x%d: 1\r\n" % number for number in range(protocol.MAX_HEADERS + 1))
        status, body = await served.ask(b"GET / HTTP/1.1\r\n" + headers + b"\r\n")
        assert (status, body["error"]["message"]) == (431, "the request has more than 100 headers")

    run(test)


def test_a_head_within_the_limits_is_answered():
    async def test(served: Served) -> None:
        headers = b"".join(b"x%d: %s\r\n" % (number, b"a" * 600) for number in range(protocol.MAX_HEADERS - 1))
        assert await served.ask(b"GET / HTTP/1.1\r\n" + headers + b"\r\n") == (200, b"ok")

    run(test)


def test_a_large_head_behind_another_request_is_refused():
    async def test(served: Served) -> None:
        large = b"GET / HTTP/1.1\r\nx: " + b"a" * protocol.MAX_HEAD_SIZE + b"\r\n\r\n"
        status, body = await served.ask(b"GET / HTTP/1.1\r\n\r\n" + large)
        assert (status, body["error"]["message"]) == (431, "the request's head is larger than 64 KiB")

    run(test)


CHUNKED = b"POST /slow HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\n1\r\na\r\n0\r\n"


@pytest.mark.parametrize(
    ("trailers", "problem"),
    [
        (b"".join(b"x%d: 1\r\n" % number for number in range(protocol.MAX_HEADERS + 1)), "more than 100 headers"),
        (b"x: " + b"a" * protocol.MAX_HEAD_SIZE, "larger than 64 KiB"),
    ],
    ids=["many", "large"],
)
def test_headers_after_a_body_count_too(trailers: bytes, problem: str):
    async def test(served: Served) -> None:
        reader, writer = await served.open(CHUNKED)
        await asyncio.sleep(0.02)
        writer.write(trailers)
        status, body = await answer(reader)
        assert (status, problem in body["error"]["message"]) == (431, True)
        writer.close()

    run(test)


def test_a_body_is_no_head_however_large_it_is():
    async def test(served: Served) -> None:
        part = b"a" * protocol.MAX_HEAD_SIZE
        head = b"POST /body HTTP/1.1\r\ncontent-length: %d\r\n\r\n" % (4 * len(part))
        assert await served.ask(head, part, part, part, part) == (200, b"ok")

    run(test)


async def in_one_part(served: Served, part: bytes) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """Return a connection on which a part has arrived that a socket might have split."""
    reader, writer = await served.open()
    await until(lambda: bool(served.server.state.connections))
    [connection] = served.server.state.connections
    connection.data_received(part)
    return reader, writer


def test_the_heads_of_many_requests_in_one_part_are_no_large_head():
    async def test(served: Served) -> None:
        number = protocol.MAX_HEAD_SIZE // 600 + 1
        request = b"GET / HTTP/1.1\r\nx: " + b"a" * 600 + b"\r\n\r\n"
        reader, writer = await in_one_part(served, request * number)
        assert {await answer(reader) for _ in range(number)} == {(200, b"ok")}
        writer.close()

    run(test)


def test_a_head_that_begins_behind_a_large_body_is_no_large_head():
    async def test(served: Served) -> None:
        size = 2 * protocol.MAX_HEAD_SIZE
        body = b"POST / HTTP/1.1\r\ncontent-length: %d\r\n\r\n" % size + b"a" * size
        reader, writer = await in_one_part(served, body + b"GET / HTTP/1.1\r\n")
        assert await answer(reader) == (200, b"ok")
        writer.write(b"x: 1\r\n\r\n")
        assert await answer(reader) == (200, b"ok")
        writer.close()

    run(test)


def test_an_answer_without_a_body_is_sent_too():
    async def test(served: Served) -> None:
        reader, writer = await served.open(b"HEAD / HTTP/1.1\r\n\r\n")
        head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), served.server.config.timeout_keep_alive / 2)
        assert b"content-length: 2" in head
        writer.close()

    run(test)


def test_what_is_no_http_is_refused_as_json():
    async def test(served: Served) -> None:
        status, body = await served.ask(b"\x16\x03\x01 TLS\r\n\r\n")
        assert (status, body["error"]["type"]) == (400, "invalid_request_error")

    run(test)


def test_a_head_that_is_not_complete_in_time_is_refused(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(protocol, "HEAD_TIMEOUT", 0.2)

    async def test(served: Served) -> None:
        assert (await served.ask(b"GET / HTTP/1.1\r\n"))[0] == 408

    run(test)


@pytest.mark.parametrize("sent", [b"", b"\r\n"])
def test_a_connection_on_which_nothing_is_asked_is_closed(monkeypatch: pytest.MonkeyPatch, sent: bytes):
    monkeypatch.setattr(protocol, "HEAD_TIMEOUT", 0.2)

    async def test(served: Served) -> None:
        reader, writer = await served.open(sent)
        assert await is_closed(reader)
        writer.close()

    run(test)


def test_a_second_request_has_the_same_time_for_its_head(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(protocol, "HEAD_TIMEOUT", 0.2)

    async def test(served: Served) -> None:
        reader, writer = await served.open(GET)
        assert (await answer(reader))[0] == 200
        writer.write(GET[:20])
        assert (await answer(reader))[0] == 408
        writer.close()

    run(test)


def test_a_client_that_reads_nothing_of_its_answer_is_given_up(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(protocol, "WRITE_TIMEOUT", 0.2)

    async def test(served: Served) -> None:
        reader, writer = await served.open(b"GET /large HTTP/1.1\r\n\r\n")
        writer.transport.pause_reading()  # type: ignore[attr-defined]
        await until(lambda: bool(served.server.state.connections))
        await until(lambda: not served.server.state.connections)
        assert reader is not None
        writer.close()

    run(test)


def test_a_new_connection_takes_the_place_of_the_one_that_was_idle_longest():
    async def test(served: Served) -> None:
        first, second = await served.open(), await served.open()
        await until(lambda: len(served.limits.idle) == 2)
        assert await served.ask(ASK) == (200, b"ok")
        assert await is_closed(first[0])
        second[1].write(ASK)
        assert await answer(second[0]) == (200, b"ok")
        for _, writer in (first, second):
            writer.close()

    run(test, most=2)


def posted(path: str, body: bytes) -> bytes:
    return b"POST %s HTTP/1.1\r\nhost: x\r\ncontent-length: %d\r\n\r\n%s" % (path.encode(), len(body), body)


def test_a_body_that_arrives_with_its_head_is_taken_whole():
    async def test(served: Served) -> None:
        assert await served.ask(posted("/whole", b"first") + posted("/whole", b"second")) == (200, b"ok")
        await until(lambda: len(served.bodies) == 2)
        assert served.bodies == [b"first", b"second"]

    run(test)


def test_a_body_of_which_a_part_is_missing_is_to_be_received():
    async def test(served: Served) -> None:
        _, writer = await served.open(posted("/whole/waits", b"first")[:-1])
        await until(lambda: bool(served.bodies))
        assert served.bodies == [None]
        writer.close()

    run(test)


def test_a_client_that_leaves_after_its_answer_ends_no_request():
    async def test(served: Served) -> None:
        reader, writer = await served.open(posted("/whole", b"first"))
        assert await answer(reader) == (200, b"ok")
        writer.close()
        await until(lambda: not served.server.state.connections)
        assert not served.has_left.is_set()

    run(test)


def test_a_client_that_leaves_before_its_answer_is_seen_to_leave():
    async def test(served: Served) -> None:
        _, writer = await served.open(posted("/whole/waits", b"first"))
        await until(lambda: bool(served.bodies))
        assert not served.has_left.is_set()
        writer.close()
        await asyncio.wait_for(served.has_left.wait(), 10)

    run(test)


def test_where_all_connections_are_busy_only_probes_are_answered():
    async def test(served: Served) -> None:
        busy = [await served.open(SLOW) for _ in range(2)]
        await until(lambda: len(served.server.state.tasks) == 2)
        status, body = await served.ask(ASK)
        assert (status, body["error"]["code"]) == (503, "too_many_connections")
        assert await served.ask(GET) == (200, b"ok")
        served.release.set()
        for reader, writer in busy:
            assert await answer(reader) == (200, b"ok")
            writer.close()

    run(test, most=2)


def test_beyond_the_connections_for_probes_nobody_is_accepted(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(descriptors, "FOR_PROBES", 0)

    async def test(served: Served) -> None:
        _, writer = await served.open(SLOW)
        await until(lambda: len(served.server.state.tasks) == 1)
        assert (await served.ask(GET))[0] == 503
        writer.close()

    run(test, most=1)


def test_told_to_stop_half_a_body_is_not_waited_for(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(protocol, "BODY_GRACE", 0.1)

    async def test(served: Served) -> None:
        reader, writer = await served.open(b"POST /slow HTTP/1.1\r\ncontent-length: 10\r\n\r\n12345")
        await until(lambda: len(served.server.state.tasks) == 1)
        served.shut_down()
        assert await is_closed(reader)
        writer.close()

    run(test)


def test_told_to_stop_a_request_that_is_complete_is_answered(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(protocol, "BODY_GRACE", 0.0)

    async def test(served: Served) -> None:
        reader, writer = await served.open(b"POST /slow HTTP/1.1\r\ncontent-length: 5\r\n\r\n12345")
        await until(lambda: len(served.server.state.tasks) == 1)
        served.shut_down()
        await asyncio.sleep(0.05)
        served.release.set()
        assert await answer(reader) == (200, b"ok")
        writer.close()

    run(test)


def test_half_of_the_descriptors_are_for_clients(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("resource.getrlimit", lambda _: (256, 256))
    assert descriptors.most_connections() == 80


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not condition():
            await asyncio.sleep(0.01)
