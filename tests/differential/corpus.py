"""What is asked, and what the provider answers: the same for every provider kind, through the relay and through LiteLLM."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from langop_model.gateway.upstreams.base import Route
from tests.translator.scripted import CHAT, STREAM, USAGE, Asked, Behaviour, chunk, failing, page, streamed

MESSAGES = [{"role": "user", "content": "hello there"}]
PICTURE = "data:image/png;base64,iVBORw0KGgo="
SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"], "additionalProperties": False}
FUNCTION = {"name": "weather", "description": "Says the weather", "parameters": SCHEMA}
TOOLS = [{"type": "function", "function": FUNCTION}]
TOOL_CALL = {"id": "call_1", "type": "function", "function": {"name": "weather", "arguments": '{"city":"Bern"}'}}
CONVERSATION = [
    *MESSAGES,
    {"role": "assistant", "content": None, "tool_calls": [TOOL_CALL]},
    {"role": "tool", "tool_call_id": "call_1", "content": "sunny"},
]


@dataclass(frozen=True, slots=True)
class Kind:
    """A provider as the catalogue describes it, with a model; `path` is that of its endpoint."""

    provider: str
    model: str
    path: str = "/v1"


# One for each way in which the catalogue's rows differ.
KINDS: Mapping[str, Kind] = {
    "openai": Kind("openai", "gpt-4.1"),
    "openai-gpt-5": Kind("openai", "gpt-5"),  # names and drops by model
    "azure": Kind("azure", "gpt-4.1", ""),  # the model in the path, a query, its own header for the key
    "openai-compatible": Kind("openai-compatible", "some-model"),
    "vllm": Kind("hosted_vllm", "some-model"),
    "mistral": Kind("mistral", "mistral-small-latest"),  # renames
    "groq": Kind("groq", "llama-3.3-70b-versatile"),
    "deepseek": Kind("deepseek", "deepseek-chat"),  # some content is translated
    "xai": Kind("xai", "grok-4"),
    "perplexity": Kind("perplexity", "sonar", ""),  # many drops
    "openrouter": Kind("openrouter", "some/model"),  # no rules
    "anthropic": Kind("anthropic", "claude-sonnet-4-20250514", ""),  # another protocol
}


@dataclass(frozen=True, slots=True)
class Case:
    """One request, and the provider's answer to it; a good one where none is named."""

    route: Route
    body: Mapping[str, Any] = field(default_factory=dict)
    stream: bool = False
    behaviour: Behaviour | None = None


GOOD = {**CHAT, "service_tier": "default"}  # LiteLLM can't read an answer of groq's without


def chat(**more: Any) -> Case:
    """Return a case of chat completions."""
    return Case(Route.CHAT, {"messages": MESSAGES, **more}, behaviour=failing(200, GOOD))


def says(answer: Any) -> Case:
    """Return a case of chat completions with this answer."""
    return Case(Route.CHAT, {"messages": MESSAGES}, behaviour=failing(200, answer))


def streams(*events: bytes, **more: Any) -> Case:
    """Return a case of a streamed chat with these events."""
    return Case(Route.CHAT, {"messages": MESSAGES, **more}, True, lambda request, _: streamed(request, events))


def fails(status: int, route: Route = Route.CHAT, *, stream: bool = False, **body: Any) -> Case:
    """Return a case whose provider answers with an error."""
    return Case(route, body or {"messages": MESSAGES}, stream, failing(status, retry_after="7"))


def answer(message: Mapping[str, Any], finish: str = "stop", **more: Any) -> dict[str, Any]:
    """Return a whole chat completion."""
    choice = {"index": 0, "message": {"role": "assistant", "content": None, **message}, "finish_reason": finish}
    return {**GOOD, "choices": [choice], **more}


def tool_part(**function: str) -> dict[str, Any]:
    """Return the delta of a tool call."""
    named = {"id": "call_1", "type": "function"} if "name" in function else {}
    return {"tool_calls": [{"index": 0, **named, "function": function}]}


END = chunk({}, usage=USAGE, choices=[]), b"data: [DONE]\n\n"
DETAILS = {"prompt_tokens_details": {"cached_tokens": 3}, "completion_tokens_details": {"reasoning_tokens": 2}}
OVERLOADED = {"error": {"message": "overloaded", "type": "server_error", "code": None}}


async def error_later(request: web.Request, _: Asked) -> web.StreamResponse:
    """Stream an event, and a while later an error: so the first has gone to the client."""
    response = web.StreamResponse(headers={"content-type": "text/event-stream"})
    await response.prepare(request)
    await response.write(STREAM[0])
    await asyncio.sleep(0.1)
    await response.write(b"data: " + json.dumps(OVERLOADED).encode() + b"\n\n")
    return response


