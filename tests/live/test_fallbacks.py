"""spec.fallbacks: who is asked when a model fails, for which cause, and how often at most."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import pytest

from stand_in import StandIn
from tests.live.laboratory import Laboratory, a_model, question, said
from tests.support import plain_http
from tools.processes import Gateway, free_port

if TYPE_CHECKING:
    import httpx

# What a provider does, and the condition that it meets besides `error`.
OUTCOMES: dict[str, tuple[Any, str | None]] = {
    "500": (500, "server_error"),
    "503": (503, "server_error"),
    "dropped": ("disconnect", "server_error"),
    "429": (429, "rate_limit"),
    "hangs": ("hang", "timeout"),
    "too-long": ("context_length_exceeded", "context_window"),
    "refused": ("content_policy", "content_policy"),
    "400": (400, None),
    "401": (401, None),
    "404": (404, None),
}
CONDITIONS = ("error", "rate_limit", "timeout", "server_error", "context_window", "content_policy")


def _falls(label: str, *targets: str, conditions: list[str] | None = None, **fields: Any) -> dict[str, Any]:
    entries = [{"modelRef": target, **({"conditions": conditions} if conditions else {})} for target in targets]
    return a_model(label, fallbacks=entries, **fields)


MODELS = {
    "refuge": a_model("refuge"),
    "refuge-second": a_model("refuge-second", modelName="Refuge/Second"),
    "chain": _falls("chain", "chain-first", "refuge-second", "refuge"),
    "chain-first": a_model("chain-first"),
    "chain-retries": _falls("chain-retries", "refuge", retryPolicy={"maxAttempts": 2, "initialBackoff": "10ms"}),
    "chain-lost": _falls("chain-lost", "chain-lost-first", "refuge"),
    "chain-lost-first": a_model("chain-lost-first", retryPolicy={"maxAttempts": 1, "initialBackoff": "10ms"}),
    **{
        f"on-{condition.replace('_', '-')}": _falls(
            f"on-{condition.replace('_', '-')}", "refuge", conditions=[condition], timeout="400ms"
        )
        for condition in CONDITIONS
    },
    "on-two": _falls("on-two", "refuge", conditions=["rate_limit", "context_window"]),
    "in-stream": _falls("in-stream", "refuge"),
    "limited": _falls("limited", "refuge", conditions=["rate_limit"], rateLimits={"requestsPerMinute": 1}, timeout="20s"),
}


def test_fallbacks_are_asked_in_order_until_one_answers(laboratory: Laboratory):
    for label in ("chain", "chain-first"):
        laboratory.provider.behave(label, status=500)
    assert said(laboratory.ask("chain", "Hello")) == "You said: Hello"
    seen = [each for each in laboratory.seen("chain", "chain-first", "refuge-second", "refuge") if _asks(each, "Hello")]
    assert [each.endpoint for each in seen] == ["chain", "chain-first", "refuge-second"]
    assert seen[-1].body["model"] == "Refuge/Second"


def _asks(seen: Any, text: str) -> bool:
    return bool(seen.body["messages"][0]["content"] == text)


def test_retries_come_before_fallbacks(laboratory: Laboratory):
    laboratory.provider.behave("chain-retries", status=500)
    assert laboratory.ask("chain-retries").status_code == 200
    assert len(laboratory.seen("chain-retries")) == 3


def test_a_fallbacks_failure_is_judged_by_itself(laboratory: Laboratory):
    laboratory.provider.behave("chain-lost", disconnect=True)
    laboratory.provider.behave("chain-lost-first", status=400)
    assert laboratory.ask("chain-lost").status_code == 200
    assert len(laboratory.seen("chain-lost-first")) == 1


@pytest.mark.parametrize("condition", CONDITIONS)
def test_a_condition_fires_for_its_cause_and_for_no_other(laboratory: Laboratory, condition: str):
    model = f"on-{condition.replace('_', '-')}"
    fired = {}
    for name, (outcome, _) in OUTCOMES.items():
        laboratory.provider.behave(model, statuses=[outcome])
        fired[name] = laboratory.ask(model).status_code == 200
    assert fired == {name: condition in ("error", cause) for name, (_, cause) in OUTCOMES.items()}


def test_several_conditions_fire_for_each_of_their_causes(laboratory: Laboratory):
    laboratory.provider.behave("on-two", statuses=[429, "context_length_exceeded", 500])
    assert [laboratory.ask("on-two").status_code for _ in range(3)] == [200, 200, 500]


def test_the_models_own_limit_is_a_rate_limit(laboratory: Laboratory):
    answers = [laboratory.ask("limited") for _ in range(3)]
    assert [answer.status_code for answer in answers] == [200] * 3
    assert len(laboratory.seen("limited")) == 1


@pytest.mark.parametrize("behaviour", [{"status": 500}, {"disconnect": True}, {"break_after": 0}], ids=str)
def test_a_stream_falls_back_before_its_first_part(laboratory: Laboratory, behaviour: Any):
    laboratory.provider.behave("in-stream", **behaviour)
    answer = laboratory.ask("in-stream", f"Hello {behaviour}", stream=True)
    assert _streamed(answer) == f"You said: Hello {behaviour}"


def test_a_stream_does_not_fall_back_after_its_first_part(laboratory: Laboratory):
    laboratory.provider.behave("in-stream", break_after=3, chunk_delay=0.2)
    answer = laboratory.ask("in-stream", "Broken", stream=True)
    assert "error" in answer.text
    assert not [seen for seen in laboratory.seen("refuge") if _asks(seen, "Broken")]


def _streamed(answer: httpx.Response) -> str:
    assert answer.status_code == 200, answer.text
    parts = [json.loads(line[6:]) for line in answer.text.splitlines() if line.startswith("data: {")]
    return "".join(part["choices"][0]["delta"].get("content") or "" for part in parts if part["choices"])


@pytest.fixture(scope="module")
def siblings(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[StandIn, dict[str, Gateway]]]:
    """Two proxies of one model each, which name each other; their names in the cluster become ports of this machine."""
    ports = {"left": free_port(), "right": free_port()}
    with StandIn() as provider, ExitStack() as running:
        gateways = {}
        for name, other in (("left", "right"), ("right", "left")):
            folder = tmp_path_factory.mktemp(name)
            spec = {
                "provider": "openai-compatible",
                "modelName": f"Org/{name}-model",
                "endpoint": f"{provider.base(name)}/v1",
                "retryPolicy": {"maxAttempts": 2, "initialBackoff": "10ms"},
                "fallbacks": [{"modelRef": other}],
            }
            (folder / "model.json").write_text(json.dumps(spec), encoding="utf-8")
            environment = {"LANGOP_MODEL_NAME": name, "LANGOP_SIBLING_URL": f"http://127.0.0.1:{ports[other]}/v1"}
            gateways[name] = Gateway(folder / "model.json", folder, folder, ports[name], environment)
            gateways[name].start()
            running.callback(gateways[name].stop)
        for gateway in gateways.values():
            gateway.wait_until_ready()
        yield provider, gateways


def _ask(gateway: Gateway, model: str) -> httpx.Response:
    return plain_http.post(f"{gateway.url}/v1/chat/completions", json=question(model), timeout=60)


def test_a_sibling_is_asked_by_its_resource_name(siblings: tuple[StandIn, dict[str, Gateway]]):
    provider, gateways = siblings
    provider.clear()
    provider.behave("left", status=500)
    provider.behave("right")
    assert _ask(gateways["left"], "Org/left-model").status_code == 200
    assert [(seen.endpoint, seen.body["model"]) for seen in provider.requests] == [
        *[("left", "Org/left-model")] * 3,
        ("right", "Org/right-model"),
    ]


def test_siblings_that_name_each_other_are_tried_once(siblings: tuple[StandIn, dict[str, Gateway]]):
    provider, gateways = siblings
    provider.clear()
    for name in gateways:
        provider.behave(name, status=500)
    assert _ask(gateways["left"], "left").status_code == 500
    assert [seen.endpoint for seen in provider.requests] == ["left", "left", "left", "right"]
