from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from langop_model.contract.settings import Limits
from langop_model.gateway.limits.admission import Admission, RateLimitTimeoutError
from langop_model.gateway.limits.sliding_window import REQUESTS, Delay, Reservation, SlidingWindow
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


def test_a_deadline_behind_another_is_by_the_clock():
    async def scene(clock: Clock) -> float:
        admission = Admission(Limits(concurrent_requests=1), clock)
        await asyncio.sleep(10)
        await admission.admit(None, LONG)
        first = asyncio.create_task(admission.admit(None, LONG))
        await asyncio.sleep(0)
        with pytest.raises(RateLimitTimeoutError):
            await admission.admit(None, clock() + 2)
        first.cancel()
        return clock()

    assert run(scene) == pytest.approx(12, abs=0.1)


# What a refusal says.


@pytest.mark.parametrize(
    ("limit", "seconds", "queued", "expected"),
    [
        (REQUESTS, 12.2, 0, "rateLimits.requestsPerMinute is reached; retry in 13 s"),
        (REQUESTS, 0.01, 2, "rateLimits.requestsPerMinute is reached, 2 waiting; retry in 1 s"),
        (REQUESTS, 0.0, 0, "rateLimits.requestsPerMinute is reached; retry in 1 s"),
        ("", 3.0, 0, "rateLimits is reached; retry in 3 s"),
    ],
)
def test_a_refusal_names_the_limit_the_queue_and_when_to_retry(limit: str, seconds: float, queued: int, expected: str):
    refused = RateLimitTimeoutError(limit, seconds, queued)
    assert (str(refused), refused.queued) == (expected, queued)


def test_a_refusal_counts_those_that_wait_without_itself():
    async def scene(clock: Clock) -> list[int]:
        admission = Admission(Limits(concurrent_requests=1), clock)
        await admission.admit(None, LONG)
        queued = []

        async def wait(seconds: float) -> None:
            with pytest.raises(RateLimitTimeoutError) as refused:
                await admission.admit(None, clock() + seconds)
            queued.append(refused.value.queued)

        await asyncio.gather(wait(9), wait(1), wait(2))
        assert admission.queued == 0
        return queued

    assert run(scene) == [2, 1, 0]


def test_at_its_deadline_a_request_is_refused_and_not_put_into_the_queue():
    async def scene(clock: Clock) -> tuple[bool, float]:
        admission = Admission(Limits(concurrent_requests=1), clock)
        await admission.admit(None, LONG)
        with pytest.raises(RateLimitTimeoutError):
            await admission.admit(None, clock())
        return admission.turn.locked(), clock()

    assert run(scene) == (False, 0)


def test_a_wait_that_ends_at_the_deadline_is_waited():
    async def scene(clock: Clock) -> list[float]:
        return await _let_in(Admission(Limits(requests_per_minute=1), clock), 2, deadline=60.0)

    assert run(scene) == [0, 60]


def test_each_request_has_a_ticket_of_its_own_in_all_processes():
    async def scene(clock: Clock) -> list[str]:
        admissions = [Admission(Limits(requests_per_minute=9), clock) for _ in range(2)]
        return [(await each.admit(None, LONG)).ticket for each in admissions for _ in range(2)]

    tickets = run(scene)
    assert len(set(tickets)) == 4
    assert [ticket.partition("-")[2] for ticket in tickets] == ["0", "1"] * 2


# A store that keeps answers, and says what else it was asked.


class Answers(SlidingWindow):
    """Finds what it is told to find, then admits as ever."""

    def __init__(self, clock: Clock, *found: bytes | Delay, **limits: int) -> None:
        super().__init__(Limits(**limits), clock)
        self.found = list(found)
        self.asked: list[tuple[str | None, str, int | None]] = []
        self.withdrawn: list[str] = []

    async def find_or_admit(self, entry: str, ticket: str, tokens: int | None) -> bytes | Reservation | Delay:
        self.asked.append((entry, ticket, tokens))
        return self.found.pop(0) if self.found else self.admit_now(ticket, tokens)

    async def admit(self, ticket: str, tokens: int | None, left: float) -> Reservation | Delay:
        self.asked.append((None, ticket, tokens))
        return await super().admit(ticket, tokens, left)

    def withdraw(self, ticket: str) -> None:
        self.withdrawn.append(ticket)


def test_a_cached_answer_is_found_without_admission():
    async def scene(clock: Clock) -> tuple[bytes | Reservation, bool]:
        store = Answers(clock, b"answer", requests_per_minute=1)
        found = await Admission(store.limits, clock, store).find_or_admit("key", 7, LONG)
        return found, store.is_empty

    assert run(scene) == (b"answer", True)


