"""One stream of logs: each line that a gateway writes is one JSON object, and its level says whose fault it is."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from tests.live.hurt import WATCHED, Hurt

pytest_plugins = ["tests.live.hurt"]

RFC_3339 = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")


@pytest.fixture(scope="module")
def lines(hurt: Hurt) -> list[dict[str, Any]]:
    """All lines of both streams of all processes."""
    return [json.loads(line) for line in hurt.laboratory.gateway.log.read_text(encoding="utf-8").splitlines()]


def having(lines: list[dict[str, Any]], **members: Any) -> list[dict[str, Any]]:
    """Return the lines with these members."""
    return [line for line in lines if members.items() <= line.items()]


def test_each_line_is_an_object_with_time_level_and_message(lines: list[dict[str, Any]]):
    assert len(lines) > 30
    for line in lines:
        assert RFC_3339.fullmatch(line["timestamp"]), line
        assert line["level"] in {"INFO", "WARNING", "ERROR"}, line
        assert line["message"], line


def test_no_line_has_codes_for_a_terminal(hurt: Hurt):
    log = hurt.laboratory.gateway.log.read_text(encoding="utf-8")
    assert "\\u001b" not in log
    assert "\x1b" not in log


def test_the_first_lines_alarm_nobody_but_with_findings(lines: list[dict[str, Any]]):
    serving = lines.index(having(lines, event="serving")[0])
    alarming = [line for line in lines[: serving + 1] if line["level"] != "INFO"]
    # The endpoint that is down may have failed its checks by then, on a busy machine.
    assert [line for line in alarming if "code" not in line and line["logger"] != "langop.endpoints"] == []
    assert {line["level"] for line in alarming} <= {"WARNING"}  # findings about the specifications


def test_one_line_says_what_is_served(lines: list[dict[str, Any]]):
    (serving,) = having(lines, event="serving")
    assert serving["models"] == sorted(WATCHED)
    assert serving["endpoints"] == len(WATCHED) + 3
    assert serving["limits"]["narrow"] == {"concurrentRequests": 1}
    assert (serving["workers"], serving["redis"]) == (2, True)
    assert serving["version"]
    assert re.fullmatch(r"[0-9a-f]{12}", serving["configuration"])


def test_its_configuration_is_that_of_the_metrics(hurt: Hurt, lines: list[dict[str, Any]]):
    (serving,) = having(lines, event="serving")
    (labels,) = [dict(labels) for name, labels in hurt.scrapes["start"] if name == "langop_config_info"]
    assert labels == {"hash": serving["configuration"]}


def test_a_change_says_what_is_different(lines: list[dict[str, Any]]):
    served, *_ = having(lines, code="LM724")
    assert "77" in served["message"]


def test_a_dead_endpoint_is_named_with_its_address_and_the_reason(lines: list[dict[str, Any]]):
    (line, *_) = having(lines, event="endpoint_down", endpoint="checked/endpoint-1")
    assert line["level"] == "WARNING"
    assert line["url"] == "http://127.0.0.1:9/v1"
    assert line["reason"] == "no connection"
    (line, *_) = having(lines, event="endpoint_down", endpoint="dead/endpoint-1")
    assert "3 failures in a row" in line["message"]


@pytest.mark.parametrize(
    ("members", "level"),
    [
        ({"event": "request", "status_code": 400}, "INFO"),
        ({"event": "request", "status_code": 429}, "INFO"),
        ({"event": "request", "resource": "failing", "status": "success"}, "WARNING"),
        ({"code": "LM723"}, "WARNING"),
        ({"code": "LM726"}, "ERROR"),
        ({"logger": "langop.translator"}, "WARNING"),
        ({"logger": "langop.redis", "level": "WARNING"}, "WARNING"),
    ],
    ids=str,
)
def test_levels_say_whose_fault_it_is(lines: list[dict[str, Any]], members: dict[str, Any], level: str):
    found = having(lines, **members)
    assert found
    assert {line["level"] for line in found} == {level}


def test_a_refusal_by_a_limit_says_which_and_that_nothing_went_out(lines: list[dict[str, Any]]):
    (line,) = having(lines, status_code=429)
    assert (line["limit"], line["attempts"], line["queue_length"]) == ("rateLimits.requestsPerMinute", 0, 0)
    assert line["error_message"].endswith("no provider was asked")
