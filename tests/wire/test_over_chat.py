"""Clients of other APIs than chat completions get every provider's answer, or are told what it does not take."""

from __future__ import annotations

import json
from typing import Any

import pytest

from langop_model.gateway.upstreams.base import Route
from tests.wire.cases import CASES, Case
from tests.wire.deployments import OVER_CHAT, asked, refused
from tests.wire.wire import ANSWER, QUESTION, Wire

ROUTES = (Route.RESPONSES, Route.MESSAGES, Route.GENERATE_CONTENT)
# Of Anthropic's messages `max_tokens` is always a member.
REFUSED = {
    ("azure_text", Route.RESPONSES): "responses is not served for this model",
    ("azure_text", Route.MESSAGES): "messages is not served for this model",
    ("langflow", Route.MESSAGES): "max_tokens is not supported by this model",
    ("langgraph", Route.MESSAGES): "max_tokens is not supported by this model",
    ("v0", Route.MESSAGES): "max_tokens is not supported by this model",
}


@pytest.mark.parametrize("route", ROUTES, ids=str)
@pytest.mark.parametrize("case", [case for case in CASES if not isinstance(case.question, list)], ids=lambda case: case.name)
def test_a_question_of_another_api_is_answered(case: Case, route: Route, wire: Wire):
    answers: list[Any] = []
    with asked(case, wire) as (deployed, _):
        wire.provider.clear()
        refusal = refused(lambda: answers.append(wire.ask(deployed, route, OVER_CHAT[route])))
    assert str(refusal or "") == REFUSED.get((case.name, route), "")
    assert (ANSWER in json.dumps(answers)) == (refusal is None)
    assert any(QUESTION in json.dumps(seen.body) for seen in wire.seen) == (refusal is None)
