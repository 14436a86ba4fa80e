from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from langop_model.contract.settings import Limits
from langop_model.gateway.limits.admission import Admission, RateLimitTimeoutError
from langop_model.gateway.limits.sliding_window import SlidingWindow
from tests.unit.gateway.virtual_time import run

Clock = Callable[[], float]
LONG = 1000.0  # seconds; longer than anything waits here


def _answer_after(admission: Admission, seconds: float, used: int, tokens: int | None = None) -> Coroutine[Any, Any, float]:
    """Return a call: let in, answered after some seconds with the tokens it used; it returns when it was let in."""

    async def call() -> float:
        place = await admission.admit(tokens, LONG)
        await asyncio.sleep(seconds)
        admission.settle(place, used)
        return place.at

    return call()


async def _let_in(admission: Admission, count: int, deadline: float = LONG) -> list[float]:
    """Return when each of so many calls, that come together, is let in."""
    places = await asyncio.gather(*(admission.admit(None, deadline) for _ in range(count)))
    return [round(place.at, 1) for place in places]


def test_the_requests_of_a_minute_are_admitted_at_once():
    """The others are when the window moves."""

    async def scene(clock: Clock) -> list[float]:
        return await _let_in(Admission(Limits(requests_per_minute=3), clock), 7)

    assert run(scene) == [0, 0, 0, 60, 60, 60, 120]


def test_any_sixty_seconds_hold_the_limit_at_most():
    async def scene(clock: Clock) -> list[float]:
        admission = Admission(Limits(requests_per_minute=2), clock)

        async def later(start: float) -> float:
            await asyncio.sleep(start)
            return (await admission.admit(None, LONG)).at

        return [round(at) for at in await asyncio.gather(*map(later, (0, 50, 55, 59, 111)))]

    assert run(scene) == [0, 50, 60, 110, 120]


def test_what_would_wait_too_long_is_refused_at_once():
    """The refusal says when there is room."""

    async def scene(clock: Clock) -> tuple[int, str, float]:
        admission = Admission(Limits(requests_per_minute=1), clock)
        await admission.admit(None, LONG)
        await asyncio.sleep(20)
        with pytest.raises(RateLimitTimeoutError) as refused:
            await admission.admit(None, clock() + 39)
        return refused.value.retry_after, refused.value.limit, clock()

    assert run(scene) == (40, "rateLimits.requestsPerMinute", 20)


def test_an_unanswered_call_is_not_counted():
    """It lets the next one in."""

    async def scene(clock: Clock) -> list[float]:
        admission = Admission(Limits(requests_per_minute=1), clock)
        place = await admission.admit(None, LONG)
        waiting = asyncio.create_task(admission.admit(None, LONG))
        await asyncio.sleep(5)
        admission.settle(place, 0, answered=False)
        return [round((await waiting).at)]

    assert run(scene) == [5]


def test_a_failed_answer_is_counted():
    async def scene(clock: Clock) -> list[float]:
        admission = Admission(Limits(requests_per_minute=1), clock)
        admission.settle(await admission.admit(None, LONG), 0)
        return [round((await admission.admit(None, LONG)).at)]

    assert run(scene) == [60]


def test_who_comes_first_is_let_in_first():
    async def scene(clock: Clock) -> list[str]:
        admission = Admission(Limits(requests_per_minute=1), clock)
        order: list[str] = []

        async def one(name: str) -> None:
            await admission.admit(None, LONG)
            order.append(name)

        tasks = []
        for name in "abcd":
            tasks.append(asyncio.create_task(one(name)))
            await asyncio.sleep(1)
        await asyncio.gather(*tasks)
        return order

    assert run(scene) == list("abcd")


def test_who_leaves_the_queue_takes_no_room():
    async def scene(clock: Clock) -> list[float]:
        admission = Admission(Limits(requests_per_minute=1), clock)
        await admission.admit(None, LONG)
        leaving = [asyncio.create_task(admission.admit(None, LONG)) for _ in range(3)]
        staying = asyncio.create_task(admission.admit(None, LONG))
        await asyncio.sleep(1)
        for task in leaving:
            task.cancel()
        return [round((await staying).at)]

    assert run(scene) == [60]


def test_a_deadline_in_the_queue_is_kept():
    async def scene(clock: Clock) -> float:
        admission = Admission(Limits(tokens_per_minute=10), clock)
        await admission.admit(None, LONG)
        first = asyncio.create_task(admission.admit(None, LONG))
        with pytest.raises(RateLimitTimeoutError):
            await admission.admit(None, clock() + 2)
        first.cancel()
        return clock()

    assert run(scene) == pytest.approx(2, abs=0.1)


