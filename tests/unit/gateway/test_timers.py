"""Timers of one length, which share one of the event loop's."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from langop_model.gateway import timers

SHORT, LONG = 0.02, 60.0  # seconds


class Waiter:
    """Notes whether its time is over."""

    def __init__(self, then: Callable[[], None] = lambda: None) -> None:
        self.due = 0
        self.then = then

    def is_due(self) -> None:
        self.due += 1
        self.then()


async def let_pass(seconds: float) -> None:
    await asyncio.sleep(seconds + SHORT)


def test_each_is_told_once_its_time_is_over():
    async def scene() -> tuple[int, int, int, int]:
        first, second = Waiter(), Waiter()
        timers.of(SHORT * 5).add(first)
        await asyncio.sleep(SHORT * 3)
        timers.of(SHORT * 5).add(second)
        await let_pass(SHORT * 2)
        early = (first.due, second.due)
        await let_pass(SHORT * 5)
        return *early, first.due, second.due

    assert asyncio.run(scene()) == (1, 0, 1, 1)


def test_one_that_was_removed_is_not_told():
    async def scene() -> tuple[int, int]:
        removed, other = Waiter(), Waiter()
        for one in (removed, other):
            timers.of(SHORT).add(one)
        timers.of(SHORT).remove(removed)
        await let_pass(SHORT)
        return removed.due, other.due

    assert asyncio.run(scene()) == (0, 1)


def test_one_that_another_removes_is_not_told():
    async def scene() -> int:
        second = Waiter()
        first = Waiter(lambda: timers.of(SHORT).remove(second))
        for one in (first, second):
            timers.of(SHORT).add(one)
        await let_pass(SHORT)
        return second.due

    assert asyncio.run(scene()) == 0


def test_a_timer_begins_again_after_nobody_waited():
    async def scene() -> int:
        one = Waiter()
        for _ in range(2):
            timers.of(SHORT).add(one)
            await let_pass(SHORT)
        return one.due

    assert asyncio.run(scene()) == 2


def test_many_share_one_timer_of_the_event_loop():
    async def scene() -> bool:
        timer = timers.of(LONG)
        timer.add(Waiter())
        handle = timer.handle
        for _ in range(100):
            timer.add(Waiter())
        return timer.handle is handle and len(timer.waiting) == 101

    assert asyncio.run(scene())


def test_each_event_loop_has_timers_of_its_own():
    async def scene() -> int:
        one = Waiter()
        timers.of(SHORT).add(one)
        await let_pass(SHORT)
        return one.due

    assert [asyncio.run(scene()) for _ in range(2)] == [1, 1]
