"""What a model says, in each provider's own words: as a whole answer, and as a stream of it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from stand_in import anthropic as anthropics
from stand_in import bedrock as bedrocks
from stand_in import cohere as coheres
from stand_in.answer import Answer, as_json, as_stream, event

ASKED, USED = 71, 26  # tokens of the question and of the answer
SIGNATURE = "c2ln"  # base64
DONE = b"data: [DONE]\n\n"


@dataclass(frozen=True, slots=True)
class Said:
    """What a model thinks, says in several parts, and calls: tools by their names, with their arguments.

    `is_cut`: the limit of its output has ended it.
    """

    texts: tuple[str, ...] = ()
    thought: str = ""
    calls: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    is_cut: bool = False

    @property
    def text(self) -> str:
        return "".join(self.texts)

    def reason(self, cut: str, calls: str, ended: str) -> str:
        """Return the one of a provider's words that says why it has ended."""
        return cut if self.is_cut else calls if self.calls else ended


class Words(NamedTuple):
    """An answer, and a stream that says the same."""

    whole: Answer
    stream: Answer


def halves(arguments: Mapping[str, Any]) -> tuple[str, str]:
    """Return arguments as JSON, cut within a word."""
    text = json.dumps(arguments)
    return text[:9], text[9:]


def anthropic(said: Said) -> Words:
    content: list[dict[str, Any]] = []
    blocks: list[tuple[dict[str, Any], list[dict[str, Any]]]] = []
    if said.thought:
        thinking = {"type": "thinking", "thinking": said.thought, "signature": SIGNATURE}
        content.append(thinking)
        deltas = [{"type": f"{name}_delta", name: thinking[name]} for name in ("thinking", "signature")]
        blocks.append(({**thinking, "thinking": "", "signature": ""}, deltas))
    if said.texts:
        content.append({"type": "text", "text": said.text})
        blocks.append(({"type": "text", "text": ""}, [{"type": "text_delta", "text": text} for text in said.texts]))
    for name, arguments in said.calls.items():
        use = {"type": "tool_use", "id": f"toolu_{name}", "name": name, "input": arguments}
        content.append(use)
        parts = [{"type": "input_json_delta", "partial_json": half} for half in halves(arguments)]
        blocks.append(({**use, "input": {}}, parts))
    message = {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "model": "m",
        "content": content,
        "stop_reason": said.reason("max_tokens", "tool_use", "end_turn"),
        "stop_sequence": None,
        "usage": {"input_tokens": ASKED, "output_tokens": USED},
    }
    return Words(as_json(message), anthropics.as_events(message, blocks))


def bedrock(said: Said) -> Words:
    content: list[dict[str, Any]] = []
    blocks: list[tuple[object, list[dict[str, Any]]]] = []
    if said.thought:
        thought = {"text": said.thought, "signature": SIGNATURE}
        content.append({"reasoningContent": {"reasoningText": thought}})
        blocks.append((None, [{"reasoningContent": {name: value}} for name, value in thought.items()]))
    if said.texts:
        content.append({"text": said.text})
        blocks.append((None, [{"text": text} for text in said.texts]))
    for name, arguments in said.calls.items():
        use = {"toolUseId": f"tooluse_{name}", "name": name}
        content.append({"toolUse": {**use, "input": arguments}})
        blocks.append(({"toolUse": use}, [{"toolUse": {"input": half}} for half in halves(arguments)]))
    usage = {"inputTokens": ASKED, "outputTokens": USED, "totalTokens": ASKED + USED}
    reason = said.reason("max_tokens", "tool_use", "end_turn")
    return Words(bedrocks.whole(content, reason, usage), bedrocks.as_frames(blocks, reason, usage))


