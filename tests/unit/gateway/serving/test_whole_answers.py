"""An answer that is handed to the server whole is the same bytes as one that is sent in messages."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from langop_model.gateway.asgi import WHOLE_ANSWER
from langop_model.gateway.serving.connections import Connections
from tests.unit.gateway.serving.server import serving

POST = b"POST %b HTTP/1.1\r\nhost: x\r\ncontent-length: 2\r\n\r\n{}"
HEADERS = [(b"content-type", b"application/json"), (b"x-langop-model", b"m")]
BODY = b'{"a": 1}'

Headers = list[tuple[bytes, bytes]]
Open = Callable[[], Awaitable[tuple[asyncio.StreamReader, asyncio.StreamWriter]]]


class App:
    """Hands its answers over whole where the server takes them so, but for the path /messages; notes what the server said."""

    def __init__(self, *more: tuple[bytes, bytes]) -> None:
        self.headers: Headers = [*HEADERS, *more]
        self.taken: list[bool] = []

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        await receive()
        await self.answer(scope, receive, send)

    async def answer(self, scope: Any, _: Any, send: Any) -> None:
        if scope["path"] != "/messages":
            self.taken.append(scope["extensions"][WHOLE_ANSWER](200, self.headers, BODY))
            if self.taken[-1]:
                return
        await self.send(send)

    async def send(self, send: Any) -> None:
        length = (b"content-length", b"%d" % len(BODY))
        await send({"type": "http.response.start", "status": 200, "headers": [*self.headers, length]})
        await send({"type": "http.response.body", "body": BODY})


def run(app: App, test: Callable[[Open], Awaitable[None]]) -> None:
    async def serve() -> None:
        async with serving(app, Connections()) as server:
            await asyncio.wait_for(test(lambda: asyncio.open_connection("127.0.0.1", server.port)), 10)

    asyncio.run(serve())


async def answer(reader: asyncio.StreamReader) -> bytes:
    head = await reader.readuntil(b"\r\n\r\n")
    return head + await reader.readexactly(len(BODY))


def test_it_has_the_bytes_of_one_in_messages():
    app, found = App(), []

    async def test(connect: Open) -> None:
        reader, writer = await connect()
        for path in (b"/messages", b"/", b"/"):  # on one connection, which stays open
            writer.write(POST % path)
            found.append(await answer(reader))
        writer.close()

    run(app, test)
    assert app.taken == [True, True]
    assert [sorted(each.split(b"\r\n")) for each in found] == [sorted(found[0].split(b"\r\n"))] * 3


def test_requests_that_came_together_are_answered_in_order():
    app, found = App(), []

    async def test(connect: Open) -> None:
        reader, writer = await connect()
        writer.write(POST % b"/" + POST % b"/messages" + POST % b"/")
        found.extend([await answer(reader) for _ in range(3)])
        writer.close()

    run(app, test)
    assert app.taken == [True, True]
    assert [each.endswith(BODY) for each in found] == [True] * 3


@pytest.mark.parametrize(
    ("request_", "more"),
    [
        pytest.param(b"HEAD / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n", [], id="no body"),
        pytest.param(b"HEAD / HTTP/1.0\r\n\r\n", [], id="no body to HTTP/1.0"),
        pytest.param(b"GET / HTTP/1.0\r\n\r\n", [], id="HTTP/1.0"),
        pytest.param(b"GET / HTTP/1.1\r\nconnection: close\r\n\r\n", [], id="the client closes"),
        pytest.param(b"GET / HTTP/1.1\r\n\r\n", [(b"connection", b"close")], id="the gateway closes"),
    ],
)
def test_one_after_which_the_connection_is_closed_is_sent_in_messages(request_: bytes, more: Headers):
    app, found = App(*more), []

    async def test(connect: Open) -> None:
        reader, writer = await connect()
        writer.write(request_)
        found.append(await reader.read())
        writer.close()

    run(app, test)
    assert app.taken == [False]
    assert found[0].partition(b"\r\n\r\n")[2] == (b"" if request_.startswith(b"HEAD") else BODY)


def test_one_to_head_has_no_body_and_leaves_the_connection_open():
    app, found = App(), []

    async def test(connect: Open) -> None:
        reader, writer = await connect()
        writer.write(b"HEAD / HTTP/1.1\r\nhost: x\r\n\r\n")
        found.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(POST % b"/")
        found.append(await answer(reader))
        writer.close()

    run(app, test)
    assert app.taken == [False, True]
    assert found[1].startswith(b"HTTP/1.1 200 OK\r\n")


@pytest.mark.parametrize("value", [b"a\r\nset-cookie: b", b"a\nb", b"a\rb", b"a\0b"])
def test_a_header_with_a_line_break_is_never_written(value: bytes):
    app, found = App((b"x-own", value)), []

    async def test(connect: Open) -> None:
        reader, writer = await connect()
        writer.write(POST % b"/")
        found.append(await reader.read())
        writer.close()

    run(app, test)
    assert app.taken == [False]
    assert value not in found[0]


def test_a_client_that_does_not_read_is_waited_for():
    large = b"x" * (32 * 2**20)

    class Large(App):
        async def answer(self, scope: Any, receive: Any, send: Any) -> None:
            if scope["path"] != "/large":
                await super().answer(scope, receive, send)
                return
            length = (b"content-length", b"%d" % len(large))
            await send({"type": "http.response.start", "status": 200, "headers": [length]})
            await send({"type": "http.response.body", "body": large})

    app, found = Large(), []

    async def test(connect: Open) -> None:
        reader, writer = await connect()
        writer.write(POST % b"/large" + POST % b"/")
        while not app.taken:
            await asyncio.sleep(0.01)
        await reader.readuntil(b"\r\n\r\n")
        await reader.readexactly(len(large))
        found.append(await answer(reader))
        writer.close()

    run(app, test)
    assert app.taken == [False]
    assert found[0].endswith(BODY)


def test_one_to_a_client_that_has_left_is_not_taken():
    class Late(App):
        async def answer(self, scope: Any, receive: Any, send: Any) -> None:
            while (await receive())["type"] != "http.disconnect":
                pass
            await super().answer(scope, receive, send)

    app = Late()

    async def test(connect: Open) -> None:
        _, writer = await connect()
        writer.write(POST % b"/")
        writer.close()
        while not app.taken:
            await asyncio.sleep(0.01)

    run(app, test)
    assert app.taken == [False]


def test_a_second_one_is_not_taken():
    class Twice(App):
        async def answer(self, scope: Any, *_: Any) -> None:
            self.taken = [scope["extensions"][WHOLE_ANSWER](200, self.headers, BODY) for _ in range(2)]

    app, found = Twice(), []

    async def test(connect: Open) -> None:
        reader, writer = await connect()
        writer.write(POST % b"/" + POST % b"/")
        found.extend([await answer(reader), await answer(reader)])
        writer.close()

    run(app, test)
    assert app.taken == [True, False]
