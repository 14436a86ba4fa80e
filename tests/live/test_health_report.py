"""GET /health: the last known state of each endpoint, without asking one."""

from __future__ import annotations

import json
from typing import Any

from tests.live.laboratory import NOBODY, Laboratory, a_model, at, balanced
from tests.support import plain_http

MODELS = {
    "health-asked": a_model("health-asked"),
    "health-not-asked": a_model("health-not-asked"),
    "health-dead": balanced("health-alive", {"url": NOBODY}, strategy="round-robin"),
    "health-checked": balanced("health-checked-a", healthCheck={"enabled": True, "interval": "300ms", "timeout": "3s"}),
    "health-bedrock": {
        "provider": "bedrock",
        "modelName": "anthropic.claude-instant-v1",
        "loadBalancing": {"endpoints": [{"url": at("health-bedrock", ""), "region": "us-east-1"}]},
    },
}


def health(laboratory: Laboratory) -> dict[str, Any]:
    """Return what GET /health says."""
    answer = plain_http.get(f"{laboratory.gateway.url}/health", timeout=60)
    assert answer.status_code == 200
    report: dict[str, Any] = answer.json()
    return report


def endpoints(laboratory: Laboratory, model: str) -> list[dict[str, Any]]:
    """Return what GET /health says of the endpoints of a model."""
    found: list[dict[str, Any]] = health(laboratory)["models"][model]["endpoints"]
    return found


def test_asking_for_it_asks_no_provider(laboratory: Laboratory):
    for _ in range(5):
        health(laboratory)
    assert not [seen for seen in laboratory.provider.requests if seen.endpoint in ("health-not-asked", "health-bedrock")]
    assert endpoints(laboratory, "health-not-asked")[0]["status"] == "unknown"


def test_an_answer_is_seen(laboratory: Laboratory):
    laboratory.ask("health-asked")
    (endpoint,) = endpoints(laboratory, "health-asked")
    assert (endpoint["id"], endpoint["status"]) == ("health-asked/endpoint-0", "up")
    assert endpoint["last_answer_seconds_ago"] >= 0


def test_an_endpoint_that_fails_is_seen_and_the_model_is_degraded(laboratory: Laboratory):
    assert {answer.status_code for answer in laboratory.ask_often("health-dead", 8)} == {200}
    report = health(laboratory)
    alive, dead = report["models"]["health-dead"]["endpoints"]
    assert (alive["status"], dead["status"]) == ("up", "down")
    assert dead["failures_in_a_row"] >= 3
    assert report["models"]["health-dead"]["status"] == "degraded"
    assert report["status"] in ("degraded", "unhealthy")  # other models of this gateway may be worse off


def test_a_check_is_seen(laboratory: Laboratory):
    laboratory.provider.wait_until(lambda: len(laboratory.checks("health-checked-a")) >= 2, 60)
    (endpoint,) = endpoints(laboratory, "health-checked")
    assert endpoint["status"] == "up"
    assert "last_check_seconds_ago" in endpoint


def test_the_last_error_is_told_by_its_cause_and_status(laboratory: Laboratory):
    laboratory.ask_often("health-dead", 8)
    (_, dead) = endpoints(laboratory, "health-dead")
    assert (dead["last_error"]["cause"], dead["last_error"]["status_code"]) == ("server_error", 503)
    assert dead["since"] < dead["cooldown_until"]


def test_a_browser_gets_a_page(laboratory: Laboratory):
    answer = plain_http.get(f"{laboratory.gateway.url}/health", headers={"Accept": "text/html,*/*;q=0.8"}, timeout=60)
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert "health-dead/endpoint-1" in answer.text


def test_it_tells_no_address_and_no_text_of_an_error(laboratory: Laboratory):
    laboratory.ask_often("health-dead", 2)
    text = json.dumps({name: model for name, model in health(laboratory)["models"].items() if name in MODELS})
    assert "health-dead/endpoint-1" in text
    assert not [word for word in ("http", "127.0.0.1", "reached") if word in text]
