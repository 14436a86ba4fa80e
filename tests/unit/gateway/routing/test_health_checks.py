"""When checks put an endpoint out of use, and when they return it."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable

import pytest

from langop_model.contract.settings import Cause, Endpoint, Group, HealthCheck
from langop_model.gateway.routing.endpoints import FAILURES_IN_A_ROW, Endpoints, LastError, State
from langop_model.gateway.routing.health_checks import HealthChecker, Probe
from langop_model.gateway.upstreams.base import CLIENT_ERROR, CheckFailedError, FailureKind, UpstreamError
from tests.unit.gateway.virtual_time import run


async def _unasked(_: State) -> None:
    raise AssertionError("these tests say what a check found")


def _watch(healthy: int, unhealthy: int, probe: Probe = _unasked, clock: Callable[[], float] = lambda: 1000.0) -> HealthChecker:
    endpoints = Endpoints(Group("model", "model", (Endpoint("a"), Endpoint("b")), "round-robin"), clock=clock)
    settings = HealthCheck(interval=30, timeout=5, healthy_threshold=healthy, unhealthy_threshold=unhealthy)
    return HealthChecker(endpoints, endpoints.states[0], settings, probe)


def _down_after(watch: HealthChecker, checks: str) -> str:
    """Return for each check, + or -, whether the endpoint is down after it: d for down, u for up."""
    states = []
    for check in checks:
        watch.learn(check == "+")
        states.append("d" if watch.state.is_down(1000.0) else "u")
    return "".join(states)


def test_an_endpoint_leaves_and_returns_at_its_thresholds():
    assert _down_after(_watch(2, 3), "---++") == "uuddu"
    assert _down_after(_watch(1, 1), "-+-+") == "dudu"


def test_checks_count_in_a_row():
    assert _down_after(_watch(2, 3), "--+--+-") == "uuuuuuu"
    assert _down_after(_watch(3, 1), "-++-+++") == "ddddddu"


def test_good_checks_return_an_endpoint_that_requests_have_left_out():
    watch = _watch(2, 3)
    assert _down_after(watch, "++") == "uu"
    for _ in range(FAILURES_IN_A_ROW):
        watch.endpoints.failed(watch.state, "timeout", 504)
    assert watch.state.is_down(1000.0)
    assert _down_after(watch, "++") == "du"


# What is kept of a check, for GET /health, metrics and the log.


def test_checks_are_counted_by_what_they_found():
    watch = _watch(2, 3)
    _down_after(watch, "+--")
    assert watch.state.checks == {True: 1, False: 2}
    assert watch.state.checked_at == 1000.0


def test_an_endpoint_that_fails_checks_is_a_line_with_the_reason(caplog: pytest.LogCaptureFixture):
    watch = _watch(2, 2)
    watch.reason = "no answer within 5 s"
    _down_after(watch, "---")
    (line,) = caplog.records
    assert line.getMessage() == "endpoint a is skipped after 2 failed checks: no answer within 5 s"


def test_an_endpoint_that_returns_is_a_line(caplog: pytest.LogCaptureFixture):
    watch = _watch(2, 1)
    _down_after(watch, "-")
    caplog.clear()
    caplog.set_level(logging.INFO)
    _down_after(watch, "++")
    (line,) = caplog.records
    assert line.getMessage() == "endpoint a is healthy again after 2 successful checks"


def test_an_endpoint_is_down_since_the_check_that_reached_the_threshold():
    watch = _watch(1, 2)
    _down_after(watch, "-")
    assert watch.state.down_since is None
    _down_after(watch, "-")
    assert watch.state.down_since == 1000.0
    _down_after(watch, "+")
    assert (watch.state.down_since, watch.state.up_since) == (None, 1000.0)


# Asking.


def _refused(status: int) -> UpstreamError:
    return UpstreamError(FailureKind.HTTP, status, "refused", cause=Cause.RATE_LIMIT)


@pytest.mark.parametrize(
    ("problem", "reason", "error"),
    [
        (CheckFailedError("no such path", 404), "no such path", (CLIENT_ERROR, 404)),
        (CheckFailedError("bad request", 400), "bad request", (CLIENT_ERROR, 400)),
        (CheckFailedError("broken", 500), "broken", (Cause.SERVER_ERROR, 500)),
        (CheckFailedError("moved", 302), "moved", (Cause.SERVER_ERROR, 302)),
        (CheckFailedError("can't connect"), "can't connect", (Cause.SERVER_ERROR, 0)),
        (_refused(429), "refused", (Cause.RATE_LIMIT, 429)),
        (OSError(), "OSError", (Cause.SERVER_ERROR, 0)),
    ],
    ids=str,
)
def test_a_failed_check_says_why(problem: Exception, reason: str, error: tuple[str, int]):
    async def fail(_: State) -> None:
        raise problem

    watch = _watch(1, 1, fail)
    assert asyncio.run(watch.check()) is False
    watch.learn(is_good=False)
    assert (watch.reason, watch.state.check_error) == (reason, LastError(*error, 1000.0))


def test_a_check_without_an_answer_ends_at_the_timeout():
    async def scene(clock: Callable[[], float]) -> tuple[bool, str, tuple[str, int], float]:
        watch = _watch(1, 1, lambda _: asyncio.sleep(60))
        return await watch.check(), watch.reason, watch.error, clock()

    assert run(scene) == (False, "no answer within 5 s", (Cause.TIMEOUT, 0), 5)


def test_a_good_check_clears_what_the_last_one_said():
    watch = _watch(1, 1, lambda _: asyncio.sleep(0))
    watch.reason = "refused"
    assert asyncio.run(watch.check()) is True
    assert watch.reason == ""
    watch.learn(is_good=False)
    watch.learn(is_good=True)
    assert watch.state.check_error is None


@pytest.mark.parametrize(("takes", "starts"), [(0, [0, 30, 60]), (4, [0, 30, 60])])
def test_checks_start_at_the_interval_whatever_they_take(takes: float, starts: list[float]):
    async def scene(clock: Callable[[], float]) -> tuple[list[float], float]:
        asked = []

        async def probe(state: State) -> None:
            assert state.endpoint.id == "a"
            asked.append(clock())
            await asyncio.sleep(takes)

        watch = _watch(1, 1, probe, clock)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(80):
                await watch.run()
        assert watch.state.checks == {True: 3, False: 0}
        return asked, watch.state.check_seconds

    asked, seconds = run(scene)
    assert asked == pytest.approx(starts, abs=0.1)
    assert seconds == pytest.approx(takes, abs=0.1)


def test_a_check_that_takes_longer_than_the_interval_is_followed_at_once():
    async def scene(clock: Callable[[], float]) -> list[float]:
        asked = []

        async def probe(_: State) -> None:
            asked.append(clock())
            await asyncio.sleep(60)

        endpoints = Endpoints(Group("model", "model", (Endpoint("a"),)), clock)
        watch = HealthChecker(endpoints, endpoints.states[0], HealthCheck(2, 5, 1, 1), probe)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(12):
                await watch.run()
        assert watch.state.checked_down
        return asked

    assert run(scene) == pytest.approx([0, 5, 10], abs=0.1)
