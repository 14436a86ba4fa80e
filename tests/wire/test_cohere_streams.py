"""Cohere's streams, as server-sent events and as lines: the text, why it has ended, and what it used."""

from __future__ import annotations

import json
from typing import Any

import pytest

from langop_model.gateway.upstreams.base import Route
from stand_in import cohere
from stand_in.answer import Answer, as_stream
from tests.wire.deployments import MESSAGE, answering
from tests.wire.wire import QUESTION, Wire

USAGE = {"billed_units": {"input_tokens": 3, "output_tokens": 5}, "tokens": {"input_tokens": 71, "output_tokens": 26}}


TEXTS = ["Par", "is"]


def as_events(reason: str) -> Answer:
    return as_stream(cohere.as_events(cohere.events(TEXTS, reason, USAGE)))


def as_lines(reason: str) -> Answer:
    return as_stream(
        (json.dumps(each).encode() + b"\n" for each in cohere.events(TEXTS, reason, USAGE)), "application/stream+json"
    )


@pytest.mark.parametrize("form", [as_events, as_lines])
@pytest.mark.parametrize(("reason", "finish"), [("COMPLETE", "stop"), ("STOP_SEQUENCE", "stop"), ("MAX_TOKENS", "length")])
@pytest.mark.parametrize("name", ["cohere", "cohere_chat"])
def test_a_stream_is_what_the_provider_says(name: str, reason: str, finish: str, form: Any, wire: Wire):
    with answering(name, wire, form(reason)) as deployed:
        question = {**MESSAGE, "stream_options": {"include_usage": True}}
        parts = [json.loads(each.removeprefix(b"data: ")) for each in wire.stream(deployed, Route.CHAT, question)[:-1]]
    choices = [choice for part in parts for choice in part["choices"]]
    assert [text for choice in choices if (text := choice["delta"].get("content"))] == TEXTS
    assert [choice["finish_reason"] for choice in choices if choice.get("finish_reason")] == [finish]
    (usage,) = [part["usage"] for part in parts if part.get("usage")]
    assert (usage["prompt_tokens"], usage["completion_tokens"]) == (71, 26)


@pytest.mark.parametrize(
    ("route", "body", "ended"),
    [
        (Route.RESPONSES, {"input": QUESTION}, b'"status":"incomplete"'),
        (Route.MESSAGES, {**MESSAGE, "max_tokens": 99}, b'"stop_reason":"max_tokens"'),
    ],
)
def test_why_it_has_ended_arrives_on_each_api(route: Route, body: dict[str, Any], ended: bytes, wire: Wire):
    with answering("cohere", wire, as_events("MAX_TOKENS")) as deployed:
        events = wire.stream(deployed, route, body)
    assert ended in b"".join(events)
