"""Agents of the A2A protocol: how a task has ended."""

from __future__ import annotations

import json
from typing import Any

import pytest

from langop_model.gateway.upstreams import error_body
from langop_model.gateway.upstreams.base import Route
from langop_model.translator import exchanges
from langop_model.translator.failures import failure_of
from langop_model.translator.operations import Streamed, run
from stand_in import agent
from stand_in.answer import Answer, as_json, as_stream
from tests.wire.deployments import MESSAGE, answering
from tests.wire.wire import Wire

REASON = "the ticket system is unreachable"


def ended(state: str, texts: list[str], reason: str = "", *, stream: bool) -> Answer:
    return as_stream(agent.events(texts, state, reason)) if stream else as_json(agent.task(state, "".join(texts), reason))


async def failure(deployed: Any, *, stream: bool) -> tuple[str, str]:
    """Return the kind of the failure and the message that a question ends with."""
    exchange = exchanges.watch()
    try:
        answer = await run(deployed.call("model", Route.CHAT, MESSAGE, stream=stream), exchange)
        if isinstance(answer, Streamed):
            await answer.events.begin()
            async for _ in answer.events:
                pass
    except Exception as problem:  # noqa: BLE001 - the failure is what is asked for
        found = failure_of(problem, exchange)
        return found.kind, error_body.details_of(found.body.encode()).message
    return "none", ""


def test_a_stream_has_the_parts_of_the_artifact(wire: Wire):
    with answering("a2a", wire, ended("completed", ["Par", "is"], stream=True)) as deployed:
        parts = [json.loads(each.removeprefix(b"data: ")) for each in wire.stream(deployed, Route.CHAT, MESSAGE)[:-1]]
    choices = [choice for part in parts for choice in part["choices"]]
    assert "".join(choice["delta"].get("content") or "" for choice in choices) == "Paris"
    assert [choice["finish_reason"] for choice in choices if choice.get("finish_reason")] == ["stop"]


@pytest.mark.parametrize("texts", [[], ["Par"]], ids=["at once", "after a part"])
@pytest.mark.parametrize("state", ["failed", "rejected", "canceled"])
@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
def test_a_task_that_failed_is_no_answer(stream: bool, state: str, texts: list[str], wire: Wire):
    with answering("a2a", wire, ended(state, texts, REASON, stream=stream)) as deployed:
        kind, message = wire.runner.run(failure(deployed, stream=stream))
    assert kind != "none"
    assert message == REASON


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
def test_an_agent_that_says_no_reason_has_failed_too(stream: bool, wire: Wire):
    with answering("a2a", wire, ended("failed", [], stream=stream)) as deployed:
        kind, message = wire.runner.run(failure(deployed, stream=stream))
    assert (kind != "none", message) == (True, "the task of the agent has ended as failed")
