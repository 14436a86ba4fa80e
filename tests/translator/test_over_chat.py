"""Requests of three protocols on their way to a server that knows chat completions only: nothing of them is lost silently."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

pytest.importorskip("litellm")

from langop_model.gateway.serving.translator_process import TranslatorProcess
from langop_model.gateway.upstreams.base import Route, UpstreamError
from langop_model.gateway.upstreams.translator_protocol import Call
from langop_model.translator.deployment import deployment_of
from langop_model.translator.failures import RefusedRequestError
from langop_model.translator.operations import OPERATIONS
from tests.translator.live import MESSAGES, Live
from tests.translator.scripted import Scripted

BODIES: dict[Route, dict[str, Any]] = {
    Route.RESPONSES: {"input": "hello"},
    Route.MESSAGES: {"messages": MESSAGES, "max_tokens": 9},
    Route.GENERATE_CONTENT: {"contents": [{"role": "user", "parts": [{"text": "hello"}]}]},
}
SCHEMA = {"type": "object", "properties": {}}
OPENAIS = [{"type": "function", "name": "f", "parameters": SCHEMA}]
ANTHROPICS = [{"name": "f", "input_schema": SCHEMA}]


@pytest.fixture
def sent(translator: TranslatorProcess) -> Any:
    """What a chat-only server is asked for a request, and the names of the hints that were dropped."""

    def ask(route: Route, *, added: dict[str, Any] | None = None, **body: Any) -> tuple[dict[str, Any], set[str]]:
        async def run() -> tuple[dict[str, Any], set[str]]:
            async with Scripted() as provider:
                parameters = {"model": "openai/theirs", "api_base": f"{provider.url}/v1", "extra_body": added or {}}
                live = Live(str(translator.path), parameters, native=("chat",))
                try:
                    answer = await live.send(route, {**BODIES[route], **body})
                finally:
                    await live.translation.aclose()
                (asked,) = provider.asked
                assert asked.path.endswith("/chat/completions")
                return asked.body, set(answer.dropped)

        return asyncio.run(run())

    return ask


def refusal(route: Route, *, drop: bool = True, **body: Any) -> str:
    """Return why a request is refused before anybody is asked."""
    call = Call(route, {"model": "openai/theirs"}, {**BODIES[route], **body}, native=False, drop=drop)
    with pytest.raises(RefusedRequestError) as raised:
        OPERATIONS[route].prepare(call, deployment_of(call.parameters))
    return str(raised.value)


@pytest.mark.parametrize("route", BODIES)
def test_what_a_deployment_adds_to_each_request_arrives(route: Route, sent: Any):
    assert sent(route, added={"theirs": 1})[0]["theirs"] == 1


# OpenAI's responses.


def test_what_codex_sends_is_answered(sent: Any):
    """A coding agent's every request: stateless, with encrypted reasoning and a verbosity."""
    body, dropped = sent(
        Route.RESPONSES,
        instructions="Be brief.",
        tools=OPENAIS,
        tool_choice="auto",
        parallel_tool_calls=False,
        reasoning={"effort": "low", "summary": "auto"},
        store=False,
        include=["reasoning.encrypted_content"],
        prompt_cache_key="k",
        text={"verbosity": "low"},
    )
    assert body["parallel_tool_calls"] is False
    assert (body["reasoning_effort"], body["verbosity"], body["prompt_cache_key"]) == ("low", "low", "k")
    assert dropped == {"include"}


def test_a_format_stays_beside_the_verbosity(sent: Any):
    form = {"type": "json_schema", "name": "n", "schema": SCHEMA, "strict": True}
    body, _ = sent(Route.RESPONSES, text={"format": form, "verbosity": "high"})
    assert (body["response_format"]["json_schema"]["schema"], body["verbosity"]) == (SCHEMA, "high")


@pytest.mark.parametrize(
    ("asked", "named"),
    [
        ({"store": True}, {"store"}),
        ({"truncation": "auto"}, {"truncation"}),
        ({"store": False, "truncation": "disabled", "max_tool_calls": 3, "top_logprobs": 0, "include": []}, set()),
    ],
)
def test_what_a_chat_does_anyway_is_not_named(asked: dict[str, Any], named: set[str], sent: Any):
    assert sent(Route.RESPONSES, **asked)[1] == named


