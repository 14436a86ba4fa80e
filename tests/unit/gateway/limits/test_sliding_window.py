"""What one process counts, to the second and to the token."""

from __future__ import annotations

import pytest

from langop_model.contract.settings import Limits
from langop_model.gateway.limits.sliding_window import (
    CONCURRENT,
    NO_DELAY,
    REQUESTS,
    TOKENS,
    Delay,
    Reservation,
    SlidingWindow,
    Used,
)
from tests.unit.gateway.clock import Clock


@pytest.fixture
def clock() -> Clock:
    return Clock()


def window(clock: Clock, **limits: int) -> SlidingWindow:
    return SlidingWindow(Limits(**limits), clock)


def admitted(found: Reservation | Delay) -> Reservation:
    assert isinstance(found, Reservation), found
    return found


def answered(counted: SlidingWindow, ticket: str, used: int, tokens: int | None = None) -> None:
    """Admit a request, and settle it."""
    counted.settle(admitted(counted.admit_now(ticket, tokens)), used, answered=True)


# Requests of a minute.


def test_a_request_counts_for_sixty_seconds_and_not_at_their_end(clock: Clock):
    counted = window(clock, requests_per_minute=1)
    admitted(counted.admit_now("a", None))
    clock.now += 59
    assert counted.admit_now("b", None) == Delay(REQUESTS, 1.0)
    clock.now += 1
    assert admitted(counted.admit_now("c", None)).at == clock.now


def test_the_shortest_delay_is_ten_milliseconds(clock: Clock):
    counted = window(clock, requests_per_minute=1, tokens_per_minute=10)
    answered(counted, "a", 10)
    clock.now += 59.999
    assert counted.delay(None) == Delay(REQUESTS, 0.01)
    counted = window(clock, tokens_per_minute=10)
    answered(counted, "a", 10)
    clock.now += 59.999
    assert counted.delay(None) == Delay(TOKENS, 0.01)


def test_the_oldest_request_decides_when_the_next_is_admitted(clock: Clock):
    counted = window(clock, requests_per_minute=2)
    for ticket in "ab":
        admitted(counted.admit_now(ticket, None))
        clock.now += 10
    assert counted.admit_now("c", None) == Delay(REQUESTS, 40.0)


def test_a_request_that_nobody_answered_is_taken_out(clock: Clock):
    counted = window(clock, requests_per_minute=2)
    first, second = (admitted(counted.admit_now(ticket, None)) for ticket in "ab")
    counted.settle(first, 0, answered=False)
    counted.settle(second, 0, answered=True)
    assert counted.used_here() == Used(1, 0, 0)


# Tokens of a minute.


def test_tokens_count_from_when_the_answer_is_complete(clock: Clock):
    counted = window(clock, tokens_per_minute=10)
    reservation = admitted(counted.admit_now("a", None))
    clock.now += 20
    counted.settle(reservation, 10, answered=True)
    clock.now += 59
    assert counted.admit_now("b", None) == Delay(TOKENS, 1.0)
    clock.now += 1
    admitted(counted.admit_now("c", None))


@pytest.mark.parametrize(("used", "fits"), [(60, True), (61, False)])
def test_tokens_fit_up_to_the_limit(clock: Clock, used: int, fits: bool):
    counted = window(clock, tokens_per_minute=100)
    answered(counted, "a", used)
    admitted(counted.admit_now("b", 40))  # so that no request is alone
    counted.settle(Reservation("b", clock.now, 40), 0, answered=True)
    admitted(counted.admit_now("c", 0))
    assert (counted.delay(40) == NO_DELAY) == fits


@pytest.mark.parametrize(("used", "fits"), [(99, True), (100, False), (101, False)])
def test_alone_a_request_of_any_size_is_admitted_below_the_limit(clock: Clock, used: int, fits: bool):
    counted = window(clock, tokens_per_minute=100)
    answered(counted, "a", used)
    assert (counted.delay(1000) == NO_DELAY) == fits


def test_of_unknown_size_requests_go_one_at_a_time(clock: Clock):
    counted = window(clock, tokens_per_minute=100)
    admitted(counted.admit_now("a", None))
    assert counted.admit_now("b", None) == Delay(TOKENS, 60.0, certain=False)