def test_thirty_calls_together_exceed_the_tokens_by_one_call_at_most():
    async def scene(clock: Clock) -> list[float]:
        admission = Admission(Limits(tokens_per_minute=100), clock)
        return list(await asyncio.gather(*(_answer_after(admission, 1, 30) for _ in range(30))))

    let_in = sorted(run(scene))
    for start in let_in:
        assert 30 * sum(start <= at < start + 60 for at in let_in) <= 100 + 30
    assert 30 * sum(at < 60 for at in let_in) >= 90


def test_calls_that_state_their_size_need_not_wait_for_the_first():
    async def scene(clock: Clock) -> list[float]:
        admission = Admission(Limits(tokens_per_minute=100), clock)
        return list(await asyncio.gather(*(_answer_after(admission, 5, 20, tokens=25) for _ in range(4))))

    assert run(scene) == [0, 0, 0, 0]


def test_a_call_larger_than_the_limit_is_let_in_alone():
    async def scene(clock: Clock) -> list[float]:
        admission = Admission(Limits(tokens_per_minute=10), clock)
        calls = (_answer_after(admission, 1, 500, tokens=500) for _ in range(2))
        return [round(at) for at in await asyncio.gather(*calls)]

    assert run(scene) == [0, 61]


def test_tokens_that_were_set_aside_and_not_used_are_free_again():
    async def scene(clock: Clock) -> list[float]:
        admission = Admission(Limits(tokens_per_minute=100), clock)
        calls = (_answer_after(admission, 3, 10, tokens=90) for _ in range(3))
        return [round(at) for at in await asyncio.gather(*calls)]

    # The first shows that an answer is small: the others fit beside it.
    assert run(scene) == [0, 3, 3]


def test_places_are_given_in_order_and_given_back():
    async def scene(clock: Clock) -> tuple[int, list[int]]:
        admission = Admission(Limits(concurrent_requests=2), clock)
        inside, most, order = 0, 0, []

        async def one(number: int) -> None:
            nonlocal inside, most
            place = await admission.admit(None, LONG)
            order.append(number)
            inside += 1
            most = max(most, inside)
            await asyncio.sleep(1)
            inside -= 1
            admission.settle(place, 0)

        await asyncio.gather(*map(one, range(7)))
        return most, order

    assert run(scene) == (2, list(range(7)))


def test_who_finds_no_place_in_time_is_refused_and_takes_none():
    async def scene(clock: Clock) -> float:
        admission = Admission(Limits(concurrent_requests=1), clock)
        place = await admission.admit(None, LONG)
        with pytest.raises(RateLimitTimeoutError, match="concurrentRequests"):
            await admission.admit(None, clock() + 3)
        admission.settle(place, 0)
        await admission.admit(None, clock())
        return clock()

    assert run(scene) == pytest.approx(3, abs=0.1)


def test_who_gives_up_behind_another_is_told_what_that_one_waits_for():
    async def scene(clock: Clock) -> str:
        admission = Admission(Limits(concurrent_requests=1), clock)
        await admission.admit(None, LONG)
        first = asyncio.create_task(admission.admit(None, LONG))
        await asyncio.sleep(1)
        with pytest.raises(RateLimitTimeoutError) as refused:
            await admission.admit(None, clock() + 3)
        first.cancel()
        return refused.value.limit

    assert run(scene) == "rateLimits.concurrentRequests"


def test_who_waits_for_the_window_to_move_holds_no_place():
    async def scene(clock: Clock) -> int:
        admission = Admission(Limits(requests_per_minute=1, concurrent_requests=1), clock)
        admission.settle(await admission.admit(None, LONG), 0)
        waiting = asyncio.create_task(admission.admit(None, LONG))
        await asyncio.sleep(1)
        assert isinstance(admission.store, SlidingWindow)
        in_flight = len(admission.store.in_flight)
        waiting.cancel()
        return in_flight

    assert run(scene) == 0


def test_without_limits_nothing_waits_and_nothing_is_held():
    async def scene(clock: Clock) -> tuple[float, bool]:
        admission = Admission(Limits(), clock)
        place = await admission.admit(None, clock())
        admission.settle(place, 10)
        assert isinstance(admission.store, SlidingWindow)
        return clock(), admission.store.is_empty

    assert run(scene) == (0.0, True)