@pytest.mark.parametrize("kind", ["item_reference", "local_shell_call", "computer_call", "image_generation_call", "mcp_call"])
def test_an_item_without_a_message_is_refused(kind: str):
    """Lost silently, the model would answer a conversation that the client never had."""
    items = [{"type": kind, "id": "1"}, {"role": "user", "content": "go on"}]
    assert refusal(Route.RESPONSES, input=items) == f"an item of the type {kind} is not supported by this model"


@pytest.mark.parametrize("asked", [{"include": ["message.output_text.logprobs"]}, {"top_logprobs": 2}])
def test_what_a_client_would_miss_in_the_answer_is_refused(asked: dict[str, Any]):
    assert next(iter(asked)) in refusal(Route.RESPONSES, **asked)


@pytest.mark.parametrize("asked", [{"store": True}, {"truncation": "auto"}, {"include": ["reasoning.encrypted_content"]}])
def test_hints_are_refused_where_none_is_dropped(asked: dict[str, Any]):
    assert refusal(Route.RESPONSES, drop=False, **asked).startswith(next(iter(asked)))


# Anthropic's messages.


def test_what_claude_code_sends_is_answered(sent: Any):
    """It sends context_management with every request (ericc-ch/copilot-api#217)."""
    edits = {"edits": [{"type": "clear_thinking_20251015", "keep": "all"}]}
    body, dropped = sent(Route.MESSAGES, context_management=edits, cache_control={"type": "ephemeral"}, speed="fast")
    assert dropped == {"context_management", "cache_control", "speed"}
    assert body["messages"] == MESSAGES


def test_one_tool_at_a_time_stays_so(sent: Any):
    choice = {"type": "any", "disable_parallel_tool_use": True}
    body, _ = sent(Route.MESSAGES, tools=ANTHROPICS, tool_choice=choice)
    assert (body["tool_choice"], body["parallel_tool_calls"]) == ("required", False)


@pytest.mark.parametrize("kind", ["bash_20250124", "text_editor_20250728", "code_execution_20250825", "memory_20250818"])
def test_a_tool_that_only_claude_knows_is_refused(kind: str):
    assert (
        refusal(Route.MESSAGES, tools=[{"type": kind, "name": "x"}])
        == f"a tool of the type {kind} is not supported by this model"
    )


@pytest.mark.parametrize("name", ["container", "mcp_servers", "inference_geo"])
def test_what_changes_where_or_with_what_is_answered_is_refused(name: str):
    asked: dict[str, Any] = {name: [{"name": "x"}]}
    assert refusal(Route.MESSAGES, **asked) == f"{name} is not supported by this model"


def test_context_management_is_refused_where_no_hint_is_dropped():
    assert (
        refusal(Route.MESSAGES, drop=False, context_management={"edits": []})
        == "context_management is not supported by this model"
    )


# Gemini's format.


def gemini(sent: Any, **body: Any) -> dict[str, Any]:
    found: dict[str, Any] = sent(Route.GENERATE_CONTENT, **body)[0]
    return found


def test_both_of_googles_spellings_mean_the_same(sent: Any):
    config = {"max_output_tokens": 9, "stop_sequences": ["END"], "top_p": 0.5}
    tools = [{"function_declarations": [{"name": "f", "parameters": SCHEMA}]}]
    choice = {"function_calling_config": {"mode": "ANY"}}
    body = gemini(sent, generationConfig=config, tools=tools, toolConfig=choice)
    assert (body["max_tokens"], body["stop"], body["top_p"], body["tool_choice"]) == (9, ["END"], 0.5, "required")
    assert body["tools"][0]["function"]["name"] == "f"


@pytest.mark.parametrize(
    "instruction", [{"parts": [{"text": "One."}, {"text": "Two."}]}, "One.\nTwo.", {"parts": {"text": "One.\nTwo."}}]
)
def test_all_of_the_systems_text_arrives(instruction: Any, sent: Any):
    assert gemini(sent, systemInstruction=instruction)["messages"][0] == {"role": "system", "content": "One.\nTwo."}


