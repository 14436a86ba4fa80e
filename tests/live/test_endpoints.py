"""spec.loadBalancing: which endpoint a request goes to."""

from __future__ import annotations

import math
import time
from typing import Any

import pytest

from tests.live.laboratory import NOBODY, Laboratory, at, balanced, statuses

PARTS = ("a", "b", "c")
OFTEN = {"enabled": True, "interval": "400ms", "timeout": "3s", "healthyThreshold": 1, "unhealthyThreshold": 1}


def _each(name: str, weights: tuple[int, ...] = (1, 1, 1), **fields: Any) -> dict[str, Any]:
    parts = zip(PARTS, weights, strict=False)
    return balanced(*({"url": at(f"{name}-{part}"), "weight": weight} for part, weight in parts), **fields)


def _prioritized(name: str, *priorities: int, **fields: Any) -> dict[str, Any]:
    parts = zip(PARTS, priorities, strict=False)
    return balanced(*({"url": at(f"{name}-{part}"), "priority": priority} for part, priority in parts), **fields)


MODELS = {
    "in-turn": _each("in-turn", strategy="round-robin"),
    "in-turn-gone": balanced("in-turn-gone-a", {"url": NOBODY}, "in-turn-gone-c", strategy="round-robin"),
    "by-weight": _each("by-weight", (50, 30, 20), strategy="weighted"),
    "by-weight-zero": _each("by-weight-zero", (1, 0, 1), strategy="weighted"),
    "in-turn-zero": _each("in-turn-zero", (1, 0, 1), strategy="round-robin"),
    "by-chance": _each("by-chance", strategy="random"),
    "least": _each("least", strategy="least-connections"),
    "least-slow": _each("least-slow", strategy="least-connections"),
    "least-failing": _each("least-failing", strategy="least-connections"),
    "least-stream": _each("least-stream", (1, 1), strategy="least-connections"),
    "fastest": _each("fastest", strategy="latency-based"),
    "first": _prioritized("first", 1, 0, 0),
    "first-down": _prioritized("first-down", 0, 1, 2, healthCheck=OFTEN),
    "first-full": _prioritized("first-full", 1, 0, rateLimits={"requestsPerMinute": 6}, timeout="20s"),
}


def _labels(model: str) -> list[str]:
    return [f"{model}-{part}" for part in PARTS]


def _order(laboratory: Laboratory, model: str) -> str:
    """Return the parts of a model's endpoints, in the order of its requests until now."""
    return "".join(seen.endpoint[-1] for seen in laboratory.seen(*_labels(model)))


def _is_near(count: int, total: int, share: float) -> None:
    """Assert that a count is what chance makes of a share: within 4.5 standard errors, once in 100,000 times not."""
    assert abs(count - total * share) <= 4.5 * math.sqrt(total * share * (1 - share))


def test_round_robin_takes_each_in_turn(laboratory: Laboratory):
    laboratory.ask_often("in-turn", 9)
    assert _order(laboratory, "in-turn") == "abcabcabc"


def test_round_robin_goes_on_without_an_endpoint_that_is_down(laboratory: Laboratory):
    assert statuses(laboratory.ask_often("in-turn-gone", 16)) == {200: 16}
    assert _order(laboratory, "in-turn-gone").endswith("acacac")


def test_weighted_follows_the_weights(laboratory: Laboratory):
    """Within 3 standard errors of what chance would make of 1,000 requests; the choice is smoother than chance."""
    laboratory.ask_often("by-weight", 1000, at_once=8)
    shares = laboratory.shares(*_labels("by-weight"))
    for label, share in zip(_labels("by-weight"), (0.5, 0.3, 0.2), strict=True):
        assert abs(shares[label] - 1000 * share) <= 3 * math.sqrt(1000 * share * (1 - share))


@pytest.mark.parametrize("model", ["by-weight-zero", "in-turn-zero"])
def test_a_weight_of_zero_gets_nothing(laboratory: Laboratory, model: str):
    laboratory.ask_often(model, 20, at_once=4)
    shares = laboratory.shares(*_labels(model))
    assert shares[f"{model}-a"] + shares[f"{model}-c"] == 20
    assert min(shares[f"{model}-a"], shares[f"{model}-c"]) > 0


