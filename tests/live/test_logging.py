"""spec.observability.logging: one line of JSON for each request, what it holds, and what is never in it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.live.observed import KEY, REDIS_PASSWORD, ObservedGateway, json_lines, question, request_lines
from tests.support import plain_http
from tests.support.waiting import eventually

HOLDS = {
    "logs-nothing": (False, False),
    "logs-questions": (True, False),
    "logs-answers": (False, True),
    "logs-both": (True, True),
}


def test_a_request_is_one_line_of_json(observed: ObservedGateway):
    """It says who answered and what it cost."""
    answer = observed.post("priced", question())
    (line,) = observed.lines("priced", 1, call_id=answer.headers["x-langop-call-id"])
    assert line["level"] == "INFO"
    assert line["status"] == "success"
    assert line["model"] == "openai/priced"
    assert line["endpoint"] == "priced/endpoint-0"
    assert line["seconds"] > 0
    assert (line["prompt_tokens"], line["completion_tokens"]) == (7, 9)
    assert line["cost"] == pytest.approx(7 * 0.5 / 1000 + 9 * 1.5 / 1000)


@pytest.mark.parametrize("name", HOLDS)
def test_log_requests_and_log_responses_hold_independently(observed: ObservedGateway, name: str):
    requests, responses = HOLDS[name]
    text = question()
    answer = observed.post(name, text)
    (line,) = observed.lines(name, 1, call_id=answer.headers["x-langop-call-id"])
    assert line.get("messages") == ([{"role": "user", "content": text}] if requests else None)
    said = line["response"]["choices"][0]["message"]["content"] if "response" in line else None
    assert said == (f"You said: {text}" if responses else None)
    assert (text in json.dumps(line)) is (requests or responses)


@pytest.mark.parametrize("name", HOLDS)
def test_a_stream_has_one_line_too_with_its_tokens_and_its_messages(observed: ObservedGateway, name: str):
    requests, responses = HOLDS[name]
    text = question()
    answer = observed.post(name, text, stream=True)
    (line,) = observed.lines(name, 1, call_id=answer.headers["x-langop-call-id"])
    assert line["stream"] is True
    assert (line["prompt_tokens"], line["completion_tokens"]) == (7, 9)
    assert ("messages" in line) is requests
    said = line["response"]["choices"][0]["message"]["content"] if "response" in line else None
    assert said == (f"You said: {text}" if responses else None)


def test_messages_that_are_not_to_be_logged_are_nowhere_in_the_output(observed: ObservedGateway):
    text = question("a secret that only this test knows")
    answer = observed.post("logs-nothing", text)
    observed.lines("logs-nothing", 1, call_id=answer.headers["x-langop-call-id"])
    assert "only this test knows" not in observed.output()


def test_a_request_under_the_resources_name_is_logged_as_its_model_is(observed: ObservedGateway):
    text = question()
    answer = observed.post("named-otherwise", text)
    (line,) = observed.lines("its-model-name", 1, call_id=answer.headers["x-langop-call-id"])
    assert line["messages"] == [{"role": "user", "content": text}]


def test_a_line_names_the_region(observed: ObservedGateway):
    answer = observed.post("regional", question())
    (line,) = observed.lines("regional", 1, call_id=answer.headers["x-langop-call-id"])
    assert line["region"] == "eu-central-1"


def test_a_failed_request_has_one_line_of_level_error(observed: ObservedGateway):
    text = question()
    observed.provider.behave("logs-both", statuses=[500])
    answer = observed.post("logs-both", text)
    assert answer.status_code == 500
    (line,) = observed.lines("logs-both", 1, messages=[{"role": "user", "content": text}])
    assert line["level"] == "ERROR"
    assert line["status"] == "failure"
    assert line["error"] == "server_error"
    assert line["status_code"] == 500
    assert line["endpoint"] == "logs-both/endpoint-0"
    assert "response" not in line


def test_a_failed_request_shows_messages_only_where_wanted(observed: ObservedGateway):
    text = question("a failure that only this test knows")
    before = len(observed.lines("logs-nothing", 0, level="ERROR"))
    observed.provider.behave("logs-nothing", statuses=[500])
    assert observed.post("logs-nothing", text).status_code == 500
    observed.lines("logs-nothing", before + 1, level="ERROR")
    assert "a failure that only this test knows" not in observed.output()


def test_a_request_that_succeeds_after_two_retries_has_one_line(observed: ObservedGateway):
    observed.provider.behave("patient", statuses=[500, 503])
    answer = observed.post("patient", question())
    assert answer.status_code == 200
    lines = observed.lines("patient", 1, call_id=answer.headers["x-langop-call-id"])
    assert [line["status"] for line in lines] == ["success"]


def test_a_stream_that_breaks_has_one_line_of_level_error(observed: ObservedGateway):
    text = question()
    observed.provider.behave("logs-questions", break_after=4)
    observed.post("logs-questions", text, stream=True)
    (line,) = observed.lines("logs-questions", 1, messages=[{"role": "user", "content": text}])
    assert line["level"] == "ERROR"


def test_a_model_that_does_not_exist_has_a_line_too(observed: ObservedGateway):
    answer = observed.post("nobody", question())
    assert answer.status_code == 404
    (line,) = observed.lines("nobody", 1, call_id=answer.headers["x-langop-call-id"])
    assert (line["level"], line["status"], line["status_code"]) == ("INFO", "failure", 404)  # the client's mistake


@pytest.mark.parametrize(
    ("request_", "status", "error"),
    [
        (
            {"method": "POST", "path": "/v1/chat/completions", "json": {"model": "not-cached"}},
            400,
            "missing_required_parameter",
        ),
        ({"method": "POST", "path": "/v1/chat/completions", "json": {"messages": []}}, 400, "missing_required_parameter"),
        ({"method": "GET", "path": "/v1/chat/completions"}, 405, "invalid_request_error"),
        ({"method": "GET", "path": "/key/list"}, 404, "not_found"),
        ({"method": "GET", "path": "/v1/models"}, 200, None),
    ],
)
def test_a_request_that_reaches_no_model_has_one_line_too(
    observed: ObservedGateway, request_: Any, status: int, error: str | None
):
    answer = plain_http.request(request_["method"], f"{observed.gateway.url}{request_['path']}", json=request_.get("json"))
    assert answer.status_code == status
    call_id = answer.headers["x-langop-call-id"]
    (line,) = eventually(lambda: [each for each in request_lines(observed.output()) if each["call_id"] == call_id])
    assert (line["method"], line["path"]) == (request_["method"], request_["path"])
    assert (line["status_code"], line.get("error")) == (status, error)


def test_a_refusal_of_a_rate_limit_has_one_line(observed: ObservedGateway):
    answers = [observed.post("limited", question()) for _ in range(3)]
    refused = [answer for answer in answers if answer.status_code == 429]
    assert len(refused) >= 2  # one request a minute
    for answer in refused:
        (line,) = observed.lines("limited", 1, call_id=answer.headers["x-langop-call-id"])
        assert (line["level"], line["status_code"], line["resource"]) == ("INFO", 429, "limited")
        assert line["limit"] == "rateLimits.requestsPerMinute"


def test_a_cached_answer_says_so_and_costs_nothing(observed: ObservedGateway):
    text = question()
    observed.said("cached", text)
    answer = observed.post("cached", text)
    (line,) = observed.lines("cached", 1, call_id=answer.headers["x-langop-call-id"])
    assert line["cache_hit"] is True
    assert line["cost"] == 0


def test_a_request_is_told_once_and_a_probe_or_a_scrape_not_at_all(observed: ObservedGateway):
    text = question()
    call_id = observed.post("logs-questions", text).headers["x-langop-call-id"]
    observed.lines("logs-questions", 1, call_id=call_id)
    before = observed.output()
    for path in ("/health/liveliness", "/health/readiness", "/health", "/metrics"):
        assert plain_http.get(f"{observed.gateway.url}{path}").status_code == 200
    assert len([line for line in before.splitlines() if text in line]) == 1
    after = observed.output().removeprefix(before)
    assert not [line for line in after.splitlines() if "uvicorn.access" in line or "/health" in line or "/metrics" in line]


def test_no_key_is_in_the_output_at_level_info(observed: ObservedGateway):
    for name in ("logs-both", "claude", "azure"):
        observed.said(name, question())
        assert observed.provider.requests[-1].headers.keys() & {"authorization", "x-api-key", "api-key"}
    assert KEY in json.dumps([dict(seen.headers) for seen in observed.provider.requests])
    assert KEY not in observed.output()


def test_level_debug_says_more_and_still_no_key(debugged: ObservedGateway):
    """Nor what was asked: logRequests shows that, at every level."""
    text = question()
    debugged.said("debugged", text)
    debugged.streamed("debugged", question())
    debugged.provider.behave("debugged", statuses=[401])
    assert debugged.post("debugged", question()).status_code == 401
    debugged.lines("debugged", 1, level="ERROR")
    output = debugged.output()
    (failed,) = [line for line in json_lines(output) if line.get("event") == "attempt" and line.get("status_code") == 401]
    assert (failed["level"], failed["endpoint"]) == ("DEBUG", "debugged/endpoint-0")
    assert KEY in json.dumps([dict(seen.headers) for seen in debugged.provider.requests])
    assert not {secret for secret in (KEY, REDIS_PASSWORD, text) if secret in output}


def test_every_request_of_a_debugged_gateway_has_its_line(debugged: ObservedGateway):
    answer = debugged.post("debugged", question())
    (line,) = debugged.lines("debugged", 1, call_id=answer.headers["x-langop-call-id"])
    assert "messages" not in line
    assert len([each for each in request_lines(debugged.output()) if each["call_id"] == line["call_id"]]) == 1


def test_a_client_that_leaves_in_the_middle_of_a_stream_leaves_one_line(observed: ObservedGateway):
    text = question()
    observed.provider.behave("logs-questions", chunk_delay=0.3)
    body = {"model": "logs-questions", "messages": [{"role": "user", "content": text}], "stream": True}
    with plain_http.stream("POST", f"{observed.gateway.url}/v1/chat/completions", json=body, timeout=60) as answer:
        next(answer.iter_lines())
    (line,) = observed.lines("logs-questions", 1, messages=body["messages"])
    assert line["stream"] is True
