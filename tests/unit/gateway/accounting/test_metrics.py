"""Metrics: what is there from the start, how workers add up, and the text of /metrics, read by prometheus_client's parsers."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator

import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families as read_openmetrics

from langop_model.contract.settings import Caching, Endpoint, Fallback, Group, HealthCheck, Limits
from langop_model.gateway.accounting import definitions as of
from langop_model.gateway.accounting.exposition import OPENMETRICS, TEXT, content_type
from langop_model.gateway.accounting.metrics import Metrics
from langop_model.gateway.accounting.registry import Definition, MetricType
from langop_model.gateway.accounting.snapshots import retire
from langop_model.gateway.serving.shared_metrics import SharedMetrics
from tests.unit.gateway.samples import samples, value

GROUP = Group(
    "m",
    "resource",
    (Endpoint("m/endpoint-0"), Endpoint("m/eu")),
    limits=Limits(requests_per_minute=10, concurrent_requests=2),
    fallbacks=(Fallback("other", frozenset({"error"})),),
    health_check=HealthCheck(10, 5, 2, 3),
    caching=Caching("memory"),
)


def metrics() -> Metrics:
    return Metrics([GROUP], {"m/eu": "eu-west-1"})


def test_each_model_and_endpoint_has_its_series_at_zero():
    text = metrics().text()
    for outcome in ("success", "failure", "rate_limited", "client_error", "left"):
        assert value(text, "langop_requests_total", model="m", outcome=outcome) == 0
    for endpoint, region in (("m/endpoint-0", ""), ("m/eu", "eu-west-1")):
        labels = {"model": "m", "endpoint": endpoint, "region": region}
        assert value(text, "langop_attempts_total", outcome="timeout", **labels) == 0
        assert value(text, "langop_endpoint_up", **labels) == 1
        assert value(text, "langop_cost_usd_total", **labels) == 0
        assert value(text, "langop_health_checks_total", result="failure", **labels) == 0
    assert value(text, "gen_ai_server_request_duration_seconds_count", model="m", operation="chat", outcome="success") == 0
    assert value(text, "langop_limit", model="m", limit="rateLimits.requestsPerMinute") == 10
    assert value(text, "langop_limit_used", model="m", limit="rateLimits.concurrentRequests") == 0
    labels = {"model": "m", "fallback": "other", "outcome": "failure"}
    assert value(text, "langop_fallbacks_total", cause="context_window", **labels) == 0


def test_a_limit_that_a_model_does_not_have_has_no_series():
    assert value(metrics().text(), "langop_limit", model="m", limit="rateLimits.tokensPerMinute") is None


def test_what_is_not_configured_has_no_series():
    text = metrics().text().decode()
    assert "langop_redis_up" not in text
    assert "langop_translator_up" not in text


def test_a_histogram_has_cumulative_buckets():
    worker = metrics()
    for seconds in (0.01, 0.015, 5.0, 1e6):
        worker.request_duration.labels("m", "chat", "success").observe(seconds)
    text = worker.text()
    labels = {"model": "m", "operation": "chat", "outcome": "success"}
    name = "gen_ai_server_request_duration_seconds"
    buckets = [value(text, f"{name}_bucket", le=bound, **labels) for bound in ("0.01", "0.02", "5.12", "655.36", "+Inf")]
    assert buckets == [1, 2, 3, 3, 4]
    assert value(text, f"{name}_sum", **labels) == pytest.approx(1_000_005.025)
    assert value(text, f"{name}_count", **labels) == 4


def test_workers_add_up():
    one, other = metrics(), metrics()
    for worker, requests in ((one, 3), (other, 4)):
        worker.requests.labels("m", "success").inc(requests)
        worker.in_flight.labels("m").set(requests)
        worker.queue_wait.labels("m").observe(requests)
        worker.limit_used.labels("m", "rateLimits.requestsPerMinute").set(requests)
    other.endpoint_up.labels("m", "m/eu", "eu-west-1").set(0)
    text = one.text([other.snapshot()])
    assert value(text, "langop_requests_total", model="m", outcome="success") == 7
    assert value(text, "langop_requests_in_flight", model="m") == 7
    assert value(text, "langop_queue_seconds_sum", model="m") == 7
    assert value(text, "langop_queue_seconds_bucket", model="m", le="5.0") == 2
    assert value(text, "langop_limit_used", model="m", limit="rateLimits.requestsPerMinute") == 4  # each knows the whole
    assert value(text, "langop_endpoint_up", model="m", endpoint="m/eu", region="eu-west-1") == 0
    assert value(text, "langop_endpoint_up", model="m", endpoint="m/endpoint-0", region="") == 1


def test_a_worker_that_serves_a_former_configuration_adds_only_its_counts():
    """It finishes its last requests: what it knows of limits and endpoints is that of before the change."""
    current, former = metrics(), metrics()
    current.describe("after", served=1)
    former.describe("before", served=9)
    former.limit.labels("m", "rateLimits.requestsPerMinute").set(99)
    former.endpoint_up.labels("m", "m/eu", "eu-west-1").set(0)
    former.requests.labels("m", "success").inc(4)
    former.in_flight.labels("m").inc()
    text = current.text([former.snapshot()])
    assert value(text, "langop_limit", model="m", limit="rateLimits.requestsPerMinute") == 10
    assert value(text, "langop_endpoint_up", model="m", endpoint="m/eu", region="eu-west-1") == 1
    assert value(text, "langop_config_info", hash="before") is None
    assert value(text, "langop_models", state="served") == 1
    assert value(text, "langop_requests_total", model="m", outcome="success") == 4
    assert value(text, "langop_requests_in_flight", model="m") == 1


def test_what_ended_workers_have_counted_stays_and_their_gauges_go():
    ended, retired = metrics(), None
    ended.requests.labels("m", "failure").inc(5)
    ended.queue_wait.labels("m").observe(2)
    ended.in_flight.labels("m").set(9)
    for _ in range(2):
        retired = retire(retired, ended.snapshot(), of.BY_NAME)
    text = metrics().text([], retired)
    assert value(text, "langop_requests_total", model="m", outcome="failure") == 10
    assert value(text, "langop_queue_seconds_count", model="m") == 2
    assert value(text, "langop_requests_in_flight", model="m") == 0


def test_a_scrape_changes_nothing():
    worker, other = metrics(), metrics()
    worker.queue_wait.labels("m").observe(1)
    other.queue_wait.labels("m").observe(1)
    first, second = (samples(worker.text([other.snapshot()])) for _ in range(2))
    for found in (first, second):
        for key in [key for key in found if key[0].startswith("process_")]:
            del found[key]
    assert first == second


def test_a_series_that_only_another_worker_has_is_there():
    one, other = metrics(), metrics()
    other.responses.labels("m", "embeddings", "503").inc()
    text = one.text([other.snapshot()])
    assert value(text, "langop_responses_total", model="m", operation="embeddings", status_code="503") == 1


def test_a_series_that_another_worker_had_first_is_then_of_both():
    one, other = metrics(), metrics()
    other.endpoint_up.labels("m", "m/new", "").set(1)
    labels = {"model": "m", "endpoint": "m/new", "region": ""}
    assert value(one.text([other.snapshot()]), "langop_endpoint_up", **labels) == 1
    one.endpoint_up.labels("m", "m/new", "")
    assert value(one.text([other.snapshot()]), "langop_endpoint_up", **labels) == 0


def test_a_series_that_only_an_ended_worker_had_is_0():
    one, other = metrics(), metrics()
    for up in (0, 1):
        other.endpoint_up.labels("m", "m/new", "").set(up)
        assert value(one.text([other.snapshot()]), "langop_endpoint_up", model="m", endpoint="m/new", region="") == up
    assert value(one.text(), "langop_endpoint_up", model="m", endpoint="m/new", region="") == 0


def test_workers_add_up_whatever_the_order_of_their_series():
    """Each of three workers has seen routes in another order, and one of them has not seen all."""
    routes = ("embeddings", "rerank", "moderations")
    workers = []
    for turn in range(3):
        workers.append(metrics())
        for at in range(turn, 3 if turn == 0 else turn + 2):
            route = routes[at % 3]
            workers[turn].responses.labels("m", route, "200").inc(10 ** (at % 3))
            workers[turn].request_duration.labels("m", route, "success").observe(10 ** (at % 3))
    one, *others = workers
    for _ in range(2):  # as they are added for the first time, and ever after
        text = one.text([other.snapshot() for other in others])
        for route, number, times in (("embeddings", 1, 2), ("rerank", 10, 2), ("moderations", 100, 3)):
            name, labels = "gen_ai_server_request_duration_seconds", {"model": "m", "operation": route, "outcome": "success"}
            assert value(text, f"{name}_sum", **labels) == number * times
            assert value(text, f"{name}_count", **labels) == times
            assert value(text, "langop_responses_total", model="m", operation=route, status_code="200") == number * times
        others.reverse()


def test_a_metric_of_another_version_is_skipped():
    assert b"unheard_of" not in metrics().text([b'{"unheard_of":["",[1],{}]}'])


def test_openmetrics_is_what_its_parser_reads():
    worker = metrics()
    worker.request_duration.labels("m", "chat", "success").observe(0.03, "4bf92f3577b34da6a3ce929d0e0e4736")
    worker.build_info.labels('a"b\\c\nd', "", "3").set(1)
    text = worker.text(media_type=OPENMETRICS).decode()
    families = {family.name: family for family in read_openmetrics(text)}  # type: ignore[no-untyped-call]
    duration = families["gen_ai_server_request_duration_seconds"]
    assert (duration.type, duration.unit) == ("histogram", "seconds")
    (exemplar,) = [sample.exemplar for sample in duration.samples if sample.exemplar is not None]
    assert exemplar.labels == {"trace_id": "4bf92f3577b34da6a3ce929d0e0e4736"}
    assert exemplar.value == 0.03
    assert families["langop_requests"].type == "counter"
    assert families["langop_build_info"].samples[0].labels["version"] == 'a"b\\c\nd'


def test_an_exemplar_is_in_its_bucket_of_its_series():
    worker = metrics()
    worker.request_duration.labels("m", "chat", "failure").observe(0.5, "bad")
    worker.request_duration.labels("m", "embeddings", "success").observe(1e6, "slow")
    families = read_openmetrics(worker.text(media_type=OPENMETRICS).decode())  # type: ignore[no-untyped-call]
    found = {
        (sample.labels["outcome"], sample.labels["le"]): sample.exemplar.labels["trace_id"]
        for family in families
        for sample in family.samples
        if sample.exemplar is not None
    }
    assert found == {("failure", "0.64"): "bad", ("success", "+Inf"): "slow"}


def test_a_label_may_have_any_character():
    """Those that are places in the templates of lines too; of control characters two are left out."""
    worker = metrics()
    worker.build_info.labels("100%b %d %%", "\0\1", "é").set(1)
    assert value(worker.text(), "langop_build_info", version="100%b %d %%", litellm_version="", python_version="é") == 1


@pytest.mark.parametrize("number", [2**53, 2**63, 2**70, 1e-7, 1e300, 0.1])
def test_a_number_of_any_size_is_shown(number: float):
    """A sum of tokens is an integer, which has no largest."""
    one, other = metrics(), metrics()
    other.tokens_of_endpoint.labels("m", "m/eu", "", "input").inc(number)
    other.token_usage.labels("m", "chat", "input").observe(number)
    for text in (other.text(), one.text([other.snapshot()]), one.text((), retire(None, other.snapshot(), of.BY_NAME))):
        assert value(text, "langop_tokens_total", model="m", endpoint="m/eu", region="", token_type="input") == number
        assert value(text, "gen_ai_client_token_usage_sum", model="m", operation="chat", token_type="input") == number


def test_exemplars_are_not_in_the_text_for_others():
    worker = metrics()
    worker.request_duration.labels("m", "chat", "success").observe(0.03, "4bf92f3577b34da6a3ce929d0e0e4736")
    assert b"trace_id" not in worker.text()


@pytest.mark.parametrize(
    ("accept", "media_type"),
    [
        ("", TEXT),
        ("*/*", TEXT),
        ("text/plain;version=0.0.4", TEXT),
        (
            "application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,text/plain",
            OPENMETRICS,
        ),
    ],
)
def test_the_media_type_is_what_the_scraper_accepts(accept: str, media_type: str):
    assert content_type(accept) == media_type


def test_a_wrong_number_of_labels_is_an_error():
    with pytest.raises(ValueError, match="langop_requests"):
        metrics().requests.labels("m")


@pytest.mark.parametrize("definition", of.ALL, ids=lambda definition: definition.name)
def test_names_follow_the_rules(definition: Definition):
    """https://prometheus.io/docs/practices/naming/: base units as suffix, no _total that is not a counter's."""
    assert re.fullmatch(r"(langop|gen_ai|process)_[a-z_]+", definition.name)
    assert not definition.name.endswith("_total")
    assert not definition.unit or definition.name.endswith(f"_{definition.unit}")
    assert definition.help.endswith(".")
    assert bool(definition.buckets) is (definition.kind is MetricType.HISTOGRAM)
    assert list(definition.buckets) == sorted(set(definition.buckets))
    assert not {"agent", "user", "caller", "key", "call_id", "trace_id"} & set(definition.labels)