def test_random_uses_all_equally_often_and_in_no_order(laboratory: Laboratory):
    laboratory.ask_often("by-chance", 90)
    for label in _labels("by-chance"):
        _is_near(laboratory.shares(label)[label], 90, 1 / 3)
    order = _order(laboratory, "by-chance")
    assert any(order[index] == order[index + 1] for index in range(89))


def test_least_connections_takes_equals_in_turn(laboratory: Laboratory):
    laboratory.ask_often("least", 6)
    assert _order(laboratory, "least") == "abcabc"


def test_least_connections_gives_a_slow_endpoint_fewer(laboratory: Laboratory):
    laboratory.provider.behave("least-slow-a", delay=1)
    for part in "bc":
        laboratory.provider.behave(f"least-slow-{part}", delay=0.05)
    assert statuses(laboratory.ask_often("least-slow", 60, at_once=6)) == {200: 60}
    shares = laboratory.shares(*_labels("least-slow"))
    assert shares["least-slow-a"] < 60 / 3 / 2


def test_least_connections_is_not_drawn_to_an_endpoint_that_fails_fast(laboratory: Laboratory):
    laboratory.provider.behave("least-failing-a", status=500)
    for part in "bc":
        laboratory.provider.behave(f"least-failing-{part}", delay=0.1)
    assert statuses(laboratory.ask_often("least-failing", 60, at_once=6)) == {200: 60}
    assert laboratory.shares("least-failing-a")["least-failing-a"] < 60 / 3 / 2


def test_least_connections_counts_a_stream_to_its_end(laboratory: Laboratory):
    laboratory.provider.behave("least-stream-a", chunk_delay=0.3, text="one two three four five six seven eight")
    stream = laboratory.ask_in_background("least-stream", stream=True)
    laboratory.wait_for(1, "least-stream-a")
    laboratory.ask_often("least-stream", 6)
    assert not stream.done()
    assert laboratory.shares(*_labels("least-stream")) == {"least-stream-a": 1, "least-stream-b": 6}
    stream.result()


def test_latency_based_leaves_a_slow_endpoint_and_returns_when_it_recovers(laboratory: Laboratory):
    labels = _labels("fastest")
    laboratory.provider.behave("fastest-a", delay=0.4)
    for part in "bc":
        laboratory.provider.behave(f"fastest-{part}", delay=0.05)
    laboratory.ask_often("fastest", 40, at_once=4)
    learnt = len(laboratory.seen(*labels))
    laboratory.ask_often("fastest", 60, at_once=4)
    slow = [seen.endpoint for seen in laboratory.seen(*labels)[learnt:]].count("fastest-a")
    assert slow / 60 < 0.2
    for part in "abc":
        laboratory.provider.behave(f"fastest-{part}", delay=0.05)
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        before = len(laboratory.seen(*labels))
        laboratory.ask_often("fastest", 60, at_once=6)
        if [seen.endpoint for seen in laboratory.seen(*labels)[before:]].count("fastest-a") > 60 * 0.2:
            return
    pytest.fail("the endpoint that has recovered is skipped")


def test_a_lower_priority_is_not_used_while_a_higher_one_answers(laboratory: Laboratory):
    laboratory.ask_often("first", 8)
    assert _order(laboratory, "first") == "bcbcbcbc"


def test_a_lower_priority_serves_while_all_above_are_down_and_no_longer(laboratory: Laboratory):
    laboratory.provider.behave("first-down-a", status=503)
    laboratory.provider.behave("first-down-b", disconnect=True)
    assert statuses(laboratory.ask_often("first-down", 10)) == {200: 10}
    assert _order(laboratory, "first-down").endswith("c" * 5)
    laboratory.provider.behave("first-down-b")
    _ask_until(laboratory, "first-down", "b" * 4)
    laboratory.provider.behave("first-down-a")
    _ask_until(laboratory, "first-down", "a" * 4)


def _ask_until(laboratory: Laboratory, model: str, end: str) -> None:
    deadline = time.monotonic() + 60
    while not _order(laboratory, model).endswith(end):
        assert time.monotonic() < deadline, f"{_order(laboratory, model)} never ends with {end}"
        assert laboratory.ask(model).status_code == 200
        time.sleep(0.05)


def test_a_lower_priority_serves_what_exceeds_the_share_of_those_above(laboratory: Laboratory):
    assert statuses(laboratory.ask_often("first-full", 7)) == {200: 6, 429: 1}
    assert _order(laboratory, "first-full") == "bbbaaa"
