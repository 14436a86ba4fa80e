"""Clients of other APIs than chat completions get every provider's answer, or are told what it does not take."""

from __future__ import annotations

import json
from typing import Any

import pytest

from langop_model.gateway.upstreams.base import Route
from tests.wire.cases import Case
from tests.wire.deployments import OVER_CHAT, PIXEL, TRANSLATED, asked, refused
from tests.wire.wire import ANSWER, QUESTION, Deployed, Wire

ROUTES = (Route.RESPONSES, Route.MESSAGES, Route.GENERATE_CONTENT)
# Of Anthropic's messages `max_tokens` is always a member.
REFUSED = {
    ("a2a", Route.MESSAGES): "max_tokens is not supported by this model",
    ("azure_text", Route.RESPONSES): "responses is not served for this model",
    ("azure_text", Route.MESSAGES): "messages is not served for this model",
    ("langflow", Route.MESSAGES): "max_tokens is not supported by this model",
    ("langgraph", Route.MESSAGES): "max_tokens is not supported by this model",
}


ASKABLE = [case for case in TRANSLATED if not isinstance(case.question, list)]  # with a text alone


@pytest.mark.parametrize("route", ROUTES, ids=str)
@pytest.mark.parametrize("case", ASKABLE, ids=lambda case: case.name)
def test_a_question_of_another_api_is_answered(case: Case, route: Route, wire: Wire):
    answers: list[Any] = []
    with asked(case, wire) as (deployed, _):
        wire.provider.clear()
        refusal = refused(lambda: answers.append(wire.ask(deployed, route, OVER_CHAT[route])))
    assert str(refusal or "") == REFUSED.get((case.name, route), "")
    assert (ANSWER in json.dumps(answers)) == (refusal is None)
    assert any(QUESTION in json.dumps(seen.body) for seen in wire.seen) == (refusal is None)


SCHEMA = {"type": "object", "properties": {"marked_member": {"type": "string"}}}
FUNCTION = {"name": "marked_tool", "parameters": SCHEMA}
TOOLS: dict[Route, dict[str, Any]] = {
    Route.RESPONSES: {"tools": [{"type": "function", **FUNCTION}]},
    Route.MESSAGES: {"tools": [{"name": "marked_tool", "input_schema": SCHEMA}]},
    Route.GENERATE_CONTENT: {"tools": [{"functionDeclarations": [FUNCTION]}]},
}
PNG, PDF = (f"data:{kind};base64,{PIXEL}" for kind in ("image/png", "application/pdf"))


def asks(*items: Any, **members: Any) -> tuple[Route, dict[str, Any]]:
    """Return a request for OpenAI's responses, with `items` as its input."""
    return Route.RESPONSES, {"input": list(items) or QUESTION, **members}


def says(*messages: Any, **members: Any) -> tuple[Route, dict[str, Any]]:
    """Return a request for Anthropic's messages."""
    return Route.MESSAGES, {"messages": list(messages) or [ASKED], "max_tokens": 9, **members}


def holds(*turns: Any, **members: Any) -> tuple[Route, dict[str, Any]]:
    """Return a request in Gemini's format."""
    return Route.GENERATE_CONTENT, {"contents": list(turns) or [turn("user", {"text": QUESTION})], **members}


def turn(role: str, *parts: dict[str, Any]) -> dict[str, Any]:
    return {"role": role, "parts": list(parts)}


