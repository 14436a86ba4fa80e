"""How a body is read: in time, within its limit and the limit of all."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path

import pytest

from langop_model.gateway.access import body_memory, request_body
from langop_model.gateway.access.body_memory import MAX_BODIES_SIZE, MAX_BODY_SIZE, BodyMemory
from langop_model.gateway.access.errors import APIError
from langop_model.gateway.access.request_body import ClientDisconnectedError
from langop_model.gateway.asgi import Message, Receive

MIB = 2**20


@pytest.fixture(autouse=True)
def fresh(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(request_body, "memory", BodyMemory())


def read(*parts: bytes, is_complete: bool = True) -> bytes:
    messages: list[Message] = [{"type": "http.request", "body": part, "more_body": True} for part in parts]
    if is_complete:
        messages[-1]["more_body"] = False
    return asyncio.run(request_body.read(receiver(messages), {}))


def receiver(messages: Sequence[Message]) -> Receive:
    left = list(messages)

    async def receive() -> Message:
        if left:
            return left.pop(0)
        await asyncio.sleep(3600)
        raise AssertionError

    return receive


def test_the_parts_of_a_body_are_put_together():
    assert read(b"ab", b"", b"c") == b"abc"


@pytest.mark.parametrize("parts", [(), (b"half",)])
def test_a_body_that_does_not_come_is_given_up(parts: tuple[bytes, ...], monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(request_body, "BODY_TIMEOUT", 0.05)
    with pytest.raises(APIError) as caught:
        read(*parts, is_complete=False)
    assert caught.value.status == 408
    assert request_body.memory.taken == 0


def test_a_body_larger_than_one_may_be_is_refused_and_takes_nothing():
    with pytest.raises(APIError) as caught:
        read(*[bytes(MIB)] * 33)
    assert caught.value.status == 413
    assert request_body.memory.taken == 0


def test_bodies_that_are_too_large_together_are_refused():
    """Until one of them is answered."""
    for _ in range(3):
        read(bytes(32 * MIB))
    with pytest.raises(APIError) as caught:
        read(b"x")
    assert (caught.value.status, caught.value.code) == (503, "too_many_large_requests")
    request_body.memory.give_back(32 * MIB)
    assert read(b"x") == b"x"


def test_a_client_that_leaves_gives_back_what_it_has_sent():
    messages: list[Message] = [{"type": "http.request", "body": b"abc", "more_body": True}, {"type": "http.disconnect"}]
    with pytest.raises(ClientDisconnectedError):
        asyncio.run(request_body.read(receiver(messages), {}))
    assert request_body.memory.taken == 0


@pytest.mark.parametrize(
    ("limit", "workers", "most"),
    [
        (None, 1, MAX_BODIES_SIZE),
        (512 * MIB, 1, MAX_BODY_SIZE),
        (700 * MIB, 1, 60 * MIB),
        (700 * MIB, 2, MAX_BODY_SIZE),
        (8192 * MIB, 4, MAX_BODIES_SIZE),
    ],
)
def test_beside_a_translator_bodies_take_what_the_container_has_left(limit: int | None, workers: int, most: int):
    assert body_memory.beside_translator(limit, workers) == most


@pytest.mark.parametrize(("text", "limit"), [("536870912\n", 512 * MIB), ("max\n", None)])
def test_the_limit_of_a_container(text: str, limit: int | None, tmp_path: Path):
    (tmp_path / "memory.max").write_text(text, encoding="ascii")
    assert body_memory.container_limit([tmp_path / "nothing", tmp_path / "memory.max"]) == limit
    assert body_memory.container_limit([tmp_path / "nothing"]) is None