def test_a_delay_that_a_request_in_flight_may_end_is_not_certain(clock: Clock):
    counted = window(clock, tokens_per_minute=100)
    answered(counted, "a", 100)
    assert counted.delay(10) == Delay(TOKENS, 60.0, certain=True)
    counted.reserve("b", 10)
    assert counted.delay(10) == Delay(TOKENS, 60.0, certain=False)


def test_a_request_is_expected_to_use_what_the_largest_did(clock: Clock):
    counted = window(clock, tokens_per_minute=1000)
    assert admitted(counted.admit_now("a", 70)).tokens == 70
    answered(counted, "b", 50, tokens=60)
    assert admitted(counted.admit_now("c", None)).tokens == 50
    assert admitted(counted.admit_now("d", 70)).tokens == 50
    assert admitted(counted.admit_now("e", 20)).tokens == 20


def test_the_largest_is_forgotten_by_a_tenth_with_each_smaller_answer(clock: Clock):
    counted = window(clock, tokens_per_minute=1000)
    for ticket, used in (("a", 100), ("b", 1), ("c", 1)):
        answered(counted, ticket, used)
    assert admitted(counted.admit_now("d", None)).tokens == 81


def test_reserved_tokens_are_those_of_requests_in_flight(clock: Clock):
    counted = window(clock, tokens_per_minute=100)
    reservations = [admitted(counted.admit_now(ticket, 30)) for ticket in "abc"]
    assert counted.used_here() == Used(0, 90, 3)
    assert isinstance(counted.admit_now("d", 30), Delay)
    counted.settle(reservations[0], 5, answered=True)
    assert counted.used_here() == Used(0, 65, 2)
    counted.settle(reservations[0], 0, answered=True)  # a second time changes nothing
    assert counted.used_here() == Used(0, 65, 2)


def test_without_a_limit_of_tokens_none_are_reserved_or_counted(clock: Clock):
    counted = window(clock, requests_per_minute=5)
    assert admitted(counted.admit_now("a", 30)).tokens == 0
    answered(counted, "b", 40)
    assert counted.used_here() == Used(2, 0, 1)


# Requests in flight.


def test_a_slot_is_taken_until_its_request_is_settled(clock: Clock):
    counted = window(clock, concurrent_requests=2)
    first = admitted(counted.admit_now("a", None))
    admitted(counted.admit_now("b", None))
    assert counted.admit_now("c", None) == Delay(CONCURRENT, 1.0, certain=False)
    counted.settle(first, 0, answered=True)
    admitted(counted.admit_now("c", None))


# Several limits.


def test_the_delay_names_requests_before_tokens_before_concurrency(clock: Clock):
    counted = window(clock, requests_per_minute=1, tokens_per_minute=10, concurrent_requests=1)
    counted.reserve("a", 10)
    assert counted.delay(10).limit == REQUESTS
    clock.now += 60
    assert counted.delay(10).limit == TOKENS
    counted = window(clock, requests_per_minute=9, tokens_per_minute=10, concurrent_requests=1)
    counted.reserve("a", 2)
    assert counted.delay(2).limit == CONCURRENT


def test_a_refused_request_counts_nowhere(clock: Clock):
    counted = window(clock, requests_per_minute=9, concurrent_requests=1)
    admitted(counted.admit_now("a", None))
    assert isinstance(counted.admit_now("b", None), Delay)
    assert counted.used_here() == Used(1, 0, 1)


# What is forgotten.


def test_what_is_older_than_the_window_is_forgotten(clock: Clock):
    counted = window(clock, requests_per_minute=9, tokens_per_minute=100)
    answered(counted, "a", 10)
    clock.now += 30
    answered(counted, "b", 20)
    clock.now += 30
    assert counted.used_here() == Used(1, 20, 0)
    clock.now += 30
    assert not counted.is_empty
    counted.forget_old(clock.now)
    assert counted.is_empty


@pytest.mark.parametrize("limit", ["requests_per_minute", "tokens_per_minute", "concurrent_requests"])
def test_a_request_in_flight_is_counted_by_every_kind_of_limit(clock: Clock, limit: str):
    counted = window(clock, **{limit: 5})
    assert counted.is_empty
    reservation = admitted(counted.admit_now("a", 1))
    assert not counted.is_empty
    counted.settle(reservation, 1, answered=True)
    assert counted.is_empty == (limit == "concurrent_requests")
