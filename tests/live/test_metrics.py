"""spec.observability.metrics: GET /metrics, and each figure that the description promises."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import httpx

from tests.live.observed import ObservedGateway, question
from tests.support import plain_http
from tests.support.waiting import eventually

RESPONSES = "langop_responses_total"
PROVIDER_ERRORS = "langop_provider_errors_total"
DURATION = "gen_ai_server_request_duration_seconds"
ATTEMPT_DURATION = "gen_ai_client_operation_duration_seconds"


def grown(laboratory: ObservedGateway, before: float, by: float, name: str, **labels: str) -> float:
    """Return by how much a metric has grown, once it has by as much as it should."""
    return eventually(lambda: laboratory.metric(name, **labels) - before, lambda growth: growth >= by)


def test_metrics_are_answered_without_a_redirect(observed: ObservedGateway):
    for path in ("/metrics", "/metrics/"):
        answer = plain_http.get(f"{observed.gateway.url}{path}", follow_redirects=False, timeout=60)
        assert answer.status_code == 200
        assert answer.headers["content-type"].startswith("text/plain")
        assert "# TYPE " in answer.text


def test_each_request_is_counted_by_model_and_status(observed: ObservedGateway):
    good, bad = ({"model": "not-cached", "status_code": status} for status in ("200", "500"))
    before = [observed.metric(RESPONSES, **labels) for labels in (good, bad)]
    observed.provider.behave("not-cached", statuses=[200, 500, 200, 200])
    for _ in range(4):
        observed.post("not-cached", question())
    assert grown(observed, before[0], 3, RESPONSES, **good) == 3
    assert grown(observed, before[1], 1, RESPONSES, **bad) == 1


def test_each_failure_is_counted_with_its_status(observed: ObservedGateway):
    labels = {"model": "not-cached", "status_code": "503"}
    before = observed.metric(PROVIDER_ERRORS, **labels)
    observed.provider.behave("not-cached", statuses=[503, 503])
    for _ in range(2):
        assert observed.post("not-cached", question()).status_code == 503
    assert grown(observed, before, 2, PROVIDER_ERRORS, **labels) == 2


def test_a_slow_provider_fills_the_slow_buckets(observed: ObservedGateway):
    observed.provider.behave("priced", delay=1.2)
    before = {name: observed.metric(f"{name}_sum", model="priced") for name in (DURATION, ATTEMPT_DURATION)}
    count = observed.metric(f"{DURATION}_count", model="priced")
    quick = observed.metric(f"{DURATION}_bucket", model="priced", le="1.0")
    observed.said("priced", question())
    assert grown(observed, count, 1, f"{DURATION}_count", model="priced") == 1
    assert observed.metric(f"{DURATION}_bucket", model="priced", le="1.0") == quick
    for name, sum_before in before.items():
        assert observed.metric(f"{name}_sum", model="priced") - sum_before >= 1.2
    bounds = {float(sample.labels["le"]) for sample in observed.samples() if sample.name == f"{DURATION}_bucket"}
    assert min(bounds) <= 0.1
    assert float("inf") in bounds
    assert max(bounds - {float("inf")}) >= 300  # a percentile of the longest requests can be told


def test_a_streams_first_part_has_a_latency_of_its_own(observed: ObservedGateway):
    name = "gen_ai_server_time_to_first_token_seconds_count"
    before = observed.metric(name, model="not-cached")
    observed.streamed("not-cached", question())
    assert grown(observed, before, 1, name, model="not-cached") == 1


def test_tokens_are_counted_in_both_directions(observed: ObservedGateway):
    observed.provider.behave("not-cached", usage=(30, 7))
    used = {"input": 60, "output": 14}
    labels = {kind: {"endpoint": "not-cached/endpoint-0", "token_type": kind} for kind in used}
    before = {kind: observed.metric("langop_tokens_total", **labels[kind]) for kind in used}
    observed.said("not-cached", question())
    observed.streamed("not-cached", question())
    for kind, tokens in used.items():
        assert grown(observed, before[kind], tokens, "langop_tokens_total", **labels[kind]) == tokens


def test_refusals_of_a_rate_limit_are_counted_with_the_limits_name(observed: ObservedGateway):
    labels = {"model": "limited", "limit": "rateLimits.requestsPerMinute"}
    before = observed.metric("langop_rate_limit_refusals_total", **labels)
    statuses = [observed.post("limited", question()).status_code for _ in range(4)]
    refused = statuses.count(429)
    assert refused >= 3  # one request a minute
    assert grown(observed, before, refused, "langop_rate_limit_refusals_total", **labels) == refused


def test_the_wait_in_the_queue_is_a_histogram(observed: ObservedGateway):
    count, total = (observed.metric(f"langop_queue_seconds_{part}", model="narrow") for part in ("count", "sum"))
    observed.provider.behave("narrow", delay=0.5)
    with ThreadPoolExecutor(3) as pool:
        list(pool.map(lambda _: observed.said("narrow", question()), range(3)))
    assert grown(observed, count, 3, "langop_queue_seconds_count", model="narrow") == 3
    assert observed.metric("langop_queue_seconds_sum", model="narrow") - total >= 0.9 * (0.5 + 1.0)  # the second and the third


def test_hits_of_the_cache_are_counted(observed: ObservedGateway):
    name, labels = "langop_cache_requests_total", {"model": "cached", "result": "hit"}
    before = observed.metric(name, **labels)
    text = question()
    for _ in range(3):
        observed.said("cached", text)
    assert grown(observed, before, 2, name, **labels) == 2


def test_a_regions_requests_can_be_told_by_its_label(observed: ObservedGateway):
    labels = {"endpoint": "regional/eu-central-1", "region": "eu-central-1", "model": "regional", "outcome": "success"}
    before = observed.metric("langop_attempts_total", **labels)
    observed.said("regional", question())
    assert grown(observed, before, 1, "langop_attempts_total", **labels) == 1


def test_no_label_tells_clients_apart(observed: ObservedGateway):
    """Each value of such a label is a time series of its own: a client could make as many as it likes."""
    before = {(sample.name, *sample.labels.items()) for sample in observed.samples()}
    for number in range(3):
        observed.post("not-cached", question(), headers={"User-Agent": f"agent/{number}"}, user=f"somebody-{number}")
    after = {(sample.name, *sample.labels.items()) for sample in observed.samples()}
    assert not [series for series in after - before if "agent/" in str(series) or "somebody-" in str(series)]


def test_a_client_can_not_make_time_series(observed: ObservedGateway):
    """Neither with models that do not exist, nor with paths, users, tags or fields of its own."""
    labels = {"model": "not-cached", "status_code": "200"}
    count = observed.metric(RESPONSES, **labels)
    with httpx.Client(base_url=observed.gateway.url, timeout=60) as client:

        def ask(model: str, number: int) -> None:
            marked = {"user": f"user-{number}", "metadata": {f"key-{number}": f"value-{number}"}}
            body = {"model": model, "messages": [{"role": "user", "content": question()}], **marked}
            headers = {"User-Agent": f"agent/{number}", "x-langop-tags": f"tag-{number}"}
            client.post("/v1/chat/completions", json=body, headers=headers)

        def ask_with_a_field_of_its_own(number: int) -> None:
            body = {"model": "not-cached", "messages": [{"role": "user", "content": question()}], f"field_{number}": number}
            assert client.post("/v1/chat/completions", json=body).status_code == 400

        ask("not-cached", 0)
        ask_with_a_field_of_its_own(0)
        ask("nobody", 0)
        client.get("/nowhere")
        client.get("/v1/models/nobody")
        grown(observed, count, 1, RESPONSES, **labels)
        before = series(observed)
        for number in range(1, 201):
            ask(f"unknown-{number}", number)
            client.get(f"/path-{number}")
            client.get(f"/v1/models/unknown-{number}")
        for number in range(1, 21):
            ask("not-cached", number)
            ask_with_a_field_of_its_own(number)
    grown(observed, count, 21, RESPONSES, **labels)
    assert series(observed) - before == set()


def series(laboratory: ObservedGateway) -> set[tuple[str, frozenset[tuple[str, str]]]]:
    """Return the time series of GET /metrics, but for Python's own."""
    samples = [sample for sample in laboratory.samples() if not sample.name.startswith(("python_", "process_"))]
    return {(sample.name, frozenset(sample.labels.items())) for sample in samples}


def test_what_is_refused_before_a_model_is_asked_is_counted_by_its_status(observed: ObservedGateway):
    before = {status: observed.metric("langop_refused_requests_total", status_code=status) for status in ("400", "404")}
    assert observed.post("unknown", question()).status_code == 404
    assert observed.post("not-cached", question(), temperature="hot").status_code == 400
    assert grown(observed, before["404"], 1, "langop_refused_requests_total", status_code="404") == 1
    assert grown(observed, before["400"], 1, "langop_refused_requests_total", status_code="400") == 1


def test_metrics_that_are_off_have_no_page(debugged: ObservedGateway):
    debugged.said("debugged", question())
    answers = [plain_http.get(f"{debugged.gateway.url}{path}", timeout=60) for path in ("/metrics", "/metrics/")]
    assert [answer.status_code for answer in answers] == [404, 404]
    assert not [answer.text for answer in answers if "langop_" in answer.text or "gen_ai_" in answer.text]
