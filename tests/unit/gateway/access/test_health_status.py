"""GET /health: what is said of the gateway, of each model and of each endpoint."""

from __future__ import annotations

import asyncio
import re
from typing import Any

import pytest

from langop_model.contract.settings import Limits
from langop_model.gateway.access.health_status import Known, report
from langop_model.gateway.limits.sliding_window import Used
from langop_model.gateway.routing.endpoints import PeerReport, State
from langop_model.gateway.routing.health_checks import HealthChecker
from langop_model.gateway.supervisor_state import Reload, SupervisorState
from langop_model.gateway.upstreams.base import CheckFailedError, FailureKind, UpstreamError
from tests.unit.gateway.worker import CHECK, CONFIGURATION, Worker


def of(worker: Worker, known: Known | None = None) -> dict[str, Any]:
    return report([worker.runtime], CONFIGURATION, known or Known())


def first(worker: Worker, known: Known | None = None) -> dict[str, Any]:
    """Return what is said of the first endpoint."""
    found: dict[str, Any] = of(worker, known)["models"]["m"]["endpoints"][0]
    return found


def test_an_endpoint_that_nobody_has_asked_is_unknown():
    assert first(Worker()) == {"id": "m/0", "status": "unknown", "failures_in_a_row": 0, "in_flight": 0}


def test_an_endpoint_that_answers_is_up_since_its_first_answer():
    worker = Worker()
    worker.runtime.endpoints.answered(worker.state, 0.1)
    since = first(worker)["since"]
    worker.clock.now += 5
    worker.runtime.endpoints.answered(worker.state, 0.1)
    found = first(worker)
    assert (found["status"], found["last_answer_seconds_ago"]) == ("up", 0)
    assert found["since"] < since  # the clock of the endpoints has moved, and that of the system has not


def test_an_endpoint_on_cooldown_says_since_when_until_when_and_why():
    worker = Worker(limits=Limits())
    for _ in range(4):
        worker.runtime.endpoints.failed(worker.state, "timeout", 504)
    worker.clock.now += 2
    found = first(worker)
    assert (found["status"], found["failures_in_a_row"]) == ("down", 4)
    assert found["last_error"] == {"cause": "timeout", "status_code": 504, "seconds_ago": 2.0}
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", found["cooldown_until"])
    assert found["since"] < found["cooldown_until"]
    assert of(worker)["models"]["m"]["status"] == "degraded"


def test_an_endpoint_that_still_fails_is_down_since_the_first():
    """After its cooldown."""
    worker = Worker()
    worker.runtime.endpoints.merge({"m/0": PeerReport({"other": 100.0})})
    since = worker.state.down_since
    for _ in range(3):
        worker.clock.now += 1
        worker.runtime.endpoints.failed(worker.state, "timeout", 504)
    assert worker.state.down_since == since


def test_a_failed_check_says_when_and_why():
    worker = Worker(health_check=CHECK)
    checker = HealthChecker(worker.runtime.endpoints, worker.state, CHECK, None)  # type: ignore[arg-type]
    checker.error = ("server_error", 503)
    checker.learn(False)
    found = first(worker)
    assert (found["status"], found["last_check_seconds_ago"]) == ("down", 0)
    assert found["last_check_error"] == {"cause": "server_error", "status_code": 503, "seconds_ago": 0}
    for _ in range(2):
        checker.learn(True)
    assert first(worker)["status"] == "up"
    assert "last_check_error" not in first(worker)


@pytest.mark.parametrize(
    ("problem", "error"),
    [
        (CheckFailedError("status 503", 503), {"cause": "server_error", "status_code": 503}),
        (CheckFailedError("status 401", 401), {"cause": "client_error", "status_code": 401}),
        (CheckFailedError("no connection"), {"cause": "server_error"}),
        (TimeoutError(), {"cause": "timeout"}),
        (UpstreamError(FailureKind.HTTP, 429, "m", cause="rate_limit"), {"cause": "rate_limit", "status_code": 429}),
    ],
    ids=str,
)
def test_what_a_check_has_met(problem: Exception, error: dict[str, Any]):
    async def probe(_: State) -> None:
        raise problem

    worker = Worker(health_check=CHECK)
    checker = HealthChecker(worker.runtime.endpoints, worker.state, CHECK, probe)
    checker.learn(asyncio.run(checker.check()))
    assert first(worker)["last_check_error"] == {**error, "seconds_ago": 0}


def test_an_earlier_requests_answer_does_not_end_a_failed_check():
    worker = Worker(health_check=CHECK)
    checker = HealthChecker(worker.runtime.endpoints, worker.state, CHECK, None)  # type: ignore[arg-type]
    checker.learn(False)
    worker.runtime.endpoints.answered(worker.state, 0.1)
    assert first(worker)["status"] == "down"
    assert worker.state.down_since is not None


def test_what_is_used_of_the_limits():
    worker = Worker(limits=Limits(requests_per_minute=10, concurrent_requests=2))
    model = of(worker, Known(used={"m": Used(7, 0, 2)}))["models"]["m"]
    assert model["limits"] == {
        "requestsPerMinute": {"limit": 10, "used": 7},
        "concurrentRequests": {"limit": 2, "used": 2},
    }
    assert model["queued"] == 0


def test_the_region_of_an_endpoint():
    assert first(Worker(), Known(regions={"m/0": "eu-west-1"}))["region"] == "eu-west-1"


def test_what_the_supervisor_knows():
    finding = {"code": "LM726", "message": "the changed specification is not served"}
    state = SupervisorState(2, 1, True, 3, Reload(0.0, (finding,), 60.0), ("1", "2", "3"))
    found = of(Worker(), Known(supervisor=state))
    assert found["status"] == "degraded"
    assert found["configuration"] == {"hash": "4f297c4b6b5a", "served_since": "1970-01-01T00:00:00Z"}
    assert found["refused_change"] == {"since": "1970-01-01T00:01:00Z", "findings": [finding]}
    assert found["workers"] == {"serving": 2, "restarts": 1}
    assert found["translator"] == {"status": "up", "restarts": 3}
    assert found["versions"] == {"gateway": "1", "litellm": "2", "python": "3"}


def test_a_redis_or_a_translator_that_is_down_degrades_the_gateway():
    assert of(Worker(), Known(redis=True))["status"] == "healthy"
    assert of(Worker(), Known(redis=False))["status"] == "degraded"
    down = SupervisorState(translator_up=False)
    assert of(Worker(), Known(supervisor=down))["status"] == "degraded"


def test_what_is_not_used_is_not_mentioned():
    assert of(Worker()).keys() == {"status", "configuration", "models"}