def test_without_a_cached_answer_the_request_is_admitted_in_one_step():
    async def scene(clock: Clock) -> list[tuple[str | None, int | None]]:
        store = Answers(clock, tokens_per_minute=10)
        found = await Admission(store.limits, clock, store).find_or_admit("key", 7, LONG)
        assert isinstance(found, Reservation)
        assert found.tokens == 7
        return [(entry, tokens) for entry, _, tokens in store.asked]

    assert run(scene) == [("key", 7)]


def test_without_a_cached_answer_a_request_waits_for_its_limit():
    async def scene(clock: Clock) -> tuple[list[str | None], set[str], set[int | None], float]:
        store = Answers(clock, Delay(REQUESTS, 5.0), requests_per_minute=1)
        store.reserve("before", 0)
        clock_before = clock()
        found = await Admission(store.limits, clock, store).find_or_admit("key", 7, clock_before + 60)
        assert isinstance(found, Reservation)
        entries, tickets, tokens = zip(*store.asked, strict=True)
        return list(entries), set(tickets), set(tokens), found.at - clock_before

    entries, tickets, tokens, waited = run(scene)
    assert (entries[0], set(entries[1:])) == ("key", {None})
    assert (len(tickets), tokens) == (1, {7})
    assert waited == pytest.approx(60, abs=0.1)


def test_without_a_cached_answer_a_request_is_refused_by_its_limit():
    async def scene(clock: Clock) -> tuple[int, int]:
        store = Answers(clock, Delay(REQUESTS, 5.0), requests_per_minute=1)
        with pytest.raises(RateLimitTimeoutError) as refused:
            await Admission(store.limits, clock, store).find_or_admit("key", None, clock() + 4)
        return refused.value.retry_after, len(store.asked)

    assert run(scene) == (5, 1)


def test_who_leaves_the_queue_is_withdrawn_from_the_store():
    async def scene(clock: Clock) -> tuple[list[str], list[str]]:
        store = Answers(clock, requests_per_minute=1)
        admission = Admission(store.limits, clock, store)
        await admission.admit(None, LONG)
        waiting = asyncio.create_task(admission.admit(None, LONG))
        await asyncio.sleep(1)
        waiting.cancel()
        await asyncio.wait({waiting})
        return store.withdrawn, sorted({ticket for _, ticket, _ in store.asked})[1:]

    withdrawn, asked = run(scene)
    assert withdrawn == asked


@pytest.mark.parametrize(("poll_after", "questions"), [(None, 2), (5.0, 12), (100.0, 2)])
def test_the_first_of_the_queue_asks_again_as_often_as_the_store_says(poll_after: float | None, questions: int):
    class Polled(Answers):
        async def admit(self, ticket: str, tokens: int | None, left: float) -> Reservation | Delay:
            found = await super().admit(ticket, tokens, left)
            return found if isinstance(found, Reservation) else Delay(found.limit, found.seconds, True, poll_after)

    async def scene(clock: Clock) -> int:
        store = Polled(clock, requests_per_minute=1)
        store.reserve("before", 0)
        admission = Admission(store.limits, clock, store)
        await admission.turn.acquire()  # so that the request is queued
        waiting = asyncio.create_task(admission.admit(None, LONG))
        await asyncio.sleep(0.001)
        admission.turn.release()
        await waiting
        return len(store.asked)

    assert abs(run(scene) - questions) <= 1


class Delayed(SlidingWindow):
    """A store that delays every request so often, and then lets it in."""

    def __init__(self, clock: Clock, delay: Delay, times: int) -> None:
        super().__init__(Limits(requests_per_minute=1), clock)
        self.found, self.times = delay, times

    async def admit(self, ticket: str, tokens: int | None, left: float) -> Reservation | Delay:  # noqa: ARG002
        self.times -= 1
        return Reservation(ticket, self.clock()) if self.times < 0 else self.found


def test_a_refusal_after_waiting_says_when_there_is_room_and_how_many_wait():
    async def scene(clock: Clock) -> tuple[float, str, int, int]:
        admission = Admission(Limits(requests_per_minute=1), clock, Delayed(clock, Delay(REQUESTS, 7, certain=False), 100))
        first = asyncio.create_task(admission.admit(None, 20))
        await asyncio.sleep(1)
        second = asyncio.create_task(admission.admit(None, LONG))
        with pytest.raises(RateLimitTimeoutError) as refused:
            await first
        second.cancel()
        return clock(), refused.value.limit, refused.value.retry_after, refused.value.queued

    assert run(scene) == (20, "rateLimits.requestsPerMinute", 7, 1)


def test_the_first_of_the_queue_sleeps_no_longer_than_it_has_to():
    async def scene(clock: Clock) -> float:
        delayed = Delayed(clock, Delay(REQUESTS, 2, certain=True, poll_after=9), 2)
        return (await Admission(Limits(requests_per_minute=1), clock, delayed).admit(None, LONG)).at

    assert run(scene) == 2