def gemini(said: Said) -> Words:
    usage = {"promptTokenCount": ASKED, "candidatesTokenCount": USED, "totalTokenCount": ASKED + USED}
    thoughts = [{"text": said.thought, "thought": True}] if said.thought else []
    calls = [{"functionCall": {"name": name, "args": arguments}} for name, arguments in said.calls.items()]
    ended = {"finishReason": said.reason("MAX_TOKENS", "STOP", "STOP")}

    def candidate(parts: Iterable[object], ended: Mapping[str, str]) -> dict[str, Any]:
        found = {"content": {"role": "model", "parts": list(parts)}, "index": 0, **ended}
        return {"candidates": [found], "usageMetadata": usage, "modelVersion": "m", "responseId": "r"}

    parts: list[object] = [*thoughts, *({"text": text} for text in said.texts), *calls]
    events = [*(candidate([part], {}) for part in parts[:-1]), candidate(parts[-1:], ended)]
    texts = [{"text": said.text}] if said.texts else []
    return Words(as_json(candidate([*thoughts, *texts, *calls], ended)), as_stream(map(event, events)))


def cohere(said: Said) -> Words:
    reason, usage = (
        said.reason("MAX_TOKENS", "TOOL_CALL", "COMPLETE"),
        {"tokens": {"input_tokens": ASKED, "output_tokens": USED}},
    )
    calls = {name: halves(arguments) for name, arguments in said.calls.items()}
    message: dict[str, Any] = {"role": "assistant"}
    if calls:
        functions = {name: {"name": name, "arguments": "".join(parts)} for name, parts in calls.items()}
        named = [{"id": f"{name}_1", "type": "function", "function": function} for name, function in functions.items()]
        message |= {"tool_plan": said.text, "tool_calls": named}
    else:
        message["content"] = [{"type": "text", "text": said.text}]
    whole = {"id": "1", "finish_reason": reason, "message": message, "usage": usage}
    return Words(as_json(whole), as_stream(coheres.as_events(coheres.events(said.texts, reason, usage, calls))))


def ollama(said: Said) -> Words:
    calls = [{"function": {"name": name, "arguments": arguments}} for name, arguments in said.calls.items()]
    called = {"tool_calls": calls} if calls else {}
    thought = {"thinking": said.thought} if said.thought else {}

    def line(content: str, more: Mapping[str, Any], **ended: Any) -> dict[str, Any]:
        message = {"role": "assistant", "content": content, **more}
        return {"model": "m", "created_at": "2026-11-26T12:00:00.123456789Z", "message": message, "done": False, **ended}

    ended = {"done": True, "done_reason": said.reason("length", "stop", "stop"), "prompt_eval_count": ASKED, "eval_count": USED}
    parts = [line("", thought)] if thought else []
    parts += [line(text, {}) for text in said.texts]
    parts += [line("", called)] if called else []
    parts.append(line("", {}, **ended))
    stream = as_stream((json.dumps(part).encode() + b"\n" for part in parts), "application/x-ndjson")
    return Words(as_json(line(said.text, {**thought, **called}, **ended)), stream)


def like_openai(said: Said) -> Words:
    """GigaChat and watsonx: OpenAI's words, each in a protocol of its own. GigaChat calls one function at a time."""
    name, arguments = next(iter(said.calls.items()), ("", {}))
    called = {"function_call": {"name": name, "arguments": arguments}} if name else {}
    ended: dict[str, Any] = {"index": 0, "finish_reason": said.reason("length", "function_call", "stop")}
    usage = {"prompt_tokens": ASKED, "completion_tokens": USED, "total_tokens": ASKED + USED}
    whole = {"created": 1, "model": "m", "usage": usage, "object": "chat.completion"}
    part = {"created": 1, "model": "m", "object": "chat.completion.chunk"}
    message = {"role": "assistant", "content": said.text, **called}
    parts = [{**part, "choices": [{"index": 0, "delta": {"content": text}}]} for text in said.texts]
    last = {**part, "choices": [{**ended, "delta": {"content": "", **called}}], "usage": usage}
    return Words(as_json({**whole, "choices": [{**ended, "message": message}]}), as_stream([*map(event, [*parts, last]), DONE]))


# By the names of cases.
WORDS: dict[str, Callable[[Said], Words]] = {
    "anthropic": anthropic, "bedrock": bedrock, "gemini": gemini, "cohere": cohere, "cohere_chat": cohere,
    "ollama_chat": ollama, "gigachat": like_openai, "watsonx": like_openai,
}  # fmt: skip