@pytest.mark.parametrize("role", ["user", "tool", "function"])
def test_a_tools_result_arrives_whatever_its_role_is(role: str, sent: Any):
    """Google's own SDK sends it as `tool`. What else the turn says follows it, as chat completions have it."""
    turns = [
        {"role": "user", "parts": [{"text": "go"}]},
        {"role": "model", "parts": [{"text": "hm", "thought": True}, {"functionCall": {"name": "f", "args": {}}}]},
        {"role": role, "parts": [{"text": "and?"}, {"function_response": {"name": "f", "response": {"r": 1}}}]},
    ]
    messages = gemini(sent, contents=turns)["messages"]
    assert [message["role"] for message in messages] == ["user", "assistant", "tool", "user"]
    assert (messages[2]["content"], messages[3]["content"]) == ('{"r": 1}', "and?")
    assert not messages[1].get("content")


def test_only_the_allowed_functions_are_offered(sent: Any):
    tools = [{"functionDeclarations": [{"name": name, "parameters": SCHEMA} for name in "fgh"]}]
    choice = {"functionCallingConfig": {"mode": "ANY", "allowedFunctionNames": ["g"]}}
    body = gemini(sent, tools=tools, toolConfig=choice)
    assert [tool["function"]["name"] for tool in body["tools"]] == ["g"]


def test_json_without_a_schema_is_an_object(sent: Any):
    body = gemini(sent, generationConfig={"responseMimeType": "application/json"})
    assert body["response_format"]["json_schema"]["schema"] == {"type": "object"}


def test_geminis_hints_are_dropped_by_name(sent: Any):
    config = {
        "topK": 4,
        "thinkingConfig": {"thinkingBudget": 9},
        "candidateCount": 1,
        "responseModalities": ["TEXT"],
    }
    safety = [{"category": "HARM_CATEGORY_HARASSMENT", "threshold": "BLOCK_NONE"}]
    _, dropped = sent(Route.GENERATE_CONTENT, generationConfig=config, safetySettings=safety, labels={"team": "a"})
    inner = {"generationConfig.topK", "generationConfig.thinkingConfig"}
    assert dropped == {*inner, "safetySettings", "labels"}


def test_geminis_hints_arrive_where_a_chat_has_a_word_for_them(sent: Any):
    config = {"seed": 3, "frequency_penalty": 0.5, "presencePenalty": 0.25}
    body, dropped = sent(Route.GENERATE_CONTENT, generationConfig=config)
    assert (body["seed"], body["frequency_penalty"], body["presence_penalty"], dropped) == (3, 0.5, 0.25, set())


def test_geminis_hints_are_dropped_where_the_model_takes_none():
    parameters = {"model": "anthropic/claude-sonnet-4-5"}
    asked = {**BODIES[Route.GENERATE_CONTENT], "generationConfig": {"seed": 3, "presencePenalty": 1}}
    call = Call(Route.GENERATE_CONTENT, parameters, asked, native=False)
    request = OPERATIONS[Route.GENERATE_CONTENT].prepare(call, deployment_of(parameters))
    assert request.dropped == ["generationConfig.presencePenalty", "generationConfig.seed"]


@pytest.mark.parametrize(
    ("asked", "named"),
    [
        ({"tools": [{"googleSearch": {}}]}, "a tool with googleSearch"),
        ({"tools": [{"code_execution": {}}]}, "a tool with codeExecution"),
        ({"toolConfig": {"retrievalConfig": {"latLng": {}}}}, "toolConfig.retrievalConfig"),
        ({"generationConfig": {"candidateCount": 2}}, "generationConfig.candidateCount"),
        ({"generationConfig": {"responseModalities": ["IMAGE"]}}, "generationConfig.responseModalities"),
        ({"generationConfig": {"response_mime_type": "text/x.enum"}}, "generationConfig.responseMimeType text/x.enum"),
        (
            {"generationConfig": {"responseSchema": {"type": "ARRAY"}}},
            "generationConfig.responseSchema of anything but an object",
        ),
        ({"contents": [{"role": "system", "parts": [{"text": "x"}]}]}, "a turn of the role system"),
        ({"contents": [{"parts": [{"executableCode": {"code": "1"}}]}]}, "a part with executableCode"),
        ({"systemInstruction": {"parts": [{"inlineData": {}}]}}, "a systemInstruction that is not text"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_gemini_alone_can_do_is_refused(asked: dict[str, Any], named: str):
    assert refusal(Route.GENERATE_CONTENT, **asked) == f"{named} is not supported by this model"


def test_a_refusal_reaches_the_client_as_400(sent: Any):
    with pytest.raises(UpstreamError) as refused:
        sent(Route.GENERATE_CONTENT, tools=[{"googleSearch": {}}])
    assert (refused.value.status, refused.value.reached) == (400, False)
