from __future__ import annotations

import math
import random
from collections import Counter
from typing import Any

import pytest

from langop_model.contract.settings import Cooldown, Endpoint, Group
from langop_model.gateway.routing.endpoints import (
    COOLDOWN_SECONDS,
    FAILURES_IN_A_ROW,
    RECENT_FAILURE_SECONDS,
    Endpoints,
    LastError,
    PeerReport,
    State,
)
from tests.unit.gateway.clock import Clock

TOTAL = 1000


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(autouse=True)
def _the_same_chance_in_every_run() -> None:
    random.seed(4711)


def _endpoints(clock: Clock, *endpoints: dict[str, Any], strategy: str = "round-robin") -> Endpoints:
    made = tuple(Endpoint(**{"id": letter, **entry}) for letter, entry in zip("abc", endpoints, strict=False))
    return Endpoints(Group("model", "model", made, strategy), clock)


def _id(state: State | None) -> str:
    assert state is not None
    return state.endpoint.id


def _pick(endpoints: Endpoints, count: int) -> str:
    """Return the endpoints of so many calls that are answered at once."""
    picked = []
    for _ in range(count):
        state = endpoints.choose()
        picked.append(_id(state))
        assert state is not None
        endpoints.released(state)
    return "".join(picked)


def _fail(endpoints: Endpoints, name: str, times: int = FAILURES_IN_A_ROW) -> None:
    for _ in range(times):
        endpoints.failed(endpoints.by_id[name], "timeout", 504)


def _is_near(count: int, share: float) -> None:
    assert abs(count - TOTAL * share) <= 3 * math.sqrt(TOTAL * share * (1 - share))


def test_round_robin_takes_each_in_turn(clock: Clock):
    assert _pick(_endpoints(clock, {}, {}, {}), 7) == "abcabca"


def test_round_robin_passes_over_what_is_down(clock: Clock):
    endpoints = _endpoints(clock, {}, {}, {})
    endpoints.by_id["b"].checked_down = True
    assert _pick(endpoints, 4) == "acac"


@pytest.mark.parametrize("weights", [(50, 30, 20), (1, 1, 8), (100, 100, 100)])
def test_weighted_follows_the_weights_within_three_standard_errors(clock: Clock, weights: tuple[int, ...]):
    endpoints = _endpoints(clock, *({"weight": weight} for weight in weights), strategy="weighted")
    picked = Counter(_pick(endpoints, TOTAL))
    for letter, weight in zip("abc", weights, strict=True):
        _is_near(picked[letter], weight / sum(weights))


def test_random_takes_all_equally_often_whatever_their_weights(clock: Clock):
    endpoints = _endpoints(clock, {"weight": 90}, {"weight": 9}, {"weight": 1}, strategy="random")
    picked = Counter(_pick(endpoints, TOTAL))
    for letter in "abc":
        _is_near(picked[letter], 1 / 3)


def test_least_connections_takes_the_fewest_in_flight_and_equals_in_turn(clock: Clock):
    endpoints = _endpoints(clock, {}, {}, {}, strategy="least-connections")
    assert [_id(endpoints.choose()) for _ in range(6)] == list("abcabc")
    endpoints.released(endpoints.by_id["b"])
    assert _id(endpoints.choose()) == "b"


def test_least_connections_doubts_an_endpoint_that_failed_for_a_while_only(clock: Clock):
    endpoints = _endpoints(clock, {}, {}, strategy="least-connections")
    _fail(endpoints, "a", 1)
    assert _pick(endpoints, 3) == "bbb"
    clock.now += RECENT_FAILURE_SECONDS
    assert "a" in _pick(endpoints, 2)


def test_least_connections_trusts_an_endpoint_that_has_answered_since(clock: Clock):
    endpoints = _endpoints(clock, {}, {}, strategy="least-connections")
    _fail(endpoints, "a", 1)
    endpoints.answered(endpoints.by_id["a"], 0.1)
    assert _pick(endpoints, 4) == "abab"


def test_latency_based_gives_a_slow_endpoint_little_but_something(clock: Clock):
    endpoints = _endpoints(clock, {}, {}, strategy="latency-based")
    for name, seconds in (("a", 10.0), ("b", 0.1)):
        endpoints.answered(endpoints.by_id[name], seconds)
    picked = Counter(_pick(endpoints, TOTAL))
    assert 5 <= picked["a"] < TOTAL * 0.2


