"""When checks put an endpoint out of use, and when they return it."""

from __future__ import annotations

from langop_model.contract.settings import Endpoint, Group, HealthCheck
from langop_model.gateway.routing.endpoints import FAILURES_IN_A_ROW, Endpoints, State
from langop_model.gateway.routing.health_checks import HealthChecker


async def _unasked(_: State) -> None:
    raise AssertionError("these tests say what a check found")


def _watch(healthy: int, unhealthy: int) -> HealthChecker:
    endpoints = Endpoints(Group("model", "model", (Endpoint("a"), Endpoint("b")), "round-robin"), clock=lambda: 1000.0)
    settings = HealthCheck(interval=30, timeout=5, healthy_threshold=healthy, unhealthy_threshold=unhealthy)
    return HealthChecker(endpoints, endpoints.states[0], settings, _unasked)


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
        watch.endpoints.failed(watch.state)
    assert watch.state.is_down(1000.0)
    assert _down_after(watch, "++") == "du"
