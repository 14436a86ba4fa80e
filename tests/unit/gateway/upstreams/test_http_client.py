"""Requests as they are written to a provider's connection, and answers as they come on it."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Mapping

import aiohttp
import pytest

from langop_model.gateway.upstreams import answers
from langop_model.gateway.upstreams.http_client import HTTPClient, Target
from tests.unit.gateway.upstreams.http_server import with_server

OK = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nOK"
BODY = b'{"model": "m"}'


def asked(said: bytes, headers: Mapping[str, str] | None = None) -> tuple[bytes, int, bytes]:
    """Ask a server that says these bytes and closes; return the head that it got, and the answer's status and body."""
    heads: list[bytes] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heads.append(await reader.readuntil(b"\r\n\r\n"))
        assert await reader.readexactly(len(BODY)) == BODY
        writer.write(said)
        writer.close()

    async def test(client: HTTPClient, target: Target) -> tuple[bytes, int, bytes]:
        response = await client.post(target, headers or {}, BODY)
        return heads[0], response.status, await answers.read(response, 100)

    return with_server(serve, test)


def test_a_request_is_written_as_http_wants_it():
    line, *headers = asked(OK, {"Authorization": "Bearer key"})[0].decode().rstrip("\r\n").split("\r\n")
    named = dict(header.split(": ", 1) for header in headers)
    assert line == "POST /v1/chat?a=b HTTP/1.1"
    assert named["Host"].startswith("127.0.0.1:")
    assert named["User-Agent"].startswith("langop-model/")
    assert (named["Authorization"], named["Content-Length"]) == ("Bearer key", str(len(BODY)))
    assert (named["Accept"], named["Accept-Encoding"]) == ("*/*", "identity")
    assert len(named) == len(headers) == 6


def test_a_header_of_the_request_replaces_a_standard_one_in_any_case():
    head = asked(OK, {"user-agent": "other", "ACCEPT": "text/event-stream"})[0].lower()
    assert head.count(b"user-agent:") == head.count(b"accept:") == 1
    assert b"user-agent: other\r\naccept: text/event-stream\r\n" in head


def test_each_request_has_its_own_headers():
    async def test(_: HTTPClient, target: Target) -> None:
        heads = [target.head({"X-Number": number}, 5) for number in ("1", "2", "2", "1")]
        assert [head.split(b"X-Number: ")[1] for head in heads] == [
            b"%d\r\nContent-Length: 5\r\n\r\n" % number for number in (1, 2, 2, 1)
        ]

    with_server(no_server, test)


async def no_server(*_: object) -> None: ...


@pytest.mark.parametrize("value", ["a\r\nX-Other: b", "a\nb", "a\rb", "a\0b"])
def test_a_header_with_a_line_break_is_not_sent(value: str):
    with pytest.raises(ValueError, match="line break"):
        asked(OK, {"X-Header": value})


@pytest.mark.parametrize(
    "said",
    [
        OK,
        b"HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n" + OK,
        b"HTTP/1.1 100 Continue\r\n\r\n" + OK,
        b"HTTP/1.1 200 OK\r\n\r\nOK",
        b"HTTP/1.0 200 OK\r\n\r\nOK",
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n1\r\nO\r\n1\r\nK\r\n0\r\n\r\n",
    ],
    ids=["length", "early hints", "continue", "until it closes", "HTTP/1.0", "chunked"],
)
def test_an_answer_is_read_to_its_end(said: bytes):
    assert asked(said)[1:] == (200, b"OK")


@pytest.mark.parametrize("said", [b"SSH-2.0-OpenSSH_9.2\r\n\r\n", b"HTTP/1.1 200 OK\r\ncontent-length: many\r\n\r\n"])
def test_what_is_not_http_is_said_so(said: bytes):
    with pytest.raises(aiohttp.ClientResponseError):
        asked(said)


def test_malformed_chunks_end_the_answer():
    """aiohttp closes the connection, and lets the reader wait for the timeout."""
    served = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        served.append(writer)
        await reader.readuntil(BODY)
        writer.write(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nOK\r\n")
        await writer.drain()
        await asyncio.sleep(0.05)
        writer.write(b"size\r\nOK\r\n")

    async def test(client: HTTPClient, target: Target) -> None:
        response = await client.post(target, {}, BODY)
        assert await response.content.readany() == b"OK"
        with pytest.raises(aiohttp.ClientPayloadError):
            await asyncio.wait_for(response.content.readany(), 60)
        response.close()

    with_server(serve, test)


def test_a_connection_that_closes_without_an_answer_is_said_so():
    with pytest.raises(aiohttp.ServerDisconnectedError):
        asked(b"")


def test_a_request_passes_over_connections_that_the_server_has_closed():
    served = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        served.append(writer)
        await reader.readuntil(BODY)
        writer.write(OK)
        await writer.drain()
        await asyncio.sleep(0.02)
        writer.close()

    async def test(client: HTTPClient, target: Target) -> None:
        for _ in range(2):
            assert await answers.read(await client.post(target, {}, BODY), 100) == b"OK"
            await asyncio.sleep(0.1)

    with_server(serve, test)
    assert len(served) == 2


def test_an_answer_before_the_request_has_gone_out_ends_the_connection():
    """Its rest would be taken for the beginning of the next request."""
    served = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        served.append(writer)
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 413 Too Large\r\ncontent-length: 0\r\n\r\n")
        await asyncio.sleep(1)

    async def test(client: HTTPClient, target: Target) -> None:
        for _ in range(2):
            response = await client.post(target, {}, bytes(32 * 2**20))
            assert (response.status, await answers.read(response, 100)) == (413, b"")
        for writer in served:
            writer.close()

    with_server(serve, test)
    assert len(served) == 2


def test_an_answer_gives_its_connection_up_once():
    """Given up twice, it would be two requests' at the same time."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(asyncio.IncompleteReadError):
            while True:
                await reader.readuntil(BODY)
                writer.write(OK)
        writer.close()

    async def test(client: HTTPClient, target: Target) -> None:
        response = await client.post(target, {}, BODY)
        assert await answers.read(response, 100) == b"OK"
        response.release()  # it was released when its body was read
        both = await asyncio.gather(client.post(target, {}, BODY), client.post(target, {}, BODY))
        assert [await answers.read(each, 100) for each in both] == [b"OK", b"OK"]

    with_server(serve, test)


LARGE = b"a" * 2**20  # more than the buffer takes: reading pauses in between
CHUNKED = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n"
SERIES = [
    (OK, 200, b"OK"),
    (CHUNKED + b"1\r\nO\r\n1\r\nK\r\n0\r\n\r\n", 200, b"OK"),
    (b"HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n" + OK, 200, b"OK"),
    (b"HTTP/1.1 204 No Content\r\n\r\n", 204, b""),
    (b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n" % len(LARGE) + LARGE, 200, LARGE),
    (b"HTTP/1.1 500 Internal Server Error\r\ncontent-length: 0\r\n\r\n", 500, b""),
    (CHUNKED + b"%x\r\n" % len(LARGE) + LARGE + b"\r\n0\r\n\r\n", 200, LARGE),
    (OK, 200, b"OK"),
]


def test_one_connection_has_answers_of_all_kinds():
    served = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        served.append(writer)
        for said, _, _ in SERIES:
            await reader.readuntil(BODY)
            writer.write(said)
            await writer.drain()
        writer.close()

    async def test(client: HTTPClient, target: Target) -> None:
        for _, status, body in SERIES:
            response = await client.post(target, {}, BODY)
            assert (response.status, await answers.read(response, 2**21)) == (status, body)

    with_server(serve, test)
    assert len(served) == 1
