"""spec.configuration: defaults that a client may replace, with the types that a provider expects."""

from __future__ import annotations

from typing import Any

import pytest

from tests.live.observed import ObservedGateway, question

DEFAULTS = {
    "temperature": 0.25,
    "max_tokens": 123,
    "top_p": 0.5,
    "frequency_penalty": 0.75,
    "presence_penalty": -0.5,
    "stop": ["END", "\n\n"],
}
ADDITIONAL = {
    "seed": 7,
    "parallel_tool_calls": True,
    "logit_bias": {"50256": -100},
    "user": "4711",
    "repetition_penalty": 1.5,
    "min_p": 0,
    "guided_choice": ["yes", "no"],
}


def sent(laboratory: ObservedGateway, model: str, **body: Any) -> dict[str, Any]:
    """Ask, and return the body of the one request that the provider saw for it."""
    text = question()
    assert laboratory.said(model, text, **body) == f"You said: {text}"
    (seen,) = laboratory.seen(text)
    content: dict[str, Any] = seen.body
    return content


def test_every_default_of_the_spec_is_sent(observed: ObservedGateway):
    body = sent(observed, "tuned")
    assert {name: body.get(name) for name in DEFAULTS} == DEFAULTS


def test_the_defaults_of_a_stream_are_the_same(observed: ObservedGateway):
    text = question()
    assert observed.streamed("tuned", text) == f"You said: {text}"
    (seen,) = observed.seen(text)
    assert {name: seen.body.get(name) for name in {**DEFAULTS, **ADDITIONAL}} == {**DEFAULTS, **ADDITIONAL}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("temperature", 0),
        ("temperature", 1.5),
        ("max_tokens", 7),
        ("top_p", 0.125),
        ("frequency_penalty", 0),
        ("presence_penalty", 2),
        ("stop", ["STOP"]),
        ("seed", 8),
        ("user", "somebody"),
        ("repetition_penalty", 1.25),
        ("guided_choice", ["red"]),
    ],
)
def test_a_clients_own_value_wins_and_the_other_defaults_stay(observed: ObservedGateway, name: str, value: Any):
    defaults = {**DEFAULTS, **ADDITIONAL}
    body = sent(observed, "tuned", **{name: value})
    assert {each: body.get(each) for each in defaults} == {**defaults, name: value}


@pytest.mark.parametrize("name", ADDITIONAL)
def test_an_additional_parameter_arrives_with_its_type(observed: ObservedGateway, name: str):
    value = sent(observed, "tuned")[name]
    assert value == ADDITIONAL[name]
    assert type(value) is type(ADDITIONAL[name])


def test_a_date_stays_text(observed: ObservedGateway):
    text = question()
    observed.said("azure", text)
    (seen,) = observed.seen(text)
    assert seen.query["api-version"] == "2024-10-21"


def test_what_the_provider_does_not_know_is_dropped(observed: ObservedGateway):
    """It does not fail the request."""
    body = sent(observed, "claude")
    assert not body.keys() & {"frequency_penalty", "presence_penalty"}
    assert (body["temperature"], body["stop_sequences"], body["top_k"]) == (0.25, ["END"], 40)


def test_what_is_dropped_is_said_at_start(observed: ObservedGateway):
    before = observed.output().partition("Started server process")[0]
    for name in ("frequencyPenalty", "presencePenalty"):
        assert f"LM312: anthropic does not support spec.configuration.{name}" in before


def test_an_unknown_member_of_a_client_fails_no_request(observed: ObservedGateway):
    assert "frequency_penalty" not in sent(observed, "claude", frequency_penalty=1.0)
