"""Gauges: what a worker reads when it is scraped, and what the supervisor adds."""

from __future__ import annotations

import asyncio

import pytest

from langop_model.contract.settings import Caching, Endpoint, Group, Limits
from langop_model.gateway.accounting.definitions import BY_NAME
from langop_model.gateway.accounting.gauges import Gauges, snapshot_of
from langop_model.gateway.accounting.metrics import Metrics
from langop_model.gateway.accounting.snapshots import retire
from langop_model.gateway.routing.endpoints import PeerReport
from langop_model.gateway.routing.health_checks import HealthChecker
from langop_model.gateway.shared_state import SharedState
from langop_model.gateway.supervisor_state import Reload, SupervisorState
from tests.unit.gateway.samples import value
from tests.unit.gateway.worker import CHECK, ENDPOINT, Worker


def test_what_is_used_of_each_limit():
    worker = Worker(limits=Limits(requests_per_minute=9, tokens_per_minute=100, concurrent_requests=3))

    def used(limit: str) -> float | None:
        return worker.shown("langop_limit_used", model="m", limit=f"rateLimits.{limit}")

    admission = worker.runtime.admission
    first, _ = (asyncio.run(admission.admit(tokens, float("inf"))) for tokens in (10, 20))
    assert (used("requestsPerMinute"), used("concurrentRequests")) == (2, 2)
    admission.settle(first, 15)
    assert (used("requestsPerMinute"), used("tokensPerMinute"), used("concurrentRequests")) == (2, 15 + 20, 1)


def test_the_queue_is_that_of_the_model_whose_limit_it_is():
    worker = Worker(limits=Limits(concurrent_requests=1))
    admission = worker.runtime.admission

    async def wait() -> float | None:
        await admission.admit(None, admission.clock() + 60)
        waiting = asyncio.ensure_future(admission.admit(None, admission.clock() + 60))
        await asyncio.sleep(0)
        worker.gauges.read()
        waiting.cancel()
        return value(worker.metrics.text(), "langop_queue_length", model="m")

    assert asyncio.run(wait()) == 1
    assert worker.shown("langop_queue_length", model="m") == 0


def test_an_endpoint_on_cooldown():
    worker = Worker()
    for _ in range(3):
        worker.runtime.endpoints.failed(worker.state, "server_error", 500)
    assert worker.shown("langop_endpoint_up", **ENDPOINT) == 0
    assert worker.shown("langop_endpoint_in_cooldown", **ENDPOINT) == 1
    assert worker.down_because() == {"failures"}
    worker.clock.now += 31
    assert worker.shown("langop_endpoint_up", **ENDPOINT) == 1
    assert worker.shown("langop_endpoint_in_cooldown", **ENDPOINT) == 0
    assert worker.down_because() == set()


def test_an_endpoint_that_another_replica_reports():
    worker = Worker()
    worker.runtime.endpoints.merge({"m/0": PeerReport({"other": 5.0})})
    assert worker.shown("langop_endpoint_up", **ENDPOINT) == 0
    assert worker.down_because() == {"peer"}


def test_a_failed_check():
    worker = Worker(health_check=CHECK)
    checker = HealthChecker(worker.runtime.endpoints, worker.state, CHECK, None)  # type: ignore[arg-type]
    assert worker.shown("langop_health_check_last_timestamp_seconds", **ENDPOINT) == 0
    worker.state.check_seconds = 0.25
    checker.learn(False)
    assert worker.down_because() == {"health_check"}
    assert worker.shown("langop_health_checks_total", **ENDPOINT, result="failure") == 1
    assert worker.shown("langop_health_checks_total", **ENDPOINT, result="success") == 0
    assert worker.shown("langop_health_check_duration_seconds", **ENDPOINT) == 0.25
    assert (worker.shown("langop_health_check_last_timestamp_seconds", **ENDPOINT) or 0) > 1.7e9


@pytest.mark.parametrize(("megabytes", "model"), [(1, "m"), (None, "")])
def test_a_memory_cache_is_as_large_as_its_entries(megabytes: float | None, model: str):
    worker = Worker(caching=Caching("memory", megabytes=megabytes))
    assert worker.shown("langop_cache_size_bytes", model=model) == 0
    assert worker.runtime.cache is not None
    worker.runtime.cache.backend.put("key", b"x" * 1000, None)
    assert 1000 < (worker.shown("langop_cache_size_bytes", model=model) or 0) < 2000


def test_a_redis_that_can_not_be_read_is_down():
    """One that is not named has no series."""
    worker = Worker()
    assert worker.shown("langop_redis_up") is None
    Gauges(worker.metrics, [], SharedState({"REDIS_HOST": "127.0.0.1", "REDIS_PORT": "no number"})).read()
    assert value(worker.metrics.text(), "langop_redis_up") == 0


def test_what_the_supervisor_knows_is_shown_once():
    """Whatever the number of workers."""
    one, other = Worker(), Worker()
    state = SupervisorState(2, 1, True, 3, Reload(loaded_at=1.8e9), ("1.0", "2.0", "3.0"))
    snapshots = [other.metrics.snapshot(), snapshot_of(state)]
    for _ in range(2):  # a scrape must not count it into the worker's own
        text = one.metrics.text(snapshots)
        assert value(text, "langop_workers") == 2
        assert value(text, "langop_worker_restarts_total") == 1
        assert value(text, "langop_translator_up") == 1
        assert value(text, "langop_translator_restarts_total") == 3
        assert value(text, "langop_config_last_reload_successful") == 1
        assert value(text, "langop_config_last_reload_success_timestamp_seconds") == 1.8e9
        assert value(text, "langop_build_info", version="1.0", litellm_version="2.0", python_version="3.0") == 1
        snapshots = [one.metrics.snapshot(), snapshot_of(state)]


def test_a_refused_change_and_a_translator_that_nothing_needs():
    text = Worker().metrics.text([snapshot_of(SupervisorState(reload=Reload(refused=({"code": "LM101"},))))])
    assert value(text, "langop_config_last_reload_successful") == 0
    assert value(text, "langop_translator_up") is None


def test_the_state_is_read_as_it_was_written():
    state = SupervisorState(2, 1, False, 3, Reload(1.0, ({"code": "LM101"},), 2.0), ("a", "b", "c"))
    assert SupervisorState.load(state.dump()) == state


def test_a_model_that_is_no_longer_served_is_not_shown():
    ended = Metrics([Group("former", "former", (Endpoint("former/0"),))])
    ended.requests.labels("former", "success").inc()
    text = Worker().metrics.text([], retire(None, ended.snapshot(), BY_NAME))
    assert b"former" not in text
    assert b'langop_requests_total{model="m"' in text
