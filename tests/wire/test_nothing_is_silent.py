"""What changes an answer arrives at the provider or is refused by name, for every provider; nothing of a body is fetched."""

from __future__ import annotations

import contextlib
import json
from itertools import product
from typing import Any

import pytest

from langop_model.gateway.upstreams.base import Route
from tests.wire.cases import CASES, Case
from tests.wire.deployments import MESSAGE, OVER_CHAT, PIXEL, TRANSLATED, asked, refused
from tests.wire.wire import QUESTION, Wire

TOOL = {
    "type": "function",
    "function": {"name": "marked_tool", "parameters": {"type": "object", "properties": {"where": {"type": "string"}}}},
}
SOUND = "UklGRiQAAABXQVZFZm10IBAAAAABAAEAESsAACJWAAACABAAZGF0YQAAAAA="
FILE = "JVBERi0xLjQKbWFya2Vk"
PICTURE_HOST = "pictures.example.com"
SOME = [*TRANSLATED, *(case for case in CASES if case.name in ("azure", "deepseek", "groq", "openai", "openrouter", "xai"))]


def with_part(part: dict[str, Any]) -> dict[str, Any]:
    return {"messages": [{"role": "user", "content": [{"type": "text", "text": QUESTION}, part]}]}


ASKED = {"role": "user", "content": QUESTION}
CALLED = {"name": "marked_tool", "arguments": '{"where": "marked-place"}'}
CALL = {"role": "assistant", "content": None, "tool_calls": [{"id": "call_1", "type": "function", "function": CALLED}]}
RESULT = {"role": "tool", "tool_call_id": "call_1", "content": "marked-result"}
# What is asked for, beside a question, and what shows that it arrived. A relayed provider gets it from LiteLLM only where
# a rule of its row or a callback has a request translated.
KINDS: dict[str, tuple[dict[str, Any], str]] = {
    "tools": ({"tools": [TOOL]}, "marked_tool"),
    "picture": (with_part({"type": "image_url", "image_url": {"url": f"data:image/png;base64,{PIXEL}"}}), PIXEL),
    "sound": (with_part({"type": "input_audio", "input_audio": {"data": SOUND, "format": "wav"}}), SOUND),
    "n": ({"n": 7391}, "7391"),
    "stop": ({"stop": ["marked-end"]}, "marked-end"),
    "limit": ({"max_tokens": 7391}, "7391"),
    "format": (
        {
            "response_format": {
                "type": "json_schema",
                "json_schema": {
                    "name": "marked",
                    "schema": {"type": "object", "properties": {"marked_member": {"type": "string"}}},
                },
            }
        },
        "marked_member",
    ),
}


# The same of what LiteLLM hands on to providers in OpenAI's protocol as it is: of those, some are asked.
MORE_KINDS: dict[str, tuple[dict[str, Any], str]] = {
    "picture by address": (
        with_part({"type": "image_url", "image_url": {"url": f"https://{PICTURE_HOST}/marked.png"}}),
        "marked.png",
    ),
    "picture by plain http": (
        with_part({"type": "image_url", "image_url": {"url": f"http://{PICTURE_HOST}/marked.png"}}),
        "marked.png",
    ),
    "picture of an unknown type": (
        with_part({"type": "image_url", "image_url": {"url": f"https://{PICTURE_HOST}/marked"}}),
        f"{PICTURE_HOST}/marked",
    ),
    "file by address": (
        with_part({"type": "file", "file": {"file_id": f"https://{PICTURE_HOST}/marked.pdf"}}),
        "marked.pdf",
    ),
    "file": (
        with_part({"type": "file", "file": {"filename": "marked.pdf", "file_data": f"data:application/pdf;base64,{FILE}"}}),
        FILE,
    ),
    "newer limit": ({"max_completion_tokens": 7391}, "7391"),
    "logprobs": ({"logprobs": True, "top_logprobs": 17}, "17"),
    "system": ({"messages": [{"role": "system", "content": "marked-system"}, ASKED]}, "marked-system"),
    "system in parts": (
        {"messages": [{"role": "system", "content": [{"type": "text", "text": "marked-system"}]}, ASKED]},
        "marked-system",
    ),
    "system in between": ({"messages": [ASKED, {"role": "system", "content": "marked-system"}, ASKED]}, "marked-system"),
    "answer before": ({"messages": [ASKED, {"role": "assistant", "content": "marked-answer"}, ASKED]}, "marked-answer"),
    "result of a tool": ({"messages": [ASKED, CALL, RESULT], "tools": [TOOL]}, "marked-result"),
    "call of a tool": ({"messages": [ASKED, CALL, RESULT], "tools": [TOOL]}, "marked-place"),
    "functions": ({"functions": [TOOL["function"]]}, "marked_tool"),
    "sound as answer": ({"modalities": ["text", "audio"], "audio": {"voice": "marked-voice", "format": "wav"}}, "marked-voice"),
}


