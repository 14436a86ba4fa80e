"""Whether the translator answers, as the supervisor sees it without ever waiting."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from langop_model.gateway.serving.translator_health import INTERVAL, TIMEOUT, TranslatorHealth
from tests.unit.gateway.clock import Clock

READY = b"HTTP/1.1 200 OK\r\n\r\n"


class Translator:
    """A socket that answers what it is told, when it is told."""

    def __init__(self, path: Path) -> None:
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(str(path))
        self.listener.listen()

    def answer(self, text: bytes) -> None:
        connection, _ = self.listener.accept()
        with connection:
            assert connection.recv(1000).startswith(b"GET /health")
            connection.sendall(text)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def health(tmp_path: Path, clock: Clock) -> TranslatorHealth:
    return TranslatorHealth(tmp_path / "socket", clock)


@pytest.fixture
def translator(tmp_path: Path) -> Iterator[Translator]:
    found = Translator(tmp_path / "socket")
    yield found
    found.listener.close()


def until_up(health: TranslatorHealth, translator: Translator) -> None:
    health.look(is_running=True)
    translator.answer(READY)
    health.look(is_running=True)
    assert health.up


def test_one_that_does_not_listen_yet_is_down(health: TranslatorHealth):
    health.look(is_running=True)
    assert not health.up


def test_one_that_answers_is_up(health: TranslatorHealth, translator: Translator):
    until_up(health, translator)


def test_one_that_answers_with_an_error_is_down(health: TranslatorHealth, translator: Translator):
    health.look(is_running=True)
    translator.answer(b"HTTP/1.1 500 Internal Server Error\r\n\r\n")
    health.look(is_running=True)
    assert not health.up


def test_one_that_hangs_is_down_after_a_while(health: TranslatorHealth, translator: Translator, clock: Clock):
    until_up(health, translator)
    clock.now += INTERVAL
    health.look(is_running=True)  # asks
    clock.now += TIMEOUT
    health.look(is_running=True)
    assert health.up  # busy, perhaps
    clock.now += 0.1
    health.look(is_running=True)
    assert not health.up


def test_one_that_has_ended_is_down_at_once(health: TranslatorHealth, translator: Translator):
    until_up(health, translator)
    health.look(is_running=False)
    assert not health.up


def test_it_is_asked_once_in_an_interval(health: TranslatorHealth, translator: Translator, clock: Clock):
    until_up(health, translator)
    translator.listener.setblocking(False)
    for _ in range(5):
        health.look(is_running=True)
    with pytest.raises(BlockingIOError):
        translator.listener.accept()
    clock.now += INTERVAL
    health.look(is_running=True)
    translator.listener.accept()[0].close()