@pytest.mark.parametrize("slow", [0.5, 2.0, 10.0])
def test_latency_based_notices_a_recovery(clock: Clock, slow: float):
    endpoints = _endpoints(clock, {}, {}, {}, strategy="latency-based")
    for _ in range(20):
        for name in "abc":
            endpoints.answered(endpoints.by_id[name], slow if name == "a" else 0.1)
    assert Counter(_pick(endpoints, TOTAL))["a"] < TOTAL * 0.2
    for _ in range(TOTAL):
        state = endpoints.choose()
        assert state is not None
        endpoints.answered(state, 0.1)
    assert Counter(_pick(endpoints, TOTAL))["a"] > TOTAL * 0.25


def test_latency_based_goes_by_the_square_of_the_latency(clock: Clock):
    endpoints = _endpoints(clock, {}, {}, strategy="latency-based")
    for name, seconds in (("a", 0.2), ("b", 0.1)):
        endpoints.answered(endpoints.by_id[name], seconds)
    _is_near(Counter(_pick(endpoints, TOTAL))["a"], 1 / 5)


def test_latency_based_tries_an_endpoint_that_nothing_is_known_of(clock: Clock):
    endpoints = _endpoints(clock, {}, {}, strategy="latency-based")
    endpoints.answered(endpoints.by_id["b"], 0.1)
    _is_near(Counter(_pick(endpoints, TOTAL))["a"], 1 / 2)


@pytest.mark.parametrize("strategy", ["round-robin", "weighted", "random", "least-connections", "latency-based"])
def test_a_lower_priority_is_used_only_when_all_above_are_down(clock: Clock, strategy: str):
    endpoints = _endpoints(clock, {"priority": 1}, {"priority": 0}, {"priority": 0}, strategy=strategy)
    assert set(_pick(endpoints, 50)) <= {"b", "c"}
    _fail(endpoints, "b")
    assert set(_pick(endpoints, 50)) == {"c"}
    _fail(endpoints, "c")
    assert set(_pick(endpoints, 50)) == {"a"}
    clock.now += COOLDOWN_SECONDS
    assert set(_pick(endpoints, 50)) <= {"b", "c"}


def test_a_lower_priority_takes_what_exceeds_the_share_above(clock: Clock):
    endpoints = _endpoints(clock, {"priority": 1, "requests_per_minute": 2}, {"priority": 0, "requests_per_minute": 3})
    assert _pick(endpoints, 7) == "bbbaabb"
    clock.now += 60
    assert _pick(endpoints, 4) == "bbba"


def test_the_share_of_an_endpoint_that_is_down_goes_to_the_others(clock: Clock):
    endpoints = _endpoints(clock, {"requests_per_minute": 5}, {"requests_per_minute": 5})
    _fail(endpoints, "a")
    assert _pick(endpoints, 10) == "b" * 10


def test_a_call_that_never_left_takes_nothing_of_a_share(clock: Clock):
    endpoints = _endpoints(clock, {"requests_per_minute": 1, "priority": 0}, {"requests_per_minute": 9, "priority": 1})
    state = endpoints.choose()
    assert state is not None
    endpoints.forget(state)
    assert _pick(endpoints, 2) == "ab"


def test_failures_in_a_row_leave_an_endpoint_out_for_a_while(clock: Clock):
    endpoints = _endpoints(clock, {}, {})
    _fail(endpoints, "a", FAILURES_IN_A_ROW - 1)
    assert "a" in _pick(endpoints, 2)
    _fail(endpoints, "a", 1)
    assert _pick(endpoints, 3) == "bbb"
    clock.now += COOLDOWN_SECONDS
    assert "a" in _pick(endpoints, 2)
    _fail(endpoints, "a", 1)
    assert _pick(endpoints, 2) == "bb"


def test_an_answer_ends_a_row_of_failures(clock: Clock):
    endpoints = _endpoints(clock, {}, {})
    _fail(endpoints, "a", FAILURES_IN_A_ROW - 1)
    endpoints.answered(endpoints.by_id["a"], 0.1)
    _fail(endpoints, "a", FAILURES_IN_A_ROW - 1)
    assert "a" in _pick(endpoints, 2)


def test_a_single_endpoint_is_never_left_out(clock: Clock):
    endpoints = _endpoints(clock, {})
    _fail(endpoints, "a", 10)
    assert _pick(endpoints, 2) == "aa"


def test_when_all_are_down_all_are_tried(clock: Clock):
    endpoints = _endpoints(clock, {}, {})
    for state in endpoints.states:
        state.checked_down = True
    assert _pick(endpoints, 4) == "abab"


def test_what_a_request_has_tried_is_not_chosen_again(clock: Clock):
    endpoints = _endpoints(clock, {}, {}, {})
    assert _id(endpoints.choose({"a", "b"})) == "c"
    assert endpoints.choose({"a", "b", "c"}) is None