def test_each_definition_is_a_family_of_the_registry():
    assert set(metrics().registry.families) == set(of.BY_NAME)
    assert len(of.BY_NAME) == len(of.ALL)


def count_in_a_worker(shared: SharedMetrics, number: int) -> int:
    """Count `number` requests in a process that leaves its snapshots, the last of which counts; return its id."""
    child = os.fork()
    if child == 0:
        worker = metrics()
        shared.write(worker.snapshot())
        worker.requests.labels("m", "success").inc(number)
        shared.write(worker.snapshot())
        os._exit(0)
    os.waitpid(child, 0)
    return child


@pytest.fixture
def shared() -> Iterator[SharedMetrics]:
    found = SharedMetrics()
    yield found
    found.remove()


def test_workers_have_one_truth(shared: SharedMetrics):
    for number in (1, 2, 3):
        count_in_a_worker(shared, number)
    own = metrics()
    own.requests.labels("m", "success").inc(4)
    shared.write(own.snapshot())  # its own file is not counted beside it
    text = own.text(shared.others(), shared.retired())
    assert value(text, "langop_requests_total", model="m", outcome="success") == 1 + 2 + 3 + 4
    assert (value(text, "process_cpu_seconds_total") or 0) > 0


def test_what_ended_workers_counted_stays(shared: SharedMetrics):
    for number in (1, 2):
        shared.retire(count_in_a_worker(shared, number))
    shared.retire(0)  # one that has never written
    assert shared.others() == []
    text = metrics().text(shared.others(), shared.retired())
    assert value(text, "langop_requests_total", model="m", outcome="success") == 1 + 2
