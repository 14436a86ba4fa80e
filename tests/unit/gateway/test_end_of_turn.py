"""The end of a turn of the event loop: where several requests are served, what they write leaves together."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

from langop_model.gateway import end_of_turn
from langop_model.gateway.end_of_turn import MOST, EndOfTurn

SEVERAL = ("one request", "another")


class Socket:
    """What is written to a socket, in a list that others may write to as well."""

    def __init__(self, written: list[bytes], closed: bool = False) -> None:
        self.written = written
        self.closed = closed

    def writelines(self, parts: Sequence[bytes]) -> None:
        self.written.append(b"".join(parts))

    def is_closing(self) -> bool:
        return self.closed


def after(act: Callable[[EndOfTurn, list[bytes]], None], turns: int = 0, requests: Sequence[str] = SEVERAL) -> list[bytes]:
    """Return what is written so many turns after `act`."""

    async def run() -> list[bytes]:
        turn = EndOfTurn(asyncio.get_running_loop())
        turn.requests = requests
        written: list[bytes] = []
        act(turn, written)
        for _ in range(turns):
            await asyncio.sleep(0)
        return list(written)

    return asyncio.run(run())


def write(turn: EndOfTurn, written: list[bytes], *texts: bytes) -> None:
    for text in texts:
        turn.write(Socket(written), (text, b"!"))  # type: ignore[arg-type]


def write_two(turn: EndOfTurn, written: list[bytes]) -> None:
    write(turn, written, b"a", b"b")


def test_the_writes_of_several_requests_wait_for_the_end_of_the_turn():
    assert after(write_two) == []
    assert after(write_two, turns=1) == [b"a!", b"b!"]


def test_the_writes_of_one_request_do_not_wait():
    assert after(write_two, requests=["one request"]) == [b"a!", b"b!"]


def test_a_write_comes_after_those_that_wait():
    def one_is_left(turn: EndOfTurn, written: list[bytes]) -> None:
        write(turn, written, b"a")
        turn.requests = ()
        write(turn, written, b"b")

    assert after(one_is_left) == []
    assert after(one_is_left, turns=1) == [b"a!", b"b!"]


def test_so_many_do_not_wait_for_more():
    many = [b"%d" % number for number in range(MOST + 1)]
    expected = [text + b"!" for text in many]
    assert after(lambda turn, written: write(turn, written, *many)) == expected[:MOST]
    assert after(lambda turn, written: write(turn, written, *many), turns=1) == expected


def test_a_closed_connection_keeps_no_other_waiting():
    def one_is_closed(turn: EndOfTurn, written: list[bytes]) -> None:
        turn.write(Socket(written, closed=True), (b"lost",))  # type: ignore[arg-type]
        write(turn, written, b"a")

    assert after(one_is_closed, turns=1) == [b"a!"]


class BrokenSocket(Socket):
    """One that can't be written to."""

    def writelines(self, parts: Sequence[bytes]) -> None:
        raise RuntimeError(f"broken, with {len(parts)} part")

    def abort(self) -> None:
        self.written.append(b"aborted")


def test_a_write_that_fails_ends_its_own_connection_alone():
    reported = []

    def one_fails(turn: EndOfTurn, written: list[bytes]) -> None:
        turn.loop.set_exception_handler(lambda _, problem: reported.append(str(problem["exception"])))
        turn.write(BrokenSocket(written), (b"lost",))  # type: ignore[arg-type]
        write(turn, written, b"a")

    assert after(one_fails, turns=1) == [b"aborted", b"a!"]
    assert reported == ["broken, with 1 part"]


def call(turn: EndOfTurn, written: list[bytes]) -> None:
    turn.soon(lambda: written.append(b"called"))


def test_what_is_called_soon_is_called_at_the_end_of_the_turn():
    assert after(call) == []
    assert after(call, turns=1) == [b"called"]


def test_it_is_called_after_the_write_of_a_lone_request():
    def both(turn: EndOfTurn, written: list[bytes]) -> None:
        call(turn, written)
        write(turn, written, b"a")

    assert after(both, turns=1, requests=["one request"]) == [b"a!", b"called"]


def test_what_is_called_comes_after_what_is_written():
    def both(turn: EndOfTurn, written: list[bytes]) -> None:
        call(turn, written)
        write(turn, written, b"a")

    assert after(both, turns=1) == [b"a!", b"called"]


def test_a_call_waits_for_the_end_though_many_writes_do_not():
    many = [b"%d" % number for number in range(MOST)]

    def both(turn: EndOfTurn, written: list[bytes]) -> None:
        call(turn, written)
        write(turn, written, *many)

    expected = [text + b"!" for text in many]
    assert after(both) == expected
    assert after(both, turns=1) == [*expected, b"called"]


def test_a_call_that_fails_keeps_no_other_back():
    reported = []

    def fail() -> None:
        raise RuntimeError("gone")

    def one_fails(turn: EndOfTurn, written: list[bytes]) -> None:
        turn.loop.set_exception_handler(lambda _, problem: reported.append(str(problem["exception"])))
        turn.soon(fail)
        call(turn, written)

    assert after(one_fails, turns=1) == [b"called"]
    assert reported == ["gone"]


def test_each_turn_has_an_end_of_its_own():
    async def run() -> list[bytes]:
        turn = EndOfTurn(asyncio.get_running_loop())
        turn.requests = SEVERAL
        written: list[bytes] = []
        for text in (b"a", b"b"):
            write(turn, written, text)
            call(turn, written)
            await asyncio.sleep(0)
        return written

    assert asyncio.run(run()) == [b"a!", b"called", b"b!", b"called"]


def test_all_of_an_event_loop_share_one():
    async def both() -> tuple[EndOfTurn, EndOfTurn]:
        loop = asyncio.get_running_loop()
        return end_of_turn.of(loop), end_of_turn.of(loop)

    first, second = asyncio.run(both())
    other, _ = asyncio.run(both())
    assert first is second is not other
