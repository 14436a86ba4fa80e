"""The line of a request: what is in it, what is not, and when there is none."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Coroutine
from datetime import datetime
from typing import Any
from unittest.mock import ANY

import litellm
import pytest

from langop_model.contract.settings import Endpoint, Group, Log
from langop_model.gateway import request_log
from langop_model.gateway.request_log import LEFT, Line, RequestLog

NOW = datetime(2026, 1, 2)
MESSAGES = [{"role": "user", "content": "Grüße"}]
PAYLOAD: dict[str, Any] = {
    "litellm_call_id": "call-1",
    "trace_id": "trace-1",
    "call_type": "acompletion",
    "status": "success",
    "model_group": "the-model",
    "model": "openai/the-model",
    "model_id": "the-resource/eu",
    "stream": True,
    "cache_hit": False,
    "response_time": 0.25,
    "prompt_tokens": 3,
    "completion_tokens": 0,
    "response_cost": 0.0,
    "messages": MESSAGES,
    "response": {"choices": []},
    "hidden_params": {"api_key": "not-a-real-key"},
    "model_parameters": {"extra_headers": {"Authorization": "not-a-real-key"}},
    "metadata": {"requester_custom_headers": {"x-key": "not-a-real-key"}},
}


def log(level: str = "INFO", requests: bool = False, responses: bool = False) -> RequestLog:
    group = Group("the-model", "the-resource", (Endpoint("the-resource/eu"),), log=Log(requests, responses))
    return RequestLog([group], level)


async def _ended(log: RequestLog, status: int, tell: Callable[[], Coroutine[Any, Any, None]]) -> None:
    line = Line("POST", "/v1/chat/completions", log.write)
    line.call_id = line.members["call_id"] = "call-1"
    request_log.present.set(line)
    await tell()
    line.end(status, with_figures=False)


def succeed(log: RequestLog, **payload: Any) -> None:
    """A request that a provider has answered."""
    kwargs = {"standard_logging_object": {**PAYLOAD, **payload}, "litellm_params": {"model_info": {"region": "eu"}}}
    asyncio.run(_ended(log, 200, lambda: log.async_log_success_event(kwargs, None, NOW, NOW)))


def fail(log: RequestLog, error: Exception, status: int = 500, **request: Any) -> None:
    """A request that failed for good."""
    asyncio.run(_ended(log, status, lambda: log.async_post_call_failure_hook(request, error, None)))


def lines(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def test_a_line_holds_figures_and_no_messages(capsys: pytest.CaptureFixture[str]):
    succeed(log())
    assert lines(capsys) == [
        {
            "level": "INFO",
            "event": "request",
            "call_id": "call-1",
            "trace_id": "trace-1",
            "method": "POST",
            "path": "/v1/chat/completions",
            "call_type": "acompletion",
            "status": "success",
            "status_code": 200,
            "model_group": "the-model",
            "resource": "the-resource",
            "model": "openai/the-model",
            "endpoint": "the-resource/eu",
            "region": "eu",
            "stream": True,
            "cache_hit": False,
            "seconds": ANY,
            "prompt_tokens": 3,
            "completion_tokens": 0,
            "cost": 0.0,
        }
    ]


@pytest.mark.parametrize("requests", [True, False])
@pytest.mark.parametrize("responses", [True, False])
def test_messages_and_answer_are_there_where_asked_for(capsys: pytest.CaptureFixture[str], requests: bool, responses: bool):
    succeed(log(requests=requests, responses=responses))
    (line,) = lines(capsys)
    assert (line.get("messages"), line.get("response")) == (
        MESSAGES if requests else None,
        {"choices": []} if responses else None,
    )


@pytest.mark.parametrize(
    "names",
    [
        {"model_group": "the-model", "model_id": None},
        {"model_group": "the-resource", "model_id": None},
        {"model_group": "an-alias", "model_id": "the-resource/eu"},
    ],
)
def test_a_model_is_known_by_each_of_its_names(capsys: pytest.CaptureFixture[str], names: dict[str, Any]):
    succeed(log(requests=True), **names)
    (line,) = lines(capsys)
    assert (line["model_group"], line["messages"]) == ("the-model", MESSAGES)


def test_of_a_model_that_is_not_known_nothing_that_was_said_is_logged(capsys: pytest.CaptureFixture[str]):
    succeed(log(requests=True, responses=True), model_group="another", model_id="another")
    (line,) = lines(capsys)
    assert not line.keys() & {"messages", "response"}


@pytest.mark.parametrize(("level", "success", "failure"), [("DEBUG", 1, 1), ("INFO", 1, 1), ("WARNING", 0, 1), ("ERROR", 0, 1)])
def test_the_level_decides_which_lines_there_are(capsys: pytest.CaptureFixture[str], level: str, success: int, failure: int):
    succeed(log(level))
    assert len(lines(capsys)) == success
    fail(log(level), ValueError("no"))
    assert len(lines(capsys)) == failure


def test_a_failure_that_reached_a_provider_names_its_endpoint_and_its_own_error(capsys: pytest.CaptureFixture[str]):
    error = litellm.InternalServerError("message with a prompt in it", "openai", "the-model")
    fail(log(requests=True, responses=True), error, standard_logging_object=PAYLOAD)
    (line,) = lines(capsys)
    assert (line["level"], line["status"], line["error"], line["status_code"]) == (
        "ERROR",
        "failure",
        "InternalServerError",
        500,
    )
    assert (line["endpoint"], line["messages"]) == ("the-resource/eu", MESSAGES)
    assert "response" not in line
    assert "message with a prompt" not in json.dumps(line)


def test_a_failure_that_reached_no_provider_has_a_line_too(capsys: pytest.CaptureFixture[str]):
    error = litellm.exceptions.BadRequestError("no such model", "nobody", "openai")
    fail(log(requests=True), error, 400, litellm_call_id="call-2", model="nobody", messages=MESSAGES)
    (line,) = lines(capsys)
    assert line == {
        "level": "ERROR",
        "event": "request",
        "call_id": "call-1",
        "method": "POST",
        "path": "/v1/chat/completions",
        "status": "failure",
        "status_code": 400,
        "model_group": "nobody",
        "seconds": ANY,
        "error": "BadRequestError",
    }


def test_a_stream_that_breaks_has_failed_though_its_status_was_200(capsys: pytest.CaptureFixture[str]):
    fail(log(), ValueError("no"), 200)
    (line,) = lines(capsys)
    assert (line["level"], line["status"], line["status_code"]) == ("ERROR", "failure", 200)


def test_a_client_that_left_is_no_failure(capsys: pytest.CaptureFixture[str]):
    fail(log(), ValueError("cancelled"), LEFT)
    (line,) = lines(capsys)
    assert (line["level"], line["status"]) == ("INFO", "left")


def test_a_line_is_one_line_and_readable(capsys: pytest.CaptureFixture[str]):
    succeed(log(requests=True), messages=[{"role": "user", "content": "Grüße\nund mehr"}])
    output = capsys.readouterr().out
    assert output.count("\n") == 1
    assert "Grüße" in output


def test_no_key_is_in_a_line(capsys: pytest.CaptureFixture[str]):
    succeed(log("DEBUG", requests=True, responses=True))
    fail(
        log("DEBUG", requests=True, responses=True), ValueError("no"), standard_logging_object=PAYLOAD, api_key="not-a-real-key"
    )
    assert "not-a-real-key" not in capsys.readouterr().out


def test_an_event_without_a_payload_adds_nothing(capsys: pytest.CaptureFixture[str]):
    asyncio.run(_ended(log(), 200, lambda: log().async_log_success_event({}, None, NOW, NOW)))
    (line,) = lines(capsys)
    assert not line.keys() & {"model", "prompt_tokens", "endpoint"}


def test_a_call_that_belongs_to_no_request_has_no_line(capsys: pytest.CaptureFixture[str]):
    """A health check, say."""
    request_log.present.set(None)
    asyncio.run(log().async_log_success_event({"standard_logging_object": PAYLOAD}, None, NOW, NOW))
    asyncio.run(log().async_post_call_failure_hook({"model": "the-model"}, ValueError("no"), None))
    assert not lines(capsys)


# When a line is written.


async def _written(*steps: str, with_figures: bool = True, patience: float = 0.02) -> list[dict[str, Any]]:
    """Return what was written after these steps: end, figures, wait (for longer than figures may take)."""
    written: list[dict[str, Any]] = []
    line = Line("POST", "/", lambda members: written.append(dict(members)))
    for step in steps:
        match step:
            case "end":
                line.end(200, with_figures)
            case "figures":
                line.figures({"prompt_tokens": 7})
            case "wait":
                await asyncio.sleep(2 * patience)
    return written


def _write(*steps: str, with_figures: bool = True) -> list[int | None]:
    return [members.get("prompt_tokens") for members in asyncio.run(_written(*steps, with_figures=with_figures))]


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(request_log, "FIGURES_WITHIN", 0.02)


@pytest.mark.usefixtures("impatient")
def test_a_line_is_written_once_when_the_answer_is_complete_and_its_figures_are_known():
    assert _write("figures", "end") == [7]
    assert _write("end", "figures") == [7]
    assert _write("end", "figures", "figures", "wait") == [7]
    assert _write("figures") == []
    assert _write("end") == []


@pytest.mark.usefixtures("impatient")
def test_a_line_is_written_without_figures_when_they_do_not_come():
    assert _write("end", "wait") == [None]
    assert _write("end", "wait", "figures") == [None]


def test_a_line_waits_for_no_figures_where_there_are_none():
    assert _write("end", with_figures=False) == [None]


def test_what_the_gate_knows_is_not_replaced_by_what_litellm_tells():
    line = Line("POST", "/v1/messages", lambda _: None)
    line.note(agent="agent-7", model_group="asked")
    line.figures({"agent": "another", "model_group": "served", "call_id": "another", "trace_id": "trace-1"})
    assert (line.members["agent"], line.members["model_group"]) == ("agent-7", "asked")
    assert (line.members["call_id"], line.members["trace_id"]) == (line.call_id, "trace-1")