@pytest.mark.parametrize(
    ("case", "kind"),
    [*product(CASES, KINDS), *product(SOME, MORE_KINDS)],
    ids=lambda each: each if isinstance(each, str) else each.name,
)
def test_what_changes_an_answer_arrives_or_is_refused(case: Case, kind: str, wire: Wire):
    body, mark = {**KINDS, **MORE_KINDS}[kind]
    with asked(case, wire) as (deployed, _):
        wire.provider.clear()
        question = {"messages": [{"role": "user", "content": case.question or QUESTION}], **body}
        refusal = refused(lambda: wire.ask(deployed, Route.CHAT, question))
    if refusal is None:
        assert mark in json.dumps([seen.body for seen in wire.seen])
        return
    assert refusal.status == 400
    assert any(name in str(refusal) for name in (*body, "part of the type"))
    assert not [seen for seen in wire.seen if QUESTION in json.dumps(seen.body)]  # a token may have been asked for


CHOICE = {"tools": [TOOL], "tool_choice": {"type": "function", "function": {"name": "marked_tool"}}}
JSON = {"response_format": {"type": "json_object"}}


@pytest.mark.parametrize("body", [CHOICE, JSON], ids=["choice of a tool", "JSON mode"])
@pytest.mark.parametrize("case", SOME, ids=lambda case: case.name)
def test_a_choice_arrives_in_the_providers_words_or_is_refused(case: Case, body: dict[str, Any], wire: Wire):
    """The tool is named twice; for JSON of any kind there are as many words as providers."""
    with asked(case, wire) as (deployed, _):
        wire.provider.clear()
        question = {"messages": [{"role": "user", "content": case.question or QUESTION}], **body}
        refusal = refused(lambda: wire.ask(deployed, Route.CHAT, question))
    if refusal is not None:
        assert refusal.status == 400
        assert any(name in str(refusal) for name in body)
        return
    sent = json.dumps([seen.body for seen in wire.seen if QUESTION in json.dumps(seen.body)])
    assert sent.count("marked_tool") >= 2 if "tools" in body else "json" in sent.lower() or '"function_call"' in sent


@pytest.mark.parametrize("name", ["anthropic", "bedrock", "ollama_chat"])
def test_json_mode_arrives_on_responses_too(name: str, wire: Wire):
    (case,) = [case for case in CASES if case.name == name]
    with asked(case, wire) as (deployed, _):
        wire.ask(deployed, Route.RESPONSES, {"input": QUESTION, "text": {"format": {"type": "json_object"}}})
    assert "json" in json.dumps([seen.body for seen in wire.seen])


@pytest.mark.parametrize(
    ("name", "route", "members"),
    [
        ("cohere", Route.RESPONSES, {"tool_choice": "required"}),
        ("ollama_chat", Route.MESSAGES, {"tool_choice": {"type": "any"}}),
        ("langflow", Route.RESPONSES, {"instructions": "Be brief."}),
        ("langflow", Route.CHAT, {"messages": [ASKED, ASKED]}),
    ],
)
def test_what_litellm_would_lose_is_refused_on_each_route(name: str, route: Route, members: dict[str, Any], wire: Wire):
    (case,) = [case for case in CASES if case.name == name]
    with asked(case, wire) as (deployed, _):
        question = {**OVER_CHAT.get(route, MESSAGE), **members}
        refusal = refused(lambda: wire.ask(deployed, route, question))
    assert refusal is not None
    assert next(iter(members)) in str(refusal)
    assert not [seen for seen in wire.seen if QUESTION in json.dumps(seen.body)]


ADDED = {"extra_body": {"marked_extra": "one"}, "marked_knob": "two", "extra_headers": {"x-marked": "three"}}
PLACES = ("additionalModelRequestFields", "input", "options", "parameters")  # of members within a body
# The question is refused by name, or LiteLLM asks another host first.
UNASKED = {
    ("a2a", Route.MESSAGES), ("azure_text", Route.MESSAGES), ("azure_text", Route.RESPONSES), ("bedrock", Route.EMBEDDINGS),
    *(("fal_ai", route) for route in OVER_CHAT), ("huggingface", Route.EMBEDDINGS), ("langflow", Route.MESSAGES),
    ("langgraph", Route.MESSAGES), ("sap", Route.EMBEDDINGS), ("v0", Route.MESSAGES),
}  # fmt: skip
ASKED_ON: dict[Route, dict[str, Any]] = {
    Route.CHAT: MESSAGE,
    **OVER_CHAT,
    Route.EMBEDDINGS: {"input": QUESTION},
    Route.IMAGES: {"prompt": QUESTION},
    Route.SPEECH: {"input": QUESTION, "voice": "alloy"},
    Route.RERANK: {"query": QUESTION, "documents": ["a"]},
}


