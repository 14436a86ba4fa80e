"""The record of a request: what it adds to the metrics, and its line."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Callable
from typing import Any

import pytest

from langop_model.contract.settings import Endpoint, Group, Log
from langop_model.gateway.accounting.metrics import Metrics
from langop_model.gateway.accounting.prices import Deployment, Prices
from langop_model.gateway.accounting.recorder import Accounting, Recorder
from langop_model.gateway.accounting.registry import Distribution, Value
from langop_model.gateway.accounting.request_log import RequestLog
from langop_model.gateway.upstreams.base import CLIENT_ERROR, FailureKind, Route, UpstreamError, Usage
from langop_model.log_format import JsonFormatter
from tests.conftest import ROOT

PRICED = {"input_cost_per_token": 0.5, "output_cost_per_token": 2.0}
GROUP = Group("m", "resource", (Endpoint("m/0"),))
OTHER = Group("other", "other", (Endpoint("other/0"),))
ANY = Group("any/*", "any", (Endpoint("any/0"),))
LABELS = ("m", "m/0", "eu")
BODY = {"model": "m", "messages": [{"role": "user", "content": "a question"}]}


class RecordedRequests:
    """An accounting whose metrics and lines can be looked at."""

    def __init__(self, level: str = "INFO") -> None:
        self.stream = io.StringIO()
        self.metrics = Metrics([GROUP, OTHER, ANY], {"m/0": "eu"})
        deployed = {"m/0": Deployment("openai/gpt", PRICED), "other/0": Deployment("openai/x"), "any/0": Deployment("openai/*")}
        log = RequestLog(level, self.stream, JsonFormatter())
        self.accounting = Accounting(self.metrics, log, Prices(deployed))

    def begin(self, group: Group | None = GROUP, route: Route = Route.CHAT, **more: Any) -> Recorder:
        record = self.accounting.begin("POST", "/v1/chat/completions", route, **more)
        if group is not None:
            record.asked(group, BODY)
        return record

    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.stream.getvalue().splitlines()]

    def line(self) -> dict[str, Any]:
        (line,) = self.lines()
        return line

    def count(self, family: str, *labels: str) -> float:
        child: Value | Distribution = getattr(self.metrics, family).labels(*labels)
        return child.value if isinstance(child, Value) else sum(child.counts)


@pytest.fixture
def lab() -> RecordedRequests:
    return RecordedRequests()


def failure(status: int = 500, cause: str = "server_error", **more: Any) -> UpstreamError:
    kind = more.pop("kind", FailureKind.HTTP)
    return UpstreamError(kind, status, more.pop("message", "the provider's words"), cause=cause, **more)


def test_a_request_is_counted_priced_and_logged(lab: RecordedRequests):
    record = lab.begin(call_id="abc", agent="clerk")
    record.admitted()
    record.attempt(GROUP, "m/0")
    record.answered()
    assert record.price(Usage(10, 2)) == 9.0
    record.finished(200)
    line = lab.line()
    assert line.pop("seconds") > 0
    line.pop("timestamp")
    assert line == {
        "level": "INFO",
        "message": "request",
        "event": "request",
        "call_id": "abc",
        "method": "POST",
        "path": "/v1/chat/completions",
        "call_type": "chat",
        "agent": "clerk",
        "status": "success",
        "status_code": 200,
        "model_group": "m",
        "resource": "resource",
        "model": "openai/gpt",
        "endpoint": "m/0",
        "region": "eu",
        "stream": False,
        "attempts": 1,
        "prompt_tokens": 10,
        "completion_tokens": 2,
        "cost": 9.0,
    }
    assert lab.count("requests", "m", "success") == 1
    assert lab.count("responses", "m", "chat", "200") == 1
    assert lab.count("request_duration", "m", "chat", "success") == 1
    assert lab.count("upstream_duration", *LABELS, "success") == 1
    assert lab.count("attempts_of_endpoint", *LABELS, "success") == 1
    assert lab.count("tokens_of_endpoint", *LABELS, "input") == 10
    assert lab.count("cost", *LABELS) == 9.0
    assert lab.count("queue_wait", "m") == 1
    assert lab.count("in_flight", "m") == lab.count("endpoint_in_flight", *LABELS) == 0


def test_what_is_under_request_is_in_flight(lab: RecordedRequests):
    record = lab.begin()
    assert lab.count("in_flight", "m") == 1
    record.attempt(GROUP, "m/0")
    assert lab.count("endpoint_in_flight", *LABELS) == 1
    record.failed(failure())
    assert lab.count("endpoint_in_flight", *LABELS) == 0


def test_a_stream_has_its_tokens_at_its_end_and_a_first_event(lab: RecordedRequests):
    record = lab.begin()
    record.attempt(GROUP, "m/0")
    record.first_event()
    record.finished(200, Usage(10, 3))
    assert lab.line()["ttft"] >= 0
    assert lab.line()["cost"] == 11.0
    for name in ("time_to_first_token", "time_per_output_token"):
        assert lab.count(name, "m") == 1


def test_an_answer_after_a_failure_is_a_warning(lab: RecordedRequests):
    record = lab.begin()
    record.attempt(GROUP, "m/0")
    record.failed(failure(503))
    record.backs_off(0.5)
    record.attempt(GROUP, "m/0")
    record.finished(200, Usage(1, 1))
    assert (lab.line()["level"], lab.line()["status"], lab.line()["attempts"]) == ("WARNING", "success", 2)
    assert lab.count("attempts_of_endpoint", *LABELS, "server_error") == 1
    assert lab.count("attempts_of_endpoint", *LABELS, "success") == 1
    assert lab.count("provider_errors", *LABELS, "503") == 1
    assert lab.count("requests", "m", "success") == 1


def test_a_certificate_that_can_not_be_verified_is_counted_for_its_alert(lab: RecordedRequests):
    record = lab.begin()
    record.attempt(GROUP, "m/0")
    record.failed(failure(503, kind=FailureKind.CERTIFICATE, reached=False))
    record.finished(503)
    assert lab.count("provider_errors", *LABELS, "certificate") == 1
    assert lab.count("provider_errors", *LABELS, "503") == 0


def test_credentials_that_can_not_be_used_count_as_a_refused_key(lab: RecordedRequests):
    """The translator has asked nobody: there is nothing to sign a request with."""
    record = lab.begin()
    record.attempt(GROUP, "m/0")
    record.failed(failure(401, kind=FailureKind.HTTP, reached=False))
    record.finished(401)
    assert lab.count("provider_errors", *LABELS, "401") == 1
    assert lab.line()["level"] == "ERROR"


def test_a_provider_that_was_not_reached_has_no_status(lab: RecordedRequests):
    record = lab.begin()
    record.attempt(GROUP, "m/0")
    record.failed(failure(502, kind=FailureKind.CONNECTION, reached=False))
    record.finished(502)
    assert lab.count("provider_errors", *LABELS, "502") == 0
    assert lab.count("requests", "m", "failure") == 1


def refused_by_provider(record: Recorder, status: int, cause: str) -> None:
    record.attempt(GROUP, "m/0")
    record.failed(failure(status, cause))
    record.finished(status)


def left(record: Recorder) -> None:
    record.attempt(GROUP, "m/0")
    record.left()


def limited(record: Recorder) -> None:
    record.waits()
    record.refused("rateLimits.requestsPerMinute")
    record.finished(429)


ENDS: dict[str, tuple[Callable[[Recorder], None], str, str, str | None]] = {
    "a client's mistake": (
        lambda record: record.finished(400, error="unknown_parameter"),
        "INFO",
        "client_error",
        "unknown_parameter",
    ),
    "a mistake that the provider sees": (
        lambda record: refused_by_provider(record, 400, CLIENT_ERROR),
        "INFO",
        "client_error",
        CLIENT_ERROR,
    ),
    "a limit of ours": (limited, "INFO", "rate_limited", "rate_limit"),
    "a limit of the provider": (
        lambda record: refused_by_provider(record, 429, "rate_limit"),
        "WARNING",
        "rate_limited",
        "rate_limit",
    ),
    "a key that the provider refuses": (
        lambda record: refused_by_provider(record, 401, CLIENT_ERROR),
        "ERROR",
        "client_error",
        CLIENT_ERROR,
    ),
    "a provider that fails": (
        lambda record: refused_by_provider(record, 500, "server_error"),
        "ERROR",
        "failure",
        "server_error",
    ),
    "a stream that breaks": (lambda record: record.finished(200, error="stream_error"), "ERROR", "failure", "stream_error"),
    "a client that leaves": (left, "INFO", "left", None),
}


@pytest.mark.parametrize("case", ENDS)
def test_levels_say_whose_fault_it_is(lab: RecordedRequests, case: str):
    end, level, outcome, error = ENDS[case]
    end(lab.begin())
    line = lab.line()
    assert (line["level"], line.get("error")) == (level, error)
    assert lab.count("requests", "m", outcome) == 1
    assert sum(child.value for child in lab.metrics.requests.children.values()) == 1
    assert lab.count("in_flight", "m") == lab.count("endpoint_in_flight", *LABELS) == 0


def test_the_refusal_of_a_limit_says_which(lab: RecordedRequests):
    record = lab.begin()
    record.waits()
    record.refused("rateLimits.requestsPerMinute")
    record.finished(429)
    assert lab.line()["limit"] == "rateLimits.requestsPerMinute"
    assert lab.count("refusals", "m", "rateLimits.requestsPerMinute") == 1


def test_a_fallback_is_counted_with_its_cause(lab: RecordedRequests):
    record = lab.begin()
    record.attempt(GROUP, "m/0")
    record.failed(failure(504, "timeout"))
    record.falls_back("m", "other", "timeout")
    record.attempt(OTHER, "other/0")
    record.finished(200, Usage(3, 4))
    line = lab.line()
    assert (line["model_group"], line["fallback"], line["endpoint"]) == ("m", "other", "other/0")
    assert "cost" not in line  # nobody knows a price of it, which is not 0
    assert lab.count("fallbacks", "m", "other", "timeout", "success") == 1
    assert lab.count("tokens_of_endpoint", "other", "other/0", "", "output") == 4
    assert lab.count("unpriced", "other", "other/0", "") == 1


def test_each_fallback_that_fails_is_counted(lab: RecordedRequests):
    record = lab.begin()
    record.falls_back("m", "other", "timeout")
    record.attempt(OTHER, "other/0")
    record.failed(failure())
    record.falls_back("other", "any/*", "server_error")
    record.attempt(ANY, "any/0", "gpt")
    record.failed(failure())
    record.finished(500)
    assert lab.count("fallbacks", "m", "other", "timeout", "failure") == 1
    assert lab.count("fallbacks", "other", "any/*", "server_error", "failure") == 1


def test_a_hit_of_the_cache_costs_nothing(lab: RecordedRequests):
    record = lab.begin()
    record.cached(hit=True, size=120)
    assert record.price(Usage(10, 10)) == 0
    record.finished(200)
    line = lab.line()
    assert (line["cache"], line["cache_hit"], line["cost"], line["attempts"]) == ("hit", True, 0, 0)
    assert lab.count("cache_requests", "m", "hit") == 1
    assert lab.count("cache_sent", "m") == 120
    assert lab.count("cache_tokens", "m", "output") == 10
    assert lab.count("token_usage", "m", "chat", "input") == 0


def test_a_hit_of_a_fallbacks_cache_is_the_fallbacks(lab: RecordedRequests):
    record = lab.begin()
    record.attempt(GROUP, "m/0")
    record.failed(failure())
    record.falls_back("m", "other", "timeout")
    record.cached(hit=True, size=120, group="other")
    record.price(Usage(10, 10))
    record.finished(200)
    assert lab.count("cache_requests", "other", "hit") == 1
    assert lab.count("cache_sent", "other") == 120
    assert lab.count("cache_tokens", "other", "output") == 10
    assert lab.count("cache_requests", "m", "hit") == 0


def test_estimated_tokens_say_so(lab: RecordedRequests):
    record = lab.begin()
    record.attempt(GROUP, "m/0")
    record.finished(200, Usage(10, 2, estimated=True))
    assert lab.line()["usage_estimated"] is True
    assert lab.count("estimated_tokens", *LABELS, "input") == 10


@pytest.mark.parametrize(("seconds", "logged"), [(0.0, None), (0.000_9, None), (0.25, 0.25)])
def test_the_line_says_how_long_a_request_waited_if_it_did(lab: RecordedRequests, seconds: float, logged: float | None):
    record = lab.begin()
    record.queued = seconds
    record.finished(200)
    assert lab.line().get("queued") == logged


def test_dropped_parameters_are_named(lab: RecordedRequests):
    record = lab.begin()
    record.dropped = ("seed", "user")
    record.finished(200)
    assert lab.line()["dropped"] == ["seed", "user"]


def test_a_request_for_no_model_is_counted_by_status_alone(lab: RecordedRequests):
    record = lab.begin(None)
    record.finished(404, error="not_found")
    line = lab.line()
    assert (line["level"], line["status"], line["error"]) == ("INFO", "failure", "not_found")
    assert lab.count("refused", "404") == 1
    assert all(child.value == 0 for child in lab.metrics.requests.children.values())


def test_a_model_of_the_clients_choice_is_in_the_log_alone(lab: RecordedRequests):
    record = lab.begin(None)
    record.asked(ANY, BODY, "any/of-the-client")
    record.attempt(ANY, "any/0", "of-the-client")
    record.finished(200, Usage(1, 1))
    assert lab.line()["model"] == "openai/of-the-client"
    assert b"of-the-client" not in lab.metrics.text()


def test_a_record_ends_once(lab: RecordedRequests):
    record = lab.begin()
    record.finished(200)
    record.left()
    assert len(lab.lines()) == 1
    assert lab.count("requests", "m", "left") == 0


@pytest.mark.parametrize(("requests", "responses"), [(False, False), (True, False), (False, True), (True, True)])
def test_messages_are_logged_as_the_specification_says(lab: RecordedRequests, requests: bool, responses: bool):
    record = lab.begin(Group("m", "r", (), log=Log(requests, responses)))
    record.whole(b'{"choices": ["an answer"]}')
    record.finished(200)
    assert lab.line().get("messages") == (BODY["messages"] if requests else None)
    assert lab.line().get("response") == ({"choices": ["an answer"]} if responses else None)


def test_a_stream_is_logged_as_one_answer(lab: RecordedRequests):
    record = lab.begin(Group("m", "r", (), log=Log(requests=False, responses=True)))
    assert record.wants_events
    for text in ("an ", "answer"):
        record.event(b'data: {"choices":[{"index":0,"delta":{"content":"' + text.encode() + b'"}}]}\n\n')
    record.finished(200)
    assert lab.line()["response"]["choices"][0]["message"]["content"] == "an answer"


@pytest.mark.parametrize("requests", [True, False])
def test_a_providers_words_may_repeat_the_question(lab: RecordedRequests, requests: bool):
    record = lab.begin(Group("m", "r", (), log=Log(requests, responses=False)))
    record.attempt(GROUP, "m/0")
    record.failed(failure(400, CLIENT_ERROR, message="your question was: a secret"))
    record.finished(400)
    assert ("a secret" in lab.stream.getvalue()) is requests


def test_a_trace_of_the_client_is_named_in_the_line(lab: RecordedRequests):
    trace = "4bf92f3577b34da6a3ce929d0e0e4736"
    lab.begin(traceparent=f"00-{trace}-00f067aa0ba902b7-01").finished(200)
    assert lab.line()["trace_id"] == trace


@pytest.mark.parametrize("header", ["", "00-xyz", f"00-{'0' * 32}-{'1' * 16}-01", f"ff-{'1' * 32}-{'1' * 16}-01", "0" * 5000])
def test_a_bad_traceparent_is_ignored(lab: RecordedRequests, header: str):
    lab.begin(traceparent=header).finished(200)
    assert "trace_id" not in lab.line()


def test_lines_below_the_level_are_not_written():
    lab = RecordedRequests("ERROR")
    lab.begin().finished(200)
    assert lab.lines() == []
    lab.begin().finished(500, error="internal_error")
    assert lab.line()["level"] == "ERROR"


def test_overhead_is_what_nobody_else_took(lab: RecordedRequests):
    record = lab.begin()
    record.backs_off(100.0)
    record.finished(200)
    assert lab.metrics.overhead_duration.labels("m").sum == 0


def test_each_member_of_a_line_is_documented():
    source = (ROOT / "langop_model/gateway/accounting/request_log.py").read_text(encoding="utf-8")
    members = re.findall(r'"([a-z_]+)"(?:: |\] = )', source)
    page = (ROOT / "docs/logs.md").read_text(encoding="utf-8")
    assert len(members) > 25
    assert [name for name in members if f"`{name}`" not in page] == []
