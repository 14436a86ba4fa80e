"""What a scrape costs with 500 models, beside the library that it replaces."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from prometheus_client import CollectorRegistry, Counter, generate_latest

from langop_model.contract.settings import Endpoint, Group, Limits
from langop_model.gateway.accounting.exposition import TEXT, _Histograms, _Values
from langop_model.gateway.accounting.metrics import Metrics

if TYPE_CHECKING:
    import pytest

MODELS = 500


def cpu(call: Callable[[], object], before: Callable[[], object] = bool) -> float:
    """Return the least CPU time of three calls, in seconds; `before` is done before each."""

    def once() -> float:
        before()
        started = time.process_time()
        call()
        return time.process_time() - started

    return min(once() for _ in range(3))


def test_500_models_cost_a_thirtieth_of_prometheus_clients_cpu():
    """For the same number of series, each of which has counted something since the last scrape."""
    metrics = Metrics([Group(f"m{at}", "m", (Endpoint(f"m{at}/0"),), limits=Limits(10)) for at in range(MODELS)])

    def count() -> None:
        for family in metrics.registry.families.values():
            for child in family.children.values():
                child.observe(1.0) if hasattr(child, "observe") else child.inc()

    series = metrics.text().count(b"\n")
    registry = CollectorRegistry()
    counter = Counter("c", "c.", ["model", "endpoint"], registry=registry)
    for at in range(series // 2):  # of each it shows the time of its creation too
        counter.labels(f"m{at}", "endpoint").inc()
    assert generate_latest(registry).count(b"\n") > 0.9 * series
    assert cpu(lambda: metrics.text(media_type=TEXT), count) < cpu(lambda: generate_latest(registry)) / 30


def test_what_has_not_changed_since_the_last_scrape_is_not_written_again(monkeypatch: pytest.MonkeyPatch):
    metrics = Metrics([Group("m", "m", (Endpoint("m/0"),))])
    duration = metrics.request_duration.labels("m", "chat", "success")
    duration.observe(0.5)
    metrics.in_flight.labels("m").inc()
    metrics.text()
    written: list[str] = []

    for lines in (_Values, _Histograms):

        def noted(self: Any, *numbers: Any, write: Callable[..., list[bytes]] = lines._texts) -> list[bytes]:
            written.append(self.definition.name)
            return write(self, *numbers)

        monkeypatch.setattr(lines, "_texts", noted)

    def changed() -> set[str]:
        written.clear()
        metrics.text()
        return {name for name in written if not name.startswith("process_")}

    assert changed() == set()
    duration.observe(0.5)
    assert changed() == {"gen_ai_server_request_duration_seconds"}
    metrics.in_flight.labels("m").value -= 1
    assert changed() == {"langop_requests_in_flight"}
    assert b'langop_requests_in_flight{model="m"} 0\n' in metrics.text()


def test_what_another_worker_has_not_counted_is_not_written_again(monkeypatch: pytest.MonkeyPatch):
    """Nor is what it has counted for a model that is served no more."""
    one, other = (Metrics([Group("m", "m", (Endpoint("m/0"),))]) for _ in range(2))
    other.in_flight.labels("m").inc()
    other.request_duration.labels("gone", "chat", "success").observe(1)
    one.text([other.snapshot()])
    with monkeypatch.context() as patch:
        patch.setattr(_Histograms, "_texts", None)
        other.in_flight.labels("m").inc()
        assert b'langop_requests_in_flight{model="m"} 2\n' in one.text([other.snapshot()])
    assert b'langop_requests_in_flight{model="m"} 0\n' in one.text()
