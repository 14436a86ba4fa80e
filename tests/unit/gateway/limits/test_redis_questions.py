"""What one process asks and tells redis about a model's limits, and what it makes of the answers."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Any, cast

import pytest

from langop_model.contract.settings import Limits
from langop_model.gateway.limits import redis_window
from langop_model.gateway.limits.redis_connection import RedisConnection
from langop_model.gateway.limits.redis_lane import RedisUnavailableError
from langop_model.gateway.limits.redis_window import LEASE_RENEWAL_INTERVAL, RedisWindow
from langop_model.gateway.limits.sliding_window import CONCURRENT, REQUESTS, TOKENS, Delay, Reservation, Used
from tests.unit.gateway.clock import Clock

ADMITTED = [b"admitted", 0]
UNKNOWN = [b"unknown"]
DOWN = RedisUnavailableError()
KEYS = [f"langop:{{team/model}}:{name}" for name in ("requests", "used", "in_flight", "sums", "queue", "seen", "processes")]
Asked = tuple[str, Sequence[str | bytes], Sequence[Any]]


class Redis:
    """A connection that answers each question about admission as it is told, and `renew` with 1."""

    process = "here"

    def __init__(self, *answers: Any) -> None:
        self.listeners: list[object] = []
        self.is_cluster = False
        self.answers = list(answers)
        self.known: list[int] = []  # what `renew` answers first
        self.asked: list[Asked] = []
        self.told: list[Asked] = []
        self.undo: Callable[[Any], None] | None = None
        self.fail: Callable[[], None] | None = None

    async def run(
        self, script: str, keys: Sequence[str | bytes], arguments: Sequence[Any], on_orphan: Callable[[Any], None] | None = None
    ) -> Any:
        self.asked.append((script, keys, arguments))
        if script == "renew":
            return self.known.pop(0) if self.known else 1
        self.undo = on_orphan
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    def tell(self, script: str, keys: Sequence[str], arguments: Sequence[Any], on_failure: Callable[[], None]) -> None:
        self.told.append((script, keys, arguments))
        self.fail = on_failure

    def scripts(self) -> list[str]:
        """Return the scripts that were run."""
        return [script for script, _, _ in self.asked]


def window(redis: Redis, clock: Clock | None = None, **limits: int) -> RedisWindow:
    return RedisWindow(cast("RedisConnection", redis), "team/model", Limits(**limits), clock or Clock())


def admit(counted: RedisWindow, tokens: int | None = None, left: float = 2.0) -> Reservation | Delay:
    return asyncio.run(counted.admit("ticket", tokens, left))


def admitted(counted: RedisWindow, tokens: int | None = None) -> Reservation:
    found = admit(counted, tokens)
    assert isinstance(found, Reservation)
    return found


# Admission.


def test_a_question_has_the_limits_the_size_and_the_times_in_milliseconds():
    redis = Redis(ADMITTED, ADMITTED)
    counted = window(redis, requests_per_minute=3, tokens_per_minute=100, concurrent_requests=2)
    admit(counted, 7, 1.5)
    assert redis.asked[-1] == ("admit", KEYS, ["here", "ticket", 3, 100, 2, 7, 1500, 60_000, 15_000, 3000])
    counted = window(redis)
    admit(counted, None, 0)
    assert redis.asked[-1][2] == ["here", "ticket", 0, 0, 0, -1, 0, 60_000, 15_000, 3000]


def test_an_admitted_request_is_counted_here_with_what_redis_reserved():
    counted = window(Redis([b"admitted", 40]), tokens_per_minute=100)
    assert admitted(counted, 50).tokens == 40
    assert counted.used_here() == Used(0, 40, 1)


@pytest.mark.parametrize(
    ("answer", "delay"),
    [
        ([b"wait", b"requests", 2500, 1, 0], Delay(REQUESTS, 2.5, certain=True, poll_after=1.0)),
        ([b"wait", b"tokens", 1, 1, 1], Delay(TOKENS, 0.001, certain=True, poll_after=1.0)),
    ],
)
def test_a_wait_for_the_window_is_polled_each_second(answer: list[Any], delay: Delay):
    assert admit(window(Redis(answer))) == delay


def test_a_wait_for_a_slot_is_polled_twenty_times_a_second_not_in_step():
    counted = window(Redis(*([b"wait", b"concurrent", 0, 0, 0],) * 50))
    delays = [admit(counted) for _ in range(50)]
    polls = [delay.poll_after or 0 for delay in delays if isinstance(delay, Delay)]
    assert {(delay.limit, delay.seconds, delay.certain) for delay in delays if isinstance(delay, Delay)} == {
        (CONCURRENT, 1.0, False)
    }
    assert 0.025 <= min(polls) < 0.035
    assert 0.065 < max(polls) <= 0.075


# What redis knows.


def test_a_process_tells_what_it_has_before_its_first_question_only():
    redis = Redis(ADMITTED, ADMITTED)
    counted = window(redis, requests_per_minute=9)
    admit(counted)
    admit(counted)
    assert redis.scripts() == ["renew", "admit", "admit"]


def test_a_redis_that_lost_the_process_is_told_and_asked_again():
    redis = Redis(UNKNOWN, ADMITTED)
    admitted(window(redis, requests_per_minute=9))
    assert redis.scripts() == ["renew", "admit", "renew", "admit"]


def test_a_redis_that_loses_it_again_is_left_alone_for_this_request():
    redis = Redis(UNKNOWN, UNKNOWN)
    counted = window(redis, requests_per_minute=9)
    admitted(counted)
    assert redis.scripts() == ["renew", "admit"] * 2
    assert counted.needs_resync is True


def test_requests_that_come_together_tell_everything_once():
    async def scene() -> list[str]:
        redis = Redis(ADMITTED, ADMITTED)
        counted = window(redis, requests_per_minute=9)
        await asyncio.gather(*(counted.admit(ticket, None, 0) for ticket in "ab"))
        return redis.scripts()

    assert asyncio.run(scene()) == ["renew", "admit", "admit"]


def test_the_state_is_requests_and_tokens_by_age_and_what_is_in_flight():
    clock = Clock()
    redis = Redis(DOWN, DOWN, [b"admitted", 5])
    counted = window(redis, clock, requests_per_minute=9, tokens_per_minute=100)
    counted.settle(admitted(counted, 30), 20, answered=True)
    clock.now += 1.5
    asyncio.run(counted.admit("second", 10, 0))
    clock.now += 0.5
    asyncio.run(counted.admit("third", 5, 0))
    (_, keys, state) = redis.asked[-2]
    assert keys == KEYS
    head = ["here", 15_000, 60_000, 20, 2, 1]
    assert state == [*head, "ticket", 2000, "second", 500, "ticket 20", 2000, "second 10"]


def test_where_nothing_is_held_requests_in_flight_are_not_told():
    redis = Redis(DOWN, ADMITTED)
    counted = window(redis, requests_per_minute=9)
    admitted(counted)
    asyncio.run(counted.admit("second", None, 0))
    assert redis.asked[-2][2] == ["here", 15_000, 60_000, -1, 1, 0, "ticket", 0]


# The heartbeat.


def beat(counted: RedisWindow, has_state: bool = True) -> None:
    asyncio.run(counted.beat(has_state))


def test_leases_are_renewed_every_three_seconds_while_any_is_held():
    clock = Clock()
    redis = Redis([b"admitted", 5])
    counted = window(redis, clock, tokens_per_minute=100)
    admit(counted)
    renewed = []
    for _ in range(7):
        clock.now += 1
        beat(counted)
        renewed.append(redis.scripts().count("renew"))
    assert LEASE_RENEWAL_INTERVAL == 3
    assert renewed == [1, 1, 2, 2, 2, 3, 3]
    assert redis.asked[-1][2] == ["here", 15_000, 60_000, -1, 0, 0, "ticket 5"]


def test_where_nothing_is_counted_nothing_is_told():
    clock = Clock()
    redis = Redis(ADMITTED)
    counted = window(redis, clock, requests_per_minute=9)
    beat(counted, has_state=False)
    counted.settle(admitted(counted), 0, answered=True)
    clock.now += 60
    beat(counted, has_state=False)
    assert redis.scripts() == ["renew", "admit"]


def test_a_redis_without_its_state_is_told_everything_at_the_next_beat():
    redis = Redis(ADMITTED)
    counted = window(redis, requests_per_minute=9)
    counted.settle(admitted(counted), 0, answered=True)
    beat(counted)
    assert redis.scripts() == ["renew", "admit"]
    beat(counted, has_state=False)
    assert redis.asked[-1][2] == ["here", 15_000, 60_000, -1, 1, 0, "ticket", 0]
    assert counted.needs_resync is False


def test_a_renewal_that_redis_does_not_know_is_followed_by_everything():
    clock = Clock()
    redis = Redis(ADMITTED)
    counted = window(redis, clock, requests_per_minute=9, concurrent_requests=9)
    admit(counted)
    clock.now += LEASE_RENEWAL_INTERVAL
    redis.known = [0]
    beat(counted)
    assert [state[4] for script, _, state in redis.asked if script == "renew"] == [0, 0, 1]


# The end of a request.


@pytest.mark.parametrize(
    ("limits", "used", "answered", "told"),
    [
        ({"tokens_per_minute": 100}, 20, True, ["ticket", 0, 20, 1, 0.9]),
        ({"concurrent_requests": 1}, 20, True, ["ticket", 0, 0, 1, 0.9]),
        ({"requests_per_minute": 1}, 20, False, ["ticket", 0, 0, 0, 0.9]),
        ({"requests_per_minute": 1}, 20, True, None),  # redis needs no more to know of it
    ],
    ids=str,
)
def test_redis_is_told_of_the_end_where_that_frees_something(
    limits: dict[str, Any], used: int, answered: bool, told: list[Any] | None
):
    redis = Redis(ADMITTED)
    counted = window(redis, **limits)
    counted.settle(admitted(counted), used, answered)
    assert redis.told == ([("settle", KEYS, told)] if told else [])


def test_what_redis_was_not_told_is_told_with_everything():
    redis = Redis(ADMITTED, ADMITTED)
    counted = window(redis, tokens_per_minute=100)
    counted.settle(admitted(counted), 20, answered=True)
    assert counted.needs_resync is False
    assert redis.fail is not None
    redis.fail()
    assert counted.needs_resync is True
    admit(counted)
    assert redis.scripts() == ["renew", "admit"] * 2


# Leaving.


@pytest.mark.parametrize("queued", [0, 1])
def test_only_who_is_in_the_queue_of_redis_is_withdrawn_and_once(queued: int):
    redis = Redis([b"wait", b"concurrent", 0, 0, queued])
    counted = window(redis, concurrent_requests=1)
    admit(counted)
    for ticket in ("other", "ticket", "ticket"):
        counted.withdraw(ticket)
    assert redis.told == [("withdraw", KEYS, ["ticket"])] * queued


def test_who_was_queued_and_is_admitted_is_in_the_queue_no_more():
    redis = Redis([b"wait", b"concurrent", 0, 0, 1], ADMITTED)
    counted = window(redis, concurrent_requests=1)
    admit(counted)
    admitted(counted)
    counted.withdraw("ticket")
    assert redis.told == []


def test_an_admission_leaves_another_request_in_the_queue():
    redis = Redis([b"wait", b"concurrent", 0, 0, 1], ADMITTED)
    counted = window(redis, concurrent_requests=1)
    admit(counted)
    asyncio.run(counted.admit("other", None, 0))
    counted.withdraw("ticket")
    assert redis.told == [("withdraw", KEYS, ["ticket"])]


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        ([b"admitted", 30], [("settle", KEYS, ["ticket", 30, 0, 0, 0.9])]),
        ([b"wait", b"tokens", 5, 1, 1], [("withdraw", KEYS, ["ticket"])]),
        ([b"wait", b"tokens", 5, 1, 0], []),
        (UNKNOWN, []),
    ],
    ids=str,
)
def test_what_redis_decided_for_a_client_that_has_left_is_undone(answer: list[Any], told: list[Asked]):
    redis = Redis(ADMITTED)
    counted = window(redis, tokens_per_minute=100)
    admit(counted)
    assert redis.undo is not None
    counted.own.settle(Reservation("ticket", 0), 0, answered=False)
    redis.undo(answer)
    assert redis.told == told
    assert counted.own.is_empty


# An answer that is kept in redis.


def find(counted: RedisWindow, tokens: int | None = 7) -> bytes | Reservation | Delay:
    return asyncio.run(counted.find_or_admit("entry", "ticket", tokens))


def test_a_question_may_look_for_an_answer_first_and_then_does_not_wait():
    redis = Redis([b"hit", b"answer"])
    counted = window(redis, tokens_per_minute=100)
    assert find(counted) == b"answer"
    script, keys, arguments = redis.asked[-1]
    assert (script, keys) == ("admit", [*KEYS, "entry"])
    assert arguments[5:7] == [7, 0]
    assert counted.own.is_empty


def test_without_an_answer_it_is_admitted_or_told_what_to_wait_for():
    counted = window(Redis([b"admitted", 7], [b"wait", b"tokens", 500, 1, 1]), tokens_per_minute=100)
    assert find(counted) == Reservation("ticket", 1000.0, 7)
    assert find(counted) == Delay(TOKENS, 0.5, certain=True, poll_after=1.0)
    assert counted.queued_ticket == "ticket"


# Without redis.


@pytest.mark.parametrize("ask", [admit, find])
def test_without_redis_the_process_decides_by_what_it_has_counted(ask: Callable[..., Any]):
    counted = window(Redis(DOWN, DOWN, DOWN), tokens_per_minute=100)
    assert ask(counted, 60) == Reservation("ticket", 1000.0, 60)
    assert counted.needs_resync is True
    counted.settle(Reservation("ticket", 1000.0, 60), 100, answered=True)
    assert ask(counted, 60) == Delay(TOKENS, 60.0, certain=True, poll_after=redis_window.WINDOW_POLL_INTERVAL)


# What is used.


def test_what_all_processes_use_is_what_redis_says():
    redis = Redis(b"3 40 2 0 0 0")
    counted = window(redis)
    assert asyncio.run(RedisWindow.used_together([counted, counted])) == [Used(3, 40, 2), Used(0, 0, 0)]
    assert redis.asked == [("usage", [key.encode() for key in KEYS[:4]] * 2, [60_000])]


def test_a_cluster_may_have_each_model_elsewhere_and_is_asked_for_one():
    redis = Redis(b"3 40 2", b"0 0 0")
    redis.is_cluster = True
    counted = window(redis)
    assert asyncio.run(RedisWindow.used_together([counted, counted])) == [Used(3, 40, 2), Used(0, 0, 0)]
    assert [len(keys) for _, keys, _ in redis.asked] == [4, 4]


def test_without_redis_it_is_what_this_process_uses():
    counted = window(Redis(DOWN), tokens_per_minute=100)
    counted.own.reserve("ticket", 30)
    assert asyncio.run(RedisWindow.used_together([counted])) == [Used(0, 30, 1)]
