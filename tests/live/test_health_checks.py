"""spec.loadBalancing.healthCheck: who is asked, how often, and what follows."""

from __future__ import annotations

import statistics
import time
from typing import Any

import pytest

from tests.live.laboratory import Laboratory, at, balanced, gaps


def _checked(name: str, **check: Any) -> dict[str, Any]:
    settings = {"interval": "400ms", "timeout": "3s", "healthyThreshold": 2, "unhealthyThreshold": 3, **check}
    return balanced(f"{name}-a", f"{name}-b", healthCheck={"enabled": True, **settings})


MODELS = {
    "checked": _checked("checked"),
    "checked-hangs": _checked("checked-hangs", timeout="500ms"),
    "checked-dead": _checked("checked-dead"),
    "checked-often": _checked("checked-often", interval="300ms"),
    "checked-seldom": _checked("checked-seldom", interval="1200ms"),
    "checked-never": balanced("checked-never-a", "checked-never-b", healthCheck={"enabled": False}),
    "checked-bedrock": balanced(
        {"url": at("checked-bedrock-a", ""), "region": "us-east-1"},
        {"url": at("checked-bedrock-b", ""), "region": "us-east-1"},
        provider="bedrock",
        modelName="anthropic.claude-3-haiku-20240307-v1:0",
        healthCheck={"enabled": True, "interval": "5s", "timeout": "4s"},
    ),
}


def _log(laboratory: Laboratory, model: str) -> list[str]:
    """Return what the gateway has logged about the endpoint a of a model, without what stands around it."""
    lines = laboratory.gateway.log.read_text(encoding="utf-8").splitlines()
    name = f"{model}/endpoint-0 "
    return [line.split(name)[1].split(" checks")[0] for line in lines if name in line and " checks" in line]


def _wait_for_log(laboratory: Laboratory, model: str, *expected: str) -> None:
    """Wait until these are the last lines: on a busy machine a check was late before, and the endpoint is back since."""
    deadline = time.monotonic() + 60
    while _log(laboratory, model)[-len(expected) :] != list(expected):
        assert time.monotonic() < deadline, _log(laboratory, model)
        time.sleep(0.05)


def _wait_for_checks(laboratory: Laboratory, label: str, count: int) -> None:
    laboratory.provider.wait_until(lambda: len(laboratory.checks(label)) >= count, 60)


@pytest.mark.parametrize(
    ("model", "failure"),
    [("checked", {"status": 500}), ("checked-hangs", {"hang": True}), ("checked-dead", {"disconnect": True})],
)
def test_an_endpoint_leaves_and_returns_by_its_checks(laboratory: Laboratory, model: str, failure: Any):
    bad, good = f"{model}-a", f"{model}-b"
    laboratory.provider.behave(bad, **failure)
    _wait_for_log(laboratory, model, "is skipped after 3 failed")
    laboratory.ask_often(model, 4)
    assert laboratory.shares(bad, good) == {good: 4}
    laboratory.provider.behave(bad)
    _wait_for_log(laboratory, model, "is skipped after 3 failed", "is healthy again after 2 successful")
    laboratory.ask_often(model, 4)
    assert laboratory.shares(bad, good) == {good: 6, bad: 2}


def test_fewer_failed_checks_than_the_threshold_change_nothing(laboratory: Laboratory):
    label = "checked-often-a"
    before = len(laboratory.checks(label))
    laboratory.provider.behave(label, statuses=[500, 500, 200] * 3)
    _wait_for_checks(laboratory, label, before + 10)
    assert _log(laboratory, "checked-often") == []


def test_checks_keep_their_interval(laboratory: Laboratory):
    measured = {}
    for model in ("checked-often", "checked-seldom"):
        _wait_for_checks(laboratory, f"{model}-b", 4)
        measured[model] = statistics.median(gaps(laboratory.checks(f"{model}-b")))
    assert measured["checked-seldom"] / measured["checked-often"] == pytest.approx(4, rel=0.4)


def test_a_check_asks_for_the_models_and_for_no_answer(laboratory: Laboratory):
    _wait_for_checks(laboratory, "checked-seldom-a", 2)
    requests = [seen for seen in laboratory.provider.requests if seen.endpoint == "checked-seldom-a"]
    assert {(seen.method, seen.path) for seen in requests} == {("GET", "/v1/models")}


def test_without_a_check_nobody_is_asked(laboratory: Laboratory):
    assert not laboratory.checks("checked-never-a")
    assert not laboratory.seen("checked-never-a")


def test_a_check_without_a_free_route_asks_for_one_token(laboratory: Laboratory):
    laboratory.wait_for(1, "checked-bedrock-a")
    check = laboratory.seen("checked-bedrock-a")[0]
    assert check.body["inferenceConfig"] == {"maxTokens": 1}