ASKED = {"role": "user", "content": QUESTION}
ITEM = {"type": "input_text", "text": QUESTION}
PART = {"type": "text", "text": QUESTION}
SOURCE = {"type": "base64", "data": PIXEL}
CALL = {"type": "function_call", "call_id": "c1", "name": "marked_tool", "arguments": "{}"}
USE = {"type": "tool_use", "id": "c1", "name": "marked_tool", "input": {}}
RESULT = {"type": "tool_result", "tool_use_id": "c1", "content": "marked-result"}
CALLED = turn("model", {"functionCall": {"name": "marked_tool", "args": {}}})
RETURNED = turn("user", {"functionResponse": {"name": "marked_tool", "response": {"is": "marked-result"}}})
# What is asked for, and what shows that it arrived.
SAID: dict[str, tuple[tuple[Route, dict[str, Any]], str]] = {
    "instructions": (asks(instructions="marked-system"), "marked-system"),
    "system": (says(system="marked-system"), "marked-system"),
    "system in parts": (says(system=[{"type": "text", "text": "marked-system"}]), "marked-system"),
    "systemInstruction": (holds(systemInstruction={"parts": [{"text": "marked-system"}]}), "marked-system"),
    "tools of responses": (asks(**TOOLS[Route.RESPONSES]), "marked_tool"),
    "tools of messages": (says(**TOOLS[Route.MESSAGES]), "marked_tool"),
    "tools of Gemini": (holds(**TOOLS[Route.GENERATE_CONTENT]), "marked_tool"),
    "function_call_output": (
        asks(
            ASKED, CALL, {"type": "function_call_output", "call_id": "c1", "output": "marked-result"}, **TOOLS[Route.RESPONSES]
        ),
        "marked-result",
    ),
    "tool_result": (
        says(ASKED, {"role": "assistant", "content": [USE]}, {"role": "user", "content": [RESULT]}, **TOOLS[Route.MESSAGES]),
        "marked-result",
    ),
    "functionResponse": (
        holds(turn("user", {"text": QUESTION}), CALLED, RETURNED, **TOOLS[Route.GENERATE_CONTENT]),
        "marked-result",
    ),
    "input_image": (asks({"role": "user", "content": [ITEM, {"type": "input_image", "image_url": PNG}]}), PIXEL),
    "image": (
        says({"role": "user", "content": [PART, {"type": "image", "source": {**SOURCE, "media_type": "image/png"}}]}),
        PIXEL,
    ),
    "inlineData": (
        holds(turn("user", {"text": QUESTION}, {"inlineData": {"mimeType": "image/png", "data": PIXEL}})),
        PIXEL,
    ),
    "input_file": (
        asks({"role": "user", "content": [ITEM, {"type": "input_file", "filename": "a.pdf", "file_data": PDF}]}),
        PIXEL,
    ),
    "document": (
        says({"role": "user", "content": [PART, {"type": "document", "source": {**SOURCE, "media_type": "application/pdf"}}]}),
        PIXEL,
    ),
    "answer before, responses": (
        asks(ASKED, {"role": "assistant", "content": [{"type": "output_text", "text": "marked-answer"}]}, ASKED),
        "marked-answer",
    ),
    "answer before, messages": (says(ASKED, {"role": "assistant", "content": "marked-answer"}, ASKED), "marked-answer"),
    "answer before, Gemini": (
        holds(turn("user", {"text": QUESTION}), turn("model", {"text": "marked-answer"}), turn("user", {"text": QUESTION})),
        "marked-answer",
    ),
    "text.format": (asks(text={"format": {"type": "json_schema", "name": "marked", "schema": SCHEMA}}), "marked_member"),
    "max_output_tokens": (asks(max_output_tokens=7391), "7391"),
    "maxOutputTokens": (holds(generationConfig={"maxOutputTokens": 7391}), "7391"),
    "stop_sequences": (says(stop_sequences=["marked-end"]), "marked-end"),
    "stopSequences": (holds(generationConfig={"stopSequences": ["marked-end"]}), "marked-end"),
}


@pytest.mark.parametrize(
    "case", [case for case in TRANSLATED if not isinstance(case.question, list)], ids=lambda case: case.name
)
def test_what_another_api_says_arrives_or_is_refused(case: Case, wire: Wire):
    with asked(case, wire) as (deployed, _):
        lost = [said for said in SAID if is_lost(wire, deployed, said)]
    assert lost == []


def is_lost(wire: Wire, deployed: Deployed, said: str) -> bool:
    """Whether a request was answered without what it said, or was refused when it had been asked."""
    (route, body), mark = SAID[said]
    wire.provider.clear()
    refusal = refused(lambda: wire.ask(deployed, route, body))
    sent = json.dumps([seen.body for seen in wire.seen])
    if refusal is None:
        return mark not in sent
    return refusal.status not in (400, 404) or QUESTION in sent