def translated_routes(case: Case) -> list[Route]:
    """Return the routes that LiteLLM translates for a provider; `chat` stands for those that are translated to it, too."""
    provider = case.provider
    others = {*provider.fixed_routes, *(provider.relay.routes if provider.relay is not None else ())}
    if case.name == "sagemaker":  # boto3 asks a host that no test can redirect, and takes no headers
        others.add(Route.EMBEDDINGS)
    served = {*provider.routes, *(OVER_CHAT if Route.CHAT in provider.all_routes else ())}
    return [route for route in ASKED_ON if route in served - others]


def added_on(case: Case, route: Route, wire: Wire) -> tuple[bool, set[str], set[str]] | None:
    """Return whether the header arrives, which members do, and which are named as dropped; None where nobody was asked."""
    with asked(case, wire, params=ADDED) as (deployed, _):
        wire.provider.clear()
        dropped: tuple[str, ...] = ()
        question = case.question if route is Route.CHAT else None
        body = {"messages": [{"role": "user", "content": question}]} if question else ASKED_ON[route]
        with contextlib.suppress(Exception):  # the stand-in does not answer on every provider's paths
            dropped = wire.answer(deployed, route, body).dropped
    if not wire.seen:
        return None
    bodies = [seen.body for seen in wire.seen if isinstance(seen.body, dict)]
    places = [body.get(name, {}) for body in bodies for name in PLACES]
    found = {name for place in (*bodies, *places) for name in ("marked_extra", "marked_knob") if name in place}
    assert not [body for body in bodies if "extra_headers" in body or "extra_body" in body]
    return any(seen.headers.get("x-marked") == "three" for seen in wire.seen), found, set(dropped)


@pytest.mark.parametrize(
    ("case", "route"),
    [pytest.param(case, route, id=f"{case.name} {route}") for case in CASES for route in translated_routes(case)],
)
def test_what_a_specification_adds_arrives_or_is_named(case: Case, route: Route, wire: Wire):
    added = added_on(case, route, wire)
    assert (added is None) == ((case.name, route) in UNASKED)
    if added is None:
        return
    has_header, arrived, dropped = added
    lost = case.provider.unsupported_parameters
    assert has_header == (route not in lost.get("extra_headers", ()))
    assert ("marked_extra" in arrived) == (route not in lost.get("extra_body", ()))
    if route in (Route.CHAT, *OVER_CHAT):  # other routes have no default parameters
        assert arrived | dropped >= {"marked_extra", "marked_knob"}


def test_a_header_of_the_specification_comes_before_litellms_own(wire: Wire):
    (case,) = [case for case in CASES if case.name == "openrouter"]
    with asked(case, wire, params={"extra_headers": {"User-Agent": "ours/1"}}) as (deployed, _):
        wire.answer(deployed, Route.IMAGES, ASKED_ON[Route.IMAGES])
    assert wire.asked.headers["user-agent"] == "ours/1"


@pytest.mark.parametrize("name", ["azure_ai", "mistral"])
def test_a_clients_header_arrives_as_one(name: str, wire: Wire):
    (case,) = [case for case in CASES if case.name == name]
    with asked(case, wire) as (deployed, _):
        wire.answer(deployed, Route.CHAT, MESSAGE, headers={"anthropic-beta": "marked"})
    assert wire.asked.headers["anthropic-beta"] == "marked"
    assert "extra_headers" not in wire.asked.body


def test_what_a_specification_adds_comes_before_what_a_client_sends(wire: Wire):
    """As where no translation is needed."""
    for case in [case for case in CASES if case.name in ("mistral", "anthropic_text")]:
        with asked(case, wire, params={**ADDED, "allowed_openai_params": ["marked_extra"]}) as (deployed, _):
            wire.provider.clear()
            wire.answer(deployed, Route.CHAT, {**MESSAGE, "marked_extra": "mine"})
        assert [seen.body["marked_extra"] for seen in wire.seen if "marked_extra" in seen.body] == ["one"]