CHATS: Mapping[str, Case] = {
    "plain": chat(),
    "system": chat(messages=[{"role": "system", "content": "be kind"}, *MESSAGES]),
    "developer": chat(messages=[{"role": "developer", "content": "be kind"}, *MESSAGES]),
    "sampling": chat(temperature=0.5, top_p=0.5),
    "penalties": chat(frequency_penalty=0.5, presence_penalty=0.5),
    "max_tokens": chat(max_tokens=9),
    "max_completion_tokens": chat(max_completion_tokens=9),
    "stop": chat(stop=["END"]),
    "n": chat(n=2),
    "seed": chat(seed=4),
    "user": chat(user="somebody"),
    "logprobs": chat(logprobs=True, top_logprobs=2),
    "reasoning_effort": chat(reasoning_effort="low"),
    "tools": chat(tools=TOOLS, tool_choice="auto"),
    "tool-by-name": chat(tools=TOOLS, tool_choice={"type": "function", "function": {"name": "weather"}}),
    "strict-tools": chat(tools=[{"type": "function", "function": {**FUNCTION, "strict": True}}], parallel_tool_calls=False),
    "tool-result": chat(messages=CONVERSATION, tools=TOOLS),
    "json": chat(response_format={"type": "json_object"}),
    "json-schema": chat(
        response_format={"type": "json_schema", "json_schema": {"name": "place", "schema": SCHEMA, "strict": True}}
    ),
    "text-parts": chat(messages=[{"role": "user", "content": [{"type": "text", "text": "hello"}]}]),
    "image": chat(
        messages=[
            {
                "role": "user",
                "content": [{"type": "text", "text": "what?"}, {"type": "image_url", "image_url": {"url": PICTURE}}],
            }
        ]
    ),
    "answer-tools": says(answer({"tool_calls": [TOOL_CALL]}, "tool_calls")),
    "answer-tools-stop": says(answer({"tool_calls": [TOOL_CALL]}, "stop")),
    "answer-length": says(answer({"content": "hel"}, "length")),
    "answer-reasoning": says(answer({"content": "hello", "reasoning": "thought"})),
    "answer-reasoning-content": says(answer({"content": "hello", "reasoning_content": "thought"})),
    "answer-usage": says(answer({"content": "hello"}, usage={**USAGE, **DETAILS})),
    "answer-without-usage": says({name: value for name, value in GOOD.items() if name != "usage"}),
    "answer-without-service-tier": says(CHAT),
    "answer-unknown-members": says(answer({"content": "hello", "their": 1}, their={"own": 1})),
    "error-400": fails(400),
    "error-401": fails(401),
    "error-404": fails(404),
    "error-422": fails(422),
    "error-429": fails(429),
    "error-500": fails(500),
    "error-in-200": says(OVERLOADED),
    "html": Case(Route.CHAT, {"messages": MESSAGES}, behaviour=page("<html>busy</html>")),
    "no-choices": says({"id": "c"}),
    "stream": streams(*STREAM),
    "stream-with-usage": streams(*STREAM, stream_options={"include_usage": True}),
    "stream-tools": streams(
        chunk(tool_part(name="weather", arguments="")),
        chunk(tool_part(arguments='{"city":"Bern"}')),
        chunk({}, "tool_calls"),
        *END,
    ),
    "stream-tools-stop": streams(chunk(tool_part(name="weather", arguments="{}")), chunk({}, "stop"), *END),
    "stream-reasoning": streams(chunk({"reasoning": "thought"}), chunk({"content": "hello"}), chunk({}, "stop"), *END),
    "stream-without-done": streams(*STREAM[:3]),
    "stream-error-401": fails(401, stream=True),
    "stream-error-429": fails(429, stream=True),
    "stream-error-at-once": streams(b"data: " + json.dumps(OVERLOADED).encode() + b"\n\n"),
    "stream-error-within": Case(Route.CHAT, {"messages": MESSAGES}, True, error_later),
    "stream-unfinished": streams(*STREAM[:2]),
}
OTHERS: Mapping[str, Case] = {
    "embeddings": Case(Route.EMBEDDINGS, {"input": ["hello"]}),
    "embeddings-dimensions": Case(Route.EMBEDDINGS, {"input": "hello", "dimensions": 2, "encoding_format": "float"}),
    "embeddings-401": fails(401, Route.EMBEDDINGS, input="hello"),
    "embeddings-429": fails(429, Route.EMBEDDINGS, input="hello"),
    "moderations": Case(Route.MODERATIONS, {"input": "hello"}),
    "images": Case(Route.IMAGES, {"prompt": "a house", "size": "1024x1024"}),
    "speech": Case(Route.SPEECH, {"input": "hello", "voice": "alloy", "response_format": "mp3"}),
    "responses": Case(Route.RESPONSES, {"input": "hello", "max_output_tokens": 99, "instructions": "be kind"}),
    "responses-400": fails(400, Route.RESPONSES, input="hello"),
}
CLAUDE = {
    "id": "msg_1", "type": "message", "role": "assistant", "model": "theirs", "content": [{"type": "text", "text": "hello"}],
    "stop_reason": "end_turn", "stop_sequence": None, "usage": {"input_tokens": 5, "output_tokens": 7},
}  # fmt: skip
CLAUDE_TOOL = {"name": "weather", "description": "Says the weather", "input_schema": SCHEMA}


def message(content: Any = CLAUDE, **more: Any) -> Case:
    """Return a case of Anthropic's messages."""
    return Case(Route.MESSAGES, {"messages": MESSAGES, "max_tokens": 9, **more}, behaviour=failing(200, content))


MESSAGE_CASES: Mapping[str, Case] = {
    "messages": message(),
    "messages-system": message(system="be kind", temperature=0.5, top_k=4, stop_sequences=["END"]),
    "messages-tools": message(tools=[CLAUDE_TOOL], tool_choice={"type": "auto"}),
    "messages-tool-use": message(
        {**CLAUDE, "content": [{"type": "tool_use", "id": "t", "name": "weather", "input": {}}], "stop_reason": "tool_use"}
    ),
    "messages-thinking": message(thinking={"type": "enabled", "budget_tokens": 1024}, max_tokens=2048),
    "messages-400": fails(400, Route.MESSAGES, messages=MESSAGES, max_tokens=9),
    "messages-429": fails(429, Route.MESSAGES, messages=MESSAGES, max_tokens=9),
}

CASES = {**CHATS, **OTHERS, **MESSAGE_CASES}
