"""What is asked, and what the provider answers: the same for every provider kind, through the relay and through LiteLLM."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from langop_model.gateway.upstreams.base import File, Route
from tests.translator.scripted import CHAT, RESPONSE, STREAM, USAGE, Asked, Behaviour, chunk, failing, page, streamed

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
    files: tuple[File, ...] = ()


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


def error_later(first: tuple[bytes, ...], error: bytes) -> Behaviour:
    """Return a behaviour that streams events, and a while later an error: so the first have gone to the client."""

    async def stream(request: web.Request, _: Asked) -> web.StreamResponse:
        response = web.StreamResponse(headers={"content-type": "text/event-stream"})
        await response.prepare(request)
        await response.write(b"".join(first))
        await asyncio.sleep(0.1)
        await response.write(error)
        return response

    return stream


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
    "stream-error-within": Case(
        Route.CHAT,
        {"messages": MESSAGES},
        True,
        error_later(STREAM[:1], b"data: " + json.dumps(OVERLOADED).encode() + b"\n\n"),
    ),
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


def events(*contents: Mapping[str, Any]) -> tuple[bytes, ...]:
    """Return events whose names are the types of their contents, as Anthropic's messages and OpenAI's responses have them."""
    return tuple(f"event: {each['type']}\ndata: {json.dumps(each)}\n\n".encode() for each in contents)


def sends(route: Route, *contents: Mapping[str, Any], **body: Any) -> Case:
    """Return a streamed case of Anthropic's messages or of OpenAI's responses with these events."""
    asks: Mapping[Route, dict[str, Any]] = {
        Route.MESSAGES: {"messages": MESSAGES, "max_tokens": 9},
        Route.RESPONSES: {"input": "hello"},
    }
    answered = events(*contents)
    return Case(route, {**asks[route], **body}, True, lambda request, _: streamed(request, answered))


def block(index: int, start: Mapping[str, Any], *deltas: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the events of one block of a streamed message."""
    return [
        {"type": "content_block_start", "index": index, "content_block": dict(start)},
        *({"type": "content_block_delta", "index": index, "delta": dict(each)} for each in deltas),
        {"type": "content_block_stop", "index": index},
    ]


START = {
    "type": "message_start",
    "message": {**CLAUDE, "content": [], "stop_reason": None, "usage": {"input_tokens": 5, "output_tokens": 1}},
}
TEXT_BLOCK = block(0, {"type": "text", "text": ""}, *({"type": "text_delta", "text": text} for text in ("hel", "lo")))
THOUGHT_BLOCK = block(
    0,
    {"type": "thinking", "thinking": "", "signature": ""},
    {"type": "thinking_delta", "thinking": "well"},
    {"type": "signature_delta", "signature": "c2lnbmVk"},
)
TOOL_BLOCK = block(
    0,
    {"type": "tool_use", "id": "toolu_1", "name": "weather", "input": {}},
    *({"type": "input_json_delta", "partial_json": text} for text in ('{"city"', ': "Bern"}')),
)
CLAUDE_OVERLOADED = {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}


def stop(reason: str = "end_turn") -> list[dict[str, Any]]:
    """Return the events that end a streamed message."""
    delta = {"stop_reason": reason, "stop_sequence": None}
    return [{"type": "message_delta", "delta": delta, "usage": {"output_tokens": 7}}, {"type": "message_stop"}]


MESSAGE_STREAMS: Mapping[str, Case] = {
    "messages-stream": sends(Route.MESSAGES, START, {"type": "ping"}, *TEXT_BLOCK, *stop()),
    "messages-stream-tools": sends(Route.MESSAGES, START, *TOOL_BLOCK, *stop("tool_use"), tools=[CLAUDE_TOOL]),
    "messages-stream-thinking": sends(
        Route.MESSAGES,
        START,
        *THOUGHT_BLOCK,
        *({**each, "index": 1} for each in TEXT_BLOCK),
        *stop(),
        thinking={"type": "enabled", "budget_tokens": 1024},
        max_tokens=2048,
    ),
    "messages-stream-unfinished": sends(Route.MESSAGES, START, *TEXT_BLOCK),
    "messages-stream-error-within": Case(
        Route.MESSAGES,
        {"messages": MESSAGES, "max_tokens": 9},
        True,
        error_later(events(START, *TEXT_BLOCK[:2]), *events(CLAUDE_OVERLOADED)),
    ),
    "messages-stream-error-at-once": sends(Route.MESSAGES, CLAUDE_OVERLOADED),
    "messages-stream-error-429": fails(429, Route.MESSAGES, stream=True, messages=MESSAGES, max_tokens=9),
}

