"""Each metric of docs/metrics.md: it is there from the start, and moves when it should, whatever happens to the gateway."""

from __future__ import annotations

import itertools
from typing import Any

import pytest

from langop_model.gateway.accounting.definitions import ALL, BY_NAME
from langop_model.gateway.accounting.registry import Definition
from tests.live.hurt import WATCHED, Hurt, Series, total

pytest_plugins = ["tests.live.hurt"]

# Absent until something needs the translator.
LATE = {"langop_translator_up", "langop_translator_restarts"}
# What does not change while a gateway runs.
CONSTANT = {"langop_build_info"}


def of(definition: Definition, series: Series) -> Series:
    """Return a metric's own samples."""
    names = {definition.series, *(f"{definition.name}_{part}" for part in ("bucket", "sum", "count"))}
    return {key: value for key, value in series.items() if key[0] in names}


@pytest.mark.parametrize("definition", [each for each in ALL if each.name not in LATE], ids=lambda each: each.name)
def test_it_is_there_from_the_start(hurt: Hurt, definition: Definition):
    found = of(definition, hurt.scrapes["start"])
    assert found
    for _, labels in found:
        assert {name for name, _ in labels} - {"le"} == set(definition.labels)


@pytest.mark.parametrize("definition", [each for each in ALL if each.name not in CONSTANT], ids=lambda each: each.name)
def test_it_moves_when_it_should(hurt: Hurt, definition: Definition):
    seen = [of(definition, series) for series in hurt.scrapes.values()]
    assert any(each != seen[0] for each in seen[1:])


def test_nothing_else_is_shown(hurt: Hurt):
    known = {definition.series for definition in ALL}
    known |= {f"{name}_{part}" for name, each in BY_NAME.items() if each.buckets for part in ("bucket", "sum", "count")}
    assert {name for series in hurt.scrapes.values() for name, _ in series} <= known


def test_no_counter_goes_back(hurt: Hurt):
    """Whichever worker answers: between two scrapes a worker died, and all were replaced."""
    steps = [hurt.scrapes["start"], hurt.scrapes["asked"], list(hurt.scrapes.values())[-1]]
    for before, after in itertools.pairwise(steps):
        for key, value in before.items():
            if key[0].endswith(("_total", "_count", "_bucket")) and key[0] != "process_cpu_seconds_total":
                assert after[key] >= value, key


@pytest.mark.parametrize(
    ("name", "labels", "value"),
    [
        ("langop_limit_used", {"model": "limited", "limit": "rateLimits.requestsPerMinute"}, 1),
        ("langop_rate_limit_refusals_total", {"model": "limited", "limit": "rateLimits.requestsPerMinute"}, 1),
        ("langop_cache_requests_total", {"model": "every", "result": "hit"}, 1),
        ("langop_cache_requests_total", {"model": "every", "result": "miss"}, 3),
        ("langop_fallbacks_total", {"model": "failing", "fallback": "every", "cause": "server_error", "outcome": "success"}, 1),
        ("langop_provider_errors_total", {"model": "failing", "status_code": "500"}, 1),
        ("langop_refused_requests_total", {"status_code": "400"}, 1),
        ("langop_endpoint_up", {"model": "checked", "endpoint": "checked/endpoint-1"}, 0),
        ("langop_endpoint_down", {"model": "checked", "endpoint": "checked/endpoint-1", "reason": "health_check"}, 1),
        ("langop_models", {"state": "served"}, len(WATCHED)),
        ("langop_workers", {}, 2),
        ("langop_config_info", {}, 1),
        ("langop_build_info", {}, 1),
    ],
)
def test_its_value_is_true(hurt: Hurt, name: str, labels: dict[str, Any], value: float):
    assert total(hurt.scrapes["asked"], name, **labels) == value
