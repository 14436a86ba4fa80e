"""Time limits of what a task waits for."""

from __future__ import annotations

import asyncio

import pytest

from langop_model.gateway.deadline import Deadline, Deadlines


async def forever(seconds: float) -> None:
    with Deadline(seconds):
        await asyncio.Event().wait()


def test_what_takes_too_long_raises_timeout_error():
    with pytest.raises(TimeoutError):
        asyncio.run(forever(0.0))


def test_what_is_in_time_passes():
    async def scene() -> str:
        with Deadline(60):
            await asyncio.sleep(0)
        return "done"

    assert asyncio.run(scene()) == "done"


def test_an_error_within_it_stays_what_it_is():
    async def scene() -> None:
        with Deadline(60):
            raise KeyError("other")

    with pytest.raises(KeyError):
        asyncio.run(scene())


def test_a_cancellation_by_somebody_else_is_no_timeout():
    async def scene() -> bool:
        task = asyncio.create_task(forever(60))
        await asyncio.sleep(0)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        return task.cancelled()

    assert asyncio.run(scene())


def test_an_outer_time_limit_ends_an_inner_one():
    async def scene() -> str:
        try:
            with Deadline(0.0):
                await forever(60)
        except TimeoutError:
            await asyncio.sleep(0)  # the task itself is not cancelled any more
            return "outer"
        return "none"

    assert asyncio.run(scene()) == "outer"


def test_deadlines_that_follow_each_other_end_the_one_that_takes_too_long():
    async def scene() -> list[str]:
        deadlines, said = Deadlines(), []
        for seconds, takes in ((60.0, 0.0), (60.0, 0.0), (0.01, 60.0), (60.0, 0.0)):
            try:
                with deadlines.within(seconds):
                    await asyncio.sleep(takes)
                said.append("in time")
            except TimeoutError:
                said.append("too late")
        deadlines.close()
        return said

    assert asyncio.run(scene()) == ["in time", "in time", "too late", "in time"]


def test_a_later_deadline_is_not_ended_by_an_earlier_one():
    async def scene() -> str:
        deadlines = Deadlines()
        with deadlines.within(0.01):
            await asyncio.sleep(0)
        with deadlines.within(60):
            await asyncio.sleep(0.05)
        deadlines.close()
        return "done"

    assert asyncio.run(scene()) == "done"


def test_time_between_two_deadlines_counts_for_none():
    async def scene() -> str:
        deadlines = Deadlines()
        with deadlines.within(0.01):
            await asyncio.sleep(0)
        await asyncio.sleep(0.05)  # a client that reads slowly
        with deadlines.within(60):
            await asyncio.sleep(0)
        deadlines.close()
        return "done"

    assert asyncio.run(scene()) == "done"
