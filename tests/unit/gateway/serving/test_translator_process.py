"""The translator's process as the supervisor starts it: again after a death, in its time."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from langop_model.gateway.serving.translator_process import FIRST_WAIT, LONGEST_WAIT, TranslatorProcess
from tests.unit.gateway.clock import Clock


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def told() -> list[str]:
    return []


@pytest.fixture
def dying(clock: Clock, told: list[str]) -> Iterator[TranslatorProcess]:
    """One that ends as soon as it starts."""
    process = TranslatorProcess(python="false", say=told.append, clock=clock)
    yield process
    process.stop()


def die(process: TranslatorProcess) -> None:
    assert process.process is not None
    process.process.wait()
    process.look()
    assert process.pid is None


def test_one_that_has_died_starts_again_after_a_wait(dying: TranslatorProcess, clock: Clock, told: list[str]):
    dying.start({"PATH": "/usr/bin:/bin"})
    die(dying)
    assert told == ["the translator ended (exit code 1) after 0 s; it is started again in 0.2 s"]
    clock.now += FIRST_WAIT
    dying.look()
    assert (dying.starts, dying.restarts) == (2, 1)


def test_who_asks_for_one_that_has_died_does_not_shorten_the_wait(dying: TranslatorProcess, clock: Clock):
    dying.start({"PATH": "/usr/bin:/bin"})
    die(dying)
    for _ in range(3):
        dying.start({"PATH": "/usr/bin:/bin"})
    assert (dying.starts, dying.pid) == (1, None)
    clock.now += FIRST_WAIT
    dying.look()
    assert dying.starts == 2


def test_each_further_death_makes_the_wait_twice_as_long(dying: TranslatorProcess, clock: Clock, told: list[str]):
    dying.start({"PATH": "/usr/bin:/bin"})
    for _ in range(8):
        die(dying)
        clock.now += LONGEST_WAIT
        dying.look()
    waits = [line.rsplit(" ", 2)[1] for line in told]
    assert waits == ["0.2", "0.4", "0.8", "1.6", "3.2", "6.4", "10", "10"]
