"""GET /health of several workers: what one leaves for the others, and what together they say."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from langop_model.contract.settings import Limits
from langop_model.gateway.access import worker_health
from langop_model.gateway.access.health_status import Known, report
from langop_model.gateway.access.worker_health import WorkerHealth
from langop_model.gateway.limits.sliding_window import Reservation
from langop_model.gateway.routing.health_checks import HealthChecker
from langop_model.gateway.serving.shared_metrics import SharedMetrics
from tests.unit.gateway.worker import CHECK, CONFIGURATION, Worker

SERVED = CONFIGURATION.fingerprint


def left_by(worker: Worker, redis: bool | None = None) -> WorkerHealth:
    """Return what another worker reads of what this one leaves."""
    return worker_health.load(worker_health.dump([worker.runtime], SERVED, redis), SERVED)


def two(**fields: Any) -> tuple[Worker, Worker]:
    """Return two workers with one clock, as processes of one machine have it."""
    one, other = Worker(**fields), Worker(**fields)
    other.runtime.endpoints.clock = one.runtime.endpoints.clock
    return one, other


def said(asked: Worker, *others: Worker) -> dict[str, Any]:
    """Return what a worker says of the model."""
    known = Known(workers=[left_by(other) for other in others])
    model: dict[str, Any] = report([asked.runtime], CONFIGURATION, known)["models"]["m"]
    return model


def first(asked: Worker, *others: Worker) -> dict[str, Any]:
    endpoint: dict[str, Any] = said(asked, *others)["endpoints"][0]
    return endpoint


def fail(worker: Worker, times: int = 3) -> None:
    for _ in range(times):
        worker.runtime.endpoints.failed(worker.state, "timeout", 504)


def test_nothing_is_left_of_what_nobody_has_asked():
    assert left_by(Worker(limits=Limits(5))) == WorkerHealth()


def test_what_one_worker_has_seen_any_worker_says():
    one, other = two()
    fail(one)
    one.clock.now += 2
    other.runtime.endpoints.answered(other.runtime.endpoints.states[1], 0.1)
    assert said(other, one) == said(one, other)
    found = first(other, one)
    assert (found["status"], found["failures_in_a_row"]) == ("down", 3)
    assert found["last_error"] == {"cause": "timeout", "status_code": 504, "seconds_ago": 2.0}
    assert found["since"] < found["cooldown_until"]
    assert said(other, one)["status"] == "degraded"


def test_the_newest_error_and_the_newest_answer_count():
    one, other = two()
    one.runtime.endpoints.failed(one.state, "timeout", 504)
    one.clock.now += 1
    other.runtime.endpoints.failed(other.state, "server_error", 503)
    one.clock.now += 1
    other.runtime.endpoints.answered(other.state, 0.1)
    for found in (first(one, other), first(other, one)):
        assert found["last_error"]["cause"] == "server_error"
        assert (found["status"], found["failures_in_a_row"], found["last_answer_seconds_ago"]) == ("up", 0, 0)


def test_failures_before_an_answer_elsewhere_do_not_keep_an_endpoint_down():
    """One of several workers may get no request for hours. An endpoint that is alone has no cooldown."""
    one, other = two()
    one.runtime.endpoints.allowed_failures = float("inf")
    fail(one, 5)
    assert first(other, one)["status"] == "down"
    one.clock.now += 1
    other.runtime.endpoints.answered(other.state, 0.1)
    assert first(one, other)["status"] == first(other, one)["status"] == "up"


def test_requests_in_flight_and_in_the_queue_add_up():
    one, other = two(limits=Limits(concurrent_requests=5))
    for worker, count in ((one, 2), (other, 3)):
        worker.state.in_flight = worker.runtime.admission.queued = count
    assert first(one, other)["in_flight"] == 5
    assert said(one, other)["queued"] == 5


def test_of_a_limit_the_worker_that_uses_most_counts():
    one, other = two(limits=Limits(requests_per_minute=9))
    for number in range(4):
        assert isinstance(other.runtime.admission.store.admit_now(str(number), None), Reservation)  # type: ignore[attr-defined]
    assert said(one, other)["limits"] == {"requestsPerMinute": {"limit": 9, "used": 4}}


def test_the_last_check_is_that_of_any_worker():
    one, other = two(health_check=CHECK)
    checker = HealthChecker(one.runtime.endpoints, one.state, CHECK, None)  # type: ignore[arg-type]
    checker.error = ("server_error", 503)
    checker.learn(False)
    found = first(other, one)
    assert (found["status"], found["last_check_error"]["status_code"]) == ("down", 503)
    one.clock.now += 1
    HealthChecker(other.runtime.endpoints, other.state, CHECK, None).learn(True)  # type: ignore[arg-type]
    assert "last_check_error" not in first(one, other)
    assert first(one, other)["status"] == "down"  # until the worker that skips it has seen it answer


def test_an_endpoint_of_another_configuration_is_another_one():
    """A worker that finishes its requests after a change knows the endpoint of the same id as it was before."""
    worker = Worker()
    fail(worker)
    content = worker_health.dump([worker.runtime], "before", False)
    assert worker_health.load(content, SERVED) == WorkerHealth()
    assert worker_health.load(content, "before") != WorkerHealth()


@pytest.mark.parametrize("content", [b"", b"{}", b"[]", b'{"configuration":"c","redis":true,"models":{"m":[0,[0],{}]}}'])
def test_what_a_worker_of_another_version_leaves_is_ignored(content: bytes):
    assert worker_health.load(content, "c") == WorkerHealth()


def test_redis_is_down_where_any_worker_does_not_reach_it():
    def redis(own: bool, other: bool | None) -> str:
        known = Known(redis=own, workers=[left_by(Worker(), other)])
        status: str = report([Worker().runtime], CONFIGURATION, known)["redis"]["status"]
        return status

    assert [redis(True, True), redis(True, False), redis(False, True), redis(True, None)] == ["up", "down", "down", "up"]


def test_it_goes_through_the_folder_and_with_its_worker(monkeypatch: pytest.MonkeyPatch):
    folder = SharedMetrics()
    monkeypatch.setattr(os, "getpid", lambda: 4711)
    folder.write(b"metrics")
    folder.write_health(b"health")
    assert folder.health_of_others() == []
    monkeypatch.setattr(os, "getpid", lambda: 4712)
    assert (folder.others(), folder.health_of_others()) == ([b"metrics"], [b"health"])
    folder.retire(4711)
    assert (folder.others(), folder.health_of_others()) == ([], [])
    folder.remove()
    assert not Path(folder.folder).exists()
