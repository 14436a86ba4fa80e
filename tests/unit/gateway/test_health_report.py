"""GET /health: what is said of endpoints of which requests and checks have shown something, or nothing."""

from __future__ import annotations

from typing import Any

from langop_model.contract.settings import Endpoint, Group, HealthCheck
from langop_model.gateway.access import health_report
from langop_model.gateway.routing.call import Served
from langop_model.gateway.routing.endpoints import FAILURES_IN_A_ROW
from langop_model.gateway.routing.health import Watch
from tests.unit.gateway.clock import Clock


def served(clock: Clock, *endpoints: str) -> Served:
    group = Served(Group("model", "resource", tuple(Endpoint(each) for each in endpoints), "round-robin"))
    group.endpoints.clock = clock
    return group


def endpoints(group: Served) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = health_report.of_groups([group])["models"]["model"]["endpoints"]
    return found


def test_an_endpoint_that_nobody_has_asked_is_unknown_and_no_reason_to_worry():
    report = health_report.of_groups([served(Clock(), "a")])
    assert report == {
        "status": "healthy",
        "models": {
            "model": {
                "status": "healthy",
                "resource": "resource",
                "endpoints": [{"id": "a", "status": "unknown", "failures_in_a_row": 0, "in_flight": 0}],
            }
        },
    }


def test_an_answer_shows_an_endpoint_up_and_how_long_ago_that_was():
    clock = Clock()
    group = served(clock, "a")
    group.endpoints.answered(group.endpoints.states[0], 0.1)
    clock.now += 12
    (endpoint,) = endpoints(group)
    assert (endpoint["status"], endpoint["last_answer_seconds_ago"]) == ("up", 12)


def test_a_good_check_shows_an_endpoint_up_without_any_answer():
    clock = Clock()
    group = served(clock, "a")
    Watch(group.endpoints, group.endpoints.states[0], HealthCheck(30, 5, 1, 1), {}, dict).learn(good=True)
    clock.now += 3
    (endpoint,) = endpoints(group)
    assert (endpoint["status"], endpoint["last_check_seconds_ago"]) == ("up", 3)
    assert "last_answer_seconds_ago" not in endpoint


def test_failures_in_a_row_show_an_endpoint_down_also_the_only_one():
    clock = Clock()
    group = served(clock, "a")
    for number in range(1, FAILURES_IN_A_ROW + 1):
        group.endpoints.failed(group.endpoints.states[0])
        (endpoint,) = endpoints(group)
        assert endpoint["failures_in_a_row"] == number
        assert (endpoint["status"] == "down") is (number == FAILURES_IN_A_ROW)


def test_a_model_with_one_endpoint_down_is_degraded_and_with_all_down_unhealthy():
    group = served(Clock(), "a", "b")
    for expected, state in zip(("degraded", "unhealthy"), group.endpoints.states, strict=True):
        state.checked_down = True
        report = health_report.of_groups([group])
        assert report["status"] == report["models"]["model"]["status"] == expected


def test_the_worst_model_decides():
    good, bad = served(Clock(), "a"), served(Clock(), "b")
    bad.group = Group("bad", "bad", bad.group.endpoints, "round-robin")
    bad.endpoints.states[0].checked_down = True
    assert health_report.of_groups([bad, good])["status"] == "unhealthy"


def test_without_models_there_is_nothing_wrong():
    assert health_report.of_groups([]) == {"status": "healthy", "models": {}}
