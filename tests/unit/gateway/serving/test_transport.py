"""A worker's connections: an answer's headers and body leave in one write."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from langop_model.gateway import end_of_turn
from langop_model.gateway.serving.transport import Transport

HEADERS = b"HTTP/1.1 200 OK\r\ncontent-length: 6\r\n\r\n"
STREAM_HEADERS = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n"


class Socket:
    """What a transport does to its socket."""

    def __init__(self) -> None:
        self.done: list[bytes | str] = []

    def write(self, data: bytes) -> None:
        self.done.append(data)

    def writelines(self, parts: list[bytes]) -> None:
        self.done.append(b"".join(parts))

    def close(self) -> None:
        self.done.append("closed")

    def is_closing(self) -> bool:
        return "closed" in self.done


def after(act: Callable[[Transport], None], turns: int) -> list[bytes | str]:
    """Return what has happened on the socket so many turns of the event loop after `act`."""

    async def run() -> list[bytes | str]:
        socket = Socket()
        act(Transport(socket, asyncio.get_running_loop()))  # type: ignore[arg-type]
        for _ in range(turns):
            await asyncio.sleep(0)
        return list(socket.done)

    return asyncio.run(run())


def answer(transport: Transport) -> None:
    transport.write(HEADERS)
    transport.write(b"Hello!")


def begin_a_stream(transport: Transport) -> None:
    transport.write(STREAM_HEADERS)


def answer_another(transport: Transport) -> None:
    """Answer while another request is served."""
    end_of_turn.of(asyncio.get_running_loop()).requests = ("one request", "another")
    answer(transport)


def end_another(transport: Transport) -> None:
    answer_another(transport)
    transport.close()


def fail(transport: Transport) -> None:
    transport.write(HEADERS)
    transport.close()


def test_an_answer_is_one_write():
    assert after(answer, turns=0) == [HEADERS + b"Hello!"]


def test_the_headers_of_a_stream_wait_for_one_turn_of_the_event_loop():
    assert after(begin_a_stream, turns=0) == []
    assert after(begin_a_stream, turns=1) == [STREAM_HEADERS]


def test_the_headers_of_an_answer_with_a_length_wait_for_its_body():
    assert after(lambda transport: transport.write(HEADERS), turns=3) == []


@pytest.mark.parametrize("turns", [1, 3])
def test_nothing_is_written_twice(turns: int):
    assert after(answer, turns) == [HEADERS + b"Hello!"]
    assert after(begin_a_stream, turns) == [STREAM_HEADERS]


def test_what_was_written_before_the_end_leaves_before_it():
    assert after(fail, turns=0) == [HEADERS, "closed"]


def test_an_answer_beside_others_leaves_at_the_end_of_the_turn():
    assert after(answer_another, turns=0) == []
    assert after(answer_another, turns=1) == [HEADERS + b"Hello!"]


def test_an_answer_that_waits_leaves_before_the_end():
    assert after(end_another, turns=0) == [HEADERS + b"Hello!", "closed"]


def test_the_parts_of_a_stream_are_not_held_back():
    assert after(lambda transport: transport.write(b"data: 1\n\n"), turns=0) == [b"data: 1\n\n"]


def test_two_answers_to_two_requests_are_both_complete():
    def answer_twice(transport: Transport) -> None:
        answer(transport)
        answer(transport)

    assert after(answer_twice, turns=1) == [HEADERS + b"Hello!"] * 2


def test_everything_else_is_the_transports():
    assert after(lambda transport: transport.write(str(transport.is_closing()).encode()), turns=0) == [b"False"]