BEGUN = {**RESPONSE, "status": "in_progress", "output": [], "usage": None}
ITEM: dict[str, Any] = RESPONSE["output"][0]  # type: ignore[index]
PART = {"type": "output_text", "text": "", "annotations": []}
PLACE = {"item_id": "msg_1", "output_index": 0, "content_index": 0}
RESPONSE_EVENTS: list[dict[str, Any]] = [
    {"type": "response.created", "response": BEGUN},
    {"type": "response.output_item.added", "output_index": 0, "item": {**ITEM, "status": "in_progress", "content": []}},
    {"type": "response.content_part.added", **PLACE, "part": PART},
    {"type": "response.output_text.delta", **PLACE, "delta": "hel"},
    {"type": "response.output_text.delta", **PLACE, "delta": "lo"},
    {"type": "response.output_text.done", **PLACE, "text": "hello"},
    {"type": "response.content_part.done", **PLACE, "part": {**PART, "text": "hello"}},
    {"type": "response.output_item.done", "output_index": 0, "item": ITEM},
    {"type": "response.completed", "response": RESPONSE},
]
CALL = {"type": "function_call", "id": "fc_1", "call_id": "call_1", "name": "weather", "arguments": '{"city":"Bern"}'}
CALL_EVENTS: list[dict[str, Any]] = [
    {"type": "response.created", "response": BEGUN},
    {"type": "response.output_item.added", "output_index": 0, "item": {**CALL, "arguments": "", "status": "in_progress"}},
    {"type": "response.function_call_arguments.delta", "item_id": "fc_1", "output_index": 0, "delta": '{"city":"Bern"}'},
    {"type": "response.function_call_arguments.done", "item_id": "fc_1", "output_index": 0, "arguments": '{"city":"Bern"}'},
    {"type": "response.output_item.done", "output_index": 0, "item": {**CALL, "status": "completed"}},
    {"type": "response.completed", "response": {**RESPONSE, "output": [{**CALL, "status": "completed"}]}},
]
NUMBERED = [{**each, "sequence_number": number} for number, each in enumerate(RESPONSE_EVENTS)]
FAILED = {
    "type": "response.failed",
    "sequence_number": 4,
    "response": {**BEGUN, "status": "failed", "error": {"code": "server_error", "message": "overloaded"}},
}
CUT_SHORT = {**RESPONSE, "status": "incomplete", "incomplete_details": {"reason": "max_output_tokens"}}
RESPONSE_STREAMS: Mapping[str, Case] = {
    "responses-stream": sends(Route.RESPONSES, *NUMBERED, max_output_tokens=99, instructions="be kind"),
    "responses-stream-tools": sends(
        Route.RESPONSES,
        *({**each, "sequence_number": number} for number, each in enumerate(CALL_EVENTS)),
        tools=[{"type": "function", **FUNCTION, "strict": True}],
    ),
    "responses-stream-incomplete": sends(
        Route.RESPONSES, *NUMBERED[:-1], {"type": "response.incomplete", "sequence_number": 8, "response": CUT_SHORT}
    ),
    "responses-stream-unfinished": sends(Route.RESPONSES, *NUMBERED[:5]),
    "responses-stream-failed": Case(
        Route.RESPONSES, {"input": "hello"}, True, error_later(events(*NUMBERED[:4]), *events(FAILED))
    ),
    "responses-stream-error-429": fails(429, Route.RESPONSES, stream=True, input="hello"),
}

SOUND = (File("file", "a.wav", "audio/wav", b"RIFF-sound"),)
SPOKEN = {"text": "hello", "usage": {"type": "duration", "seconds": 9}}
SEGMENT = {"id": 0, "start": 0.0, "end": 1.5, "text": "hello"}
IN_FULL = {"task": "transcribe", "language": "english", "duration": 1.5, "text": "hello", "segments": [SEGMENT]}


def transcribes(said: Behaviour, **body: Any) -> Case:
    """Return a case of a transcription."""
    return Case(Route.TRANSCRIPTIONS, body, behaviour=said, files=SOUND)


TRANSCRIPTIONS: Mapping[str, Case] = {
    "transcriptions": transcribes(failing(200, SPOKEN), language="en", prompt="names: Bern", temperature=0.5),
    "transcriptions-text": transcribes(page("hello", "text/plain"), response_format="text"),
    "transcriptions-verbose": transcribes(
        failing(200, IN_FULL), response_format="verbose_json", timestamp_granularities=["segment"]
    ),
    "transcriptions-401": transcribes(failing(401)),
    "transcriptions-429": transcribes(failing(429, retry_after="7")),
}

CASES = {**CHATS, **OTHERS, **MESSAGE_CASES, **MESSAGE_STREAMS, **RESPONSE_STREAMS, **TRANSCRIPTIONS}