# What other processes have found.


def test_what_another_process_found_down_is_left_out_as_long_as_it_says(clock: Clock):
    endpoints = _endpoints(clock, {}, {})
    endpoints.merge({"a": PeerReport({"other": 10.0})})
    assert _pick(endpoints, 3) == "bbb"
    clock.now += 10
    assert "a" in _pick(endpoints, 2)


def test_what_another_process_takes_back_is_used_again(clock: Clock):
    endpoints = _endpoints(clock, {}, {})
    endpoints.merge({"a": PeerReport({"other": 10.0})})
    endpoints.merge({})
    assert "a" in _pick(endpoints, 2)


@pytest.mark.parametrize("how", ["answered", "returned"])
def test_what_was_seen_here_since_counts_more_than_the_word_of_another(clock: Clock, how: str):
    endpoints = _endpoints(clock, {}, {})
    endpoints.merge({"a": PeerReport({"other": 10.0})})
    state = endpoints.by_id["a"]
    endpoints.answered(state, 0.1) if how == "answered" else endpoints.returned(state)
    endpoints.merge({"a": PeerReport({"other": 9.0})})  # it says so again
    assert "a" in _pick(endpoints, 2)
    endpoints.merge({"a": PeerReport({"other": 9.0, "third": 9.0})})  # and one that has not been disproved
    assert _pick(endpoints, 3) == "bbb"


def test_checks_count_anew_when_another_process_found_an_endpoint_down(clock: Clock):
    endpoints = _endpoints(clock, {}, {})
    endpoints.by_id["a"].successful_checks = 50
    endpoints.merge({"a": PeerReport({"other": 10.0})})
    assert endpoints.by_id["a"].successful_checks == 0
    endpoints.by_id["a"].successful_checks = 1
    endpoints.merge({"a": PeerReport({"other": 9.0})})
    assert endpoints.by_id["a"].successful_checks == 1


def test_when_all_are_down_by_hearsay_all_are_tried(clock: Clock):
    endpoints = _endpoints(clock, {}, {})
    endpoints.merge({"a": PeerReport({"other": 10.0}), "b": PeerReport({"other": 10.0})})
    assert _pick(endpoints, 4) == "abab"


def test_a_process_reports_only_what_it_found_down(clock: Clock):
    """Nothing that it heard from others."""
    endpoints = _endpoints(clock, {}, {}, {})
    endpoints.merge({"c": PeerReport({"other": 10.0})})
    _fail(endpoints, "a")
    endpoints.by_id["b"].checked_down = True
    clock.now += 1
    assert endpoints.found_down(5.0) == {"a": COOLDOWN_SECONDS - 1, "b": 5.0}
    endpoints.answered(endpoints.by_id["a"], 0.1)
    endpoints.returned(endpoints.by_id["b"])
    assert endpoints.found_down(5.0) == {}


def test_calls_of_other_processes_use_up_a_share(clock: Clock):
    endpoints = _endpoints(clock, {"requests_per_minute": 5}, {"requests_per_minute": 5})
    endpoints.merge({"a": PeerReport(calls=4)})
    assert _pick(endpoints, 6) == "abbbbb"
    assert endpoints.counted() == {"a": 1, "b": 5}
    endpoints.merge({})
    assert _pick(endpoints, 4) == "aaaa"


def test_a_cooldown_of_the_configuration_counts():
    group = Group("m", "m", (Endpoint("a"), Endpoint("b")), "round-robin", cooldown=Cooldown(allowed_fails=0, seconds=7))
    endpoints = Endpoints(group, clock := Clock())
    endpoints.failed(endpoints.by_id["a"], "timeout", 504)
    assert endpoints.by_id["a"].is_down(clock() + 6.9)
    assert not endpoints.by_id["a"].is_down(clock() + 7.1)


def test_without_cooldowns_failures_leave_an_endpoint_in_use():
    endpoints = Endpoints(Group("m", "m", (Endpoint("a"), Endpoint("b")), cooldown=Cooldown(enabled=False)), clock := Clock())
    for _ in range(20):
        endpoints.failed(endpoints.by_id["a"], "timeout", 504)
    assert not endpoints.by_id["a"].is_down(clock())


def test_an_endpoint_without_a_share_remembers_no_calls(clock: Clock):
    """Else each request would take memory for as long as the process lives."""
    endpoints = _endpoints(clock, {}, {"requests_per_minute": 5})
    for _ in range(10):
        endpoints.choose()
    assert [len(state.recent) for state in endpoints.states] == [0, 5]


# Since when an endpoint is down or up.


