"""deploy/monitoring and the probes of deploy/base against a running gateway: what they ask for is there."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import pytest
import yaml

from stand_in import StandIn
from tests.conftest import ROOT
from tests.live import redis_server
from tests.live.observed import REDIS_PASSWORD, ObservedGateway, model, mount, question, redis_environment
from tests.live.prometheus import Prometheus, find_or_skip
from tests.live.redis_server import RedisServer
from tests.support import monitoring, plain_http
from tests.support.monitoring import OF_THE_TARGET, Query
from tests.support.waiting import eventually
from tools.processes import Gateway

QUERIES = [*monitoring.panels(), *monitoring.alerts()]
TARGET = {"namespace": "ns", "service": "gateway", "pod": "gateway-1"}
ASKED = ("rescued", "lost", "limited", "limited", "roomy")
REQUESTS = 12  # that `use` sends to models


@pytest.fixture(scope="module")
def watched(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ObservedGateway]:
    """A gateway of which everything has been asked that the dashboard shows."""
    folder = tmp_path_factory.mktemp("watched")
    with StandIn() as provider, ExitStack() as stack:

        def at(name: str, **spec: Any) -> dict[str, Any]:
            return model(name, f"{provider.base(name)}/v1", **spec)

        prices = {"enabled": True, "inputTokenCost": 0.5, "outputTokenCost": 1.5}
        models = [
            at("plain", costTracking=prices, observability={"metrics": True}),
            at("cached", caching={"enabled": True, "backend": "memory", "ttl": "5m"}),
            at("limited", rateLimits={"requestsPerMinute": 1}, timeout="1s"),
            at("roomy", rateLimits={"concurrentRequests": 5}),
            at("rescued", fallbacks=[{"modelRef": "plain"}]),
            at("lost", fallbacks=[{"modelRef": "broken"}]),
            at("broken"),
        ]
        mounted, secrets = mount(folder, models)
        redis = RedisServer(redis_server.find_or_skip("NO PANEL IS SEEN WITH FIGURES"), folder, REDIS_PASSWORD)
        redis.start()
        stack.callback(redis.kill)
        with Gateway(mounted, secrets, folder, environment=redis_environment(redis.port)) as gateway:
            laboratory = ObservedGateway(gateway, provider)
            body = {"model": "plain", "input": "Hello"}  # starts the translator
            assert plain_http.post(f"{gateway.url}/v1/responses", json=body, timeout=60).status_code == 200
            use(laboratory)
            eventually(lambda: laboratory.metric("langop_cache_requests_total", result="hit"), lambda hits: hits >= 2)
            yield laboratory


def use(laboratory: ObservedGateway) -> None:
    """Let each model do what it is there for."""
    for broken in ("rescued", "lost", "broken"):
        laboratory.provider.behave(broken, status=500)
    statuses = [laboratory.post("plain", question()).status_code for _ in range(3)]
    statuses += [laboratory.post("cached", "The same").status_code for _ in range(3)]
    laboratory.streamed("plain", question())
    statuses += [laboratory.post(name, question()).status_code for name in (*ASKED, "unknown")]
    assert set(statuses) == {200, 404, 429, 500}


# Names.


def names_of(query: Query) -> str:
    return query.title


@pytest.fixture(scope="module")
def exported(watched: ObservedGateway) -> dict[str, set[str]]:
    """The labels of each metric of a gateway that has done everything."""
    found: dict[str, set[str]] = {}
    for sample in watched.samples():
        found.setdefault(sample.name, set()).update(sample.labels)
    return found


@pytest.mark.parametrize("query", QUERIES, ids=names_of)
def test_every_metric_and_every_label_that_is_asked_for_is_exported(exported: dict[str, set[str]], query: Query):
    assert query.metrics.keys() <= exported.keys()
    for name, labels in query.metrics.items():
        assert labels - OF_THE_TARGET <= exported[name], name
    known = set().union(OF_THE_TARGET, *(exported[name] for name in query.metrics))
    assert query.groups <= known


def test_the_search_for_names_finds_all_of_them():
    """Else the test above would show little."""
    for query in QUERIES:
        assert query.metrics or "up" in query.expression, query.title
    names = set().union(*(query.metrics for query in QUERIES))
    assert {"langop_queue_seconds_bucket", "gen_ai_server_request_duration_seconds_bucket", "langop_endpoint_up"} <= names
    failures = next(query for query in QUERIES if query.title == "LangopModelProviderLimits")
    assert failures.metrics["langop_provider_errors_total"] == {"status_code"}


# Figures, as Prometheus itself computes them.


@pytest.fixture(scope="module")
def prometheus(watched: ObservedGateway, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Prometheus]:
    """It has seen the gateway's figures, and then seen them grow."""
    program = find_or_skip("NO PANEL IS SEEN WITH FIGURES")
    server = Prometheus(program, tmp_path_factory.mktemp("prometheus"), {"gateway": watched.gateway}, {"gateway": TARGET})
    try:
        requests = "sum(langop_requests_total)"
        (before,) = eventually(lambda: server.values(requests))
        use(watched)
        eventually(lambda: server.values(requests), lambda values: values[0] >= before + REQUESTS)
        yield server
    finally:
        server.stop()


@pytest.mark.parametrize("query", monitoring.panels(), ids=names_of)
def test_every_panel_shows_figures(prometheus: Prometheus, query: Query):
    found = eventually(lambda: prometheus.values(query.expression))
    assert [value for value in found if not math.isnan(value)]


@pytest.mark.parametrize(
    ("title", "at_least"),
    [
        ("Requests per second", 0.01),
        ("Failing", 0.01),
        ("In flight", 0),
        ("Spent in this range", 0.01),
        ("Replicas that answer", 1),
        ("Refused by limit", 0.01),
        ("Answered by a fallback", 0.01),
        ("The fallback failed too", 0.01),
        ("Endpoints", 1),
        ("Answers from the cache", 0.01),
    ],
)
def test_a_panel_shows_what_has_happened(prometheus: Prometheus, title: str, at_least: float):
    (query,) = [query for query in monitoring.panels() if query.title == title]
    eventually(lambda: max(prometheus.values(query.expression), default=-1.0), lambda value: value >= at_least)


@pytest.mark.parametrize("query", monitoring.alerts(), ids=names_of)
def test_prometheus_can_evaluate_every_alert(prometheus: Prometheus, query: Query):
    assert len(prometheus.values(query.expression)) <= 3


def test_a_dead_endpoint_is_told_from_the_others(prometheus: Prometheus):
    """The alert's expression, before its five minutes are over."""
    (query,) = [query for query in monitoring.alerts() if query.title == "LangopModelEndpointDown"]
    found = {series["metric"]["endpoint"] for series in prometheus.series(query.expression)}
    assert found == {"rescued/endpoint-0", "lost/endpoint-0", "broken/endpoint-0"}


# The probes.


def test_probes_answer_without_a_request_to_the_provider(watched: ObservedGateway):
    deployment = yaml.safe_load((ROOT / "deploy" / "base" / "deployment.yaml").read_text(encoding="utf-8"))
    (container,) = deployment["spec"]["template"]["spec"]["containers"]
    paths = {container[f"{name}Probe"]["httpGet"]["path"] for name in ("startup", "liveness", "readiness")}
    asked = len(watched.provider.requests)
    assert {path: plain_http.get(f"{watched.gateway.url}{path}", timeout=60).status_code for path in paths} == dict.fromkeys(
        paths, 200
    )
    assert len(watched.provider.requests) == asked