def _since(state: State) -> tuple[float | None, float | None]:
    return state.down_since, state.up_since


def test_an_endpoint_is_down_since_its_third_failure_whatever_follows(clock: Clock):
    """Also a single endpoint, which is asked all the same."""
    endpoints = _endpoints(clock, {})
    state = endpoints.states[0]
    _fail(endpoints, "a", 2)
    assert state.down_since is None
    _fail(endpoints, "a", 1)
    clock.now += 10
    _fail(endpoints, "a", 1)
    assert _since(state) == (1000.0, None)
    assert not state.is_down(clock())
    endpoints.answered(state, 0.1)
    assert _since(state) == (None, 1010.0)


def test_an_endpoint_is_down_since_its_cooldown_where_that_begins_earlier(clock: Clock):
    group = Group("m", "m", (Endpoint("a"), Endpoint("b")), cooldown=Cooldown(allowed_fails=0))
    endpoints = Endpoints(group, clock)
    _fail(endpoints, "a", 1)
    assert endpoints.by_id["a"].down_since == 1000.0


def test_the_last_failure_is_kept_with_its_time(clock: Clock):
    endpoints = _endpoints(clock, {}, {})
    endpoints.failed(endpoints.by_id["a"], "server_error", 503)
    clock.now += 1
    endpoints.failed(endpoints.by_id["a"], "timeout", 504)
    assert endpoints.by_id["a"].error == LastError("timeout", 504, 1001.0)


def test_an_endpoint_that_another_process_found_down_is_down_since_then(clock: Clock):
    endpoints = _endpoints(clock, {}, {})
    endpoints.merge({"a": PeerReport({"other": 10.0})})
    assert endpoints.by_id["a"].down_since == 1000.0


def _checked_down(clock: Clock) -> tuple[Endpoints, State]:
    """Return endpoints, one of which has failed its checks for five seconds."""
    endpoints = _endpoints(clock, {}, {})
    state = endpoints.by_id["a"]
    state.checked_down = True
    state.goes_down(clock())
    clock.now += 5
    return endpoints, state


def test_what_checks_have_returned_is_up_and_clear(clock: Clock):
    endpoints, state = _checked_down(clock)
    endpoints.returned(state)
    assert (state.checked_down, state.up_since, state.down_since) == (False, 1005.0, None)


def test_an_answer_does_not_end_what_failed_checks_say(clock: Clock):
    """A request that began before the check may still be answered."""
    endpoints, state = _checked_down(clock)
    endpoints.answered(state, 1.0)
    assert (state.up_since, state.down_since) == (None, 1000.0)


def test_a_cooldown_that_ends_within_the_second_is_still_one(clock: Clock):
    endpoints = _endpoints(clock, {}, {})
    _fail(endpoints, "a")
    clock.now += COOLDOWN_SECONDS - 0.5
    assert endpoints.found_down(5.0) == {"a": 0.5}
    clock.now += 0.5
    assert endpoints.found_down(5.0) == {}


def test_at_the_end_of_a_cooldown_the_next_one_is_said_again(clock: Clock, caplog: pytest.LogCaptureFixture):
    endpoints = _endpoints(clock, {}, {})
    _fail(endpoints, "a")
    clock.now += COOLDOWN_SECONDS - 1
    _fail(endpoints, "a", 1)  # which makes it longer
    assert len(caplog.records) == 1
    clock.now += COOLDOWN_SECONDS
    _fail(endpoints, "a", 1)
    assert len(caplog.records) == 2


def test_a_failure_without_a_status_says_its_cause_alone(clock: Clock, caplog: pytest.LogCaptureFixture):
    endpoints = _endpoints(clock, {}, {})
    for _ in range(FAILURES_IN_A_ROW):
        endpoints.failed(endpoints.by_id["a"], "timeout", 0)
    assert caplog.records[0].getMessage() == "endpoint a is skipped after 3 failures in a row, for 30 s: timeout"


def test_weights_are_followed_as_evenly_as_they_allow(clock: Clock):
    """The order of nginx's smooth weighted round robin, also when an endpoint joins later."""
    endpoints = _endpoints(clock, {"weight": 5}, {"weight": 1}, {"weight": 1}, strategy="weighted")
    assert _pick(endpoints, 7) == "aabacaa"
    endpoints = _endpoints(clock, {"weight": 2}, {"weight": 1}, strategy="weighted")
    endpoints.by_id["b"].checked_down = True
    assert _pick(endpoints, 4) == "aaaa"
    endpoints.by_id["b"].checked_down = False
    assert _pick(endpoints, 6) == "abaaba"
