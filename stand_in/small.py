"""Protocols of providers that are not OpenAI's: of each the least that shows that a question was understood.

Their shapes are those which LiteLLM's parsers read (litellm/llms/<provider>), but for those of cohere.py and agent.py.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from stand_in import agent, bedrock, cohere, openai
from stand_in.answer import Answer, as_json, as_stream, event
from stand_in.call import Call, Said

if TYPE_CHECKING:
    from stand_in.behaviour import Status


@dataclass(frozen=True, slots=True)
class Small:
    """A protocol: the paths that are its own, its answer, and the parts of its stream where it has one."""

    path: re.Pattern[str]
    plain: Callable[[Call, Said], object]
    stream: Callable[[Call, Said], list[bytes]] | None = None
    wants_stream: Callable[[Call], bool] = lambda call: call.wants_stream
    content_type: str = "text/event-stream"


def answers(method: str, path: str) -> bool:
    """Tell whether a request is one of these protocols'."""
    return method in ("GET", "POST") and _protocol(path) is not None


def answer(call: Call) -> Answer:
    """Answer a request."""
    protocol = _protocol(call.path)
    if protocol is None:
        return openai.unknown(call)
    said = call.said([])
    if protocol.stream is not None and protocol.wants_stream(call):
        return as_stream(protocol.stream(call, said), protocol.content_type)
    return as_json(protocol.plain(call, said))


def refuse(call: Call, status: Status) -> Answer:
    """Fail as OpenAI does: nobody tests how these fail."""
    return openai.refuse(call, status)


def _protocol(path: str) -> Small | None:
    return next((each for each in PROTOCOLS if each.path.fullmatch(path)), None)


def _line(content: object) -> bytes:
    return json.dumps(content).encode() + b"\n"


def _ollama(**content: object) -> dict[str, Any]:
    return {"model": "stand-in", "created_at": "2026-01-01T00:00:00Z", "done": False, **content}


def _ollama_end(said: Said, **content: object) -> dict[str, Any]:
    counts = {"prompt_eval_count": said.input_tokens, "eval_count": said.output_tokens}
    return _ollama(done=True, done_reason="stop", **counts, **content)


def _ollama_message(text: str) -> dict[str, str]:
    return {"role": "assistant", "content": text}


def _langflow(_: Call, said: Said) -> object:
    return {"outputs": [{"outputs": [{"results": {"message": {"text": said.text}}}]}]}


def _oci(_: Call, said: Said) -> object:
    message = {"role": "ASSISTANT", "content": [{"type": "TEXT", "text": said.text}]}
    usage = {"promptTokens": said.input_tokens, "completionTokens": said.output_tokens, "totalTokens": said.total_tokens}
    chat = {
        "apiFormat": "GENERIC",
        "timeCreated": "2026-01-01T00:00:00Z",
        "choices": [{"index": 0, "message": message, "finishReason": "stop"}],
        "usage": usage,
    }
    return {"modelId": "stand-in", "modelVersion": "1", "chatResponse": chat}


def _oci_stream(_: Call, said: Said) -> list[bytes]:
    parts = [
        {"index": 0, "message": {"role": "ASSISTANT", "content": [{"type": "TEXT", "text": text}]}} for text in said.pieces
    ]
    return [*map(event, parts), event({"finishReason": "stop"})]


def _openai(call: Call, _: Said) -> Any:
    return json.loads(_as_openai(call, stream=False).chunks[0])


def _openai_stream(call: Call, _: Said) -> list[bytes]:
    return list(_as_openai(call, stream=True).chunks)


def _as_openai(call: Call, *, stream: bool) -> Answer:
    """OpenAI's answer on another path, and in another wrapping."""
    body = {**call.body, "stream": stream}
    return openai.answer(Call(call.number, "POST", "/chat/completions", {}, body, call.behaviour))


def _sagemaker_stream(call: Call, said: Said) -> list[bytes]:
    """AWS's binary event stream, whose payloads are the lines of OpenAI's, or of Hugging Face's text generation."""
    if "/huggingface" in call.path:
        words = re.findall(r"\s*\S+", said.text)
        return [bedrock.frame("PayloadPart", event({"token": {"text": word}})) for word in words]
    return [bedrock.frame("PayloadPart", line) for line in _openai_stream(call, said)[:-1]]


def _sap(call: Call, said: Said) -> object:
    return {"request_id": "1", "final_result": _openai(call, said)}


def _sap_stream(call: Call, said: Said) -> list[bytes]:
    parts = [line.removeprefix(b"data: ") for line in _openai_stream(call, said)[:-1]]
    return [*(event({"request_id": "1", "final_result": json.loads(part)}) for part in parts), b"data: [DONE]\n\n"]


def _sap_deployments(call: Call, _: Said) -> object:
    host = call.headers.get("host", "")
    root = call.root + call.path.removesuffix("/lm/deployments")
    deployment = {
        "scenarioId": "orchestration",
        "configurationId": "1",
        "deploymentUrl": f"http://{host}{root}/inference/deployments/1",
        "createdAt": "2026-01-01",
    }
    return {"count": 1, "resources": [deployment]}


def _replicate(call: Call, said: Said) -> object:
    urls = {"get": "https://api.replicate.com/v1/predictions/stand-in-1"}
    return {"id": "stand-in-1", "status": "succeeded", "output": said.pieces, "urls": urls, "metrics": {}, "model": call.path}


PROTOCOLS = (
    Small(
        re.compile(r".*/api/generate"),
        lambda _, said: _ollama_end(said, response=said.text),
        lambda _, said: [*(_line(_ollama(response=text)) for text in said.pieces), _line(_ollama_end(said, response=""))],
        content_type="application/x-ndjson",
    ),
    Small(
        re.compile(r".*/api/chat"),
        lambda _, said: _ollama_end(said, message=_ollama_message(said.text)),
        lambda _, said: [
            *(_line(_ollama(message=_ollama_message(text))) for text in said.pieces),
            _line(_ollama_end(said, message=_ollama_message(""))),
        ],
        content_type="application/x-ndjson",
    ),
    Small(re.compile(r".*/v2/chat"), cohere.plain, cohere.stream),
    Small(
        re.compile(r".*/v1/complete"),
        lambda _, said: {"completion": said.text, "stop_reason": "stop_sequence", "model": "stand-in"},
    ),
    Small(
        re.compile(r".*/gpu/.*/generation"),
        lambda _, said: {"generated_text": said.text, "nb_input_tokens": 1, "nb_generated_tokens": 1},
    ),
    Small(re.compile(r".*/petals"), lambda _, said: {"ok": True, "outputs": said.text}),
    Small(re.compile(r".*/custom"), lambda _, said: {"data": [{"output": [said.text]}]}),
    Small(
        re.compile(r".*/agent"),
        lambda _, said: agent.task("completed", said.text),
        lambda _, said: agent.events(said.pieces, "completed"),
        wants_stream=lambda call: call.body.get("method") == "message/stream",
    ),
    Small(
        re.compile(r".*/v2/models/.*/generate(_stream)?"),
        lambda _, said: {"model_name": "stand-in", "text_output": said.text},
        lambda _, said: [event({"text_output": text}) for text in said.pieces],
        wants_stream=lambda call: call.path.endswith("/generate_stream"),
    ),
    Small(
        re.compile(r".*/deployments/v2/llms/.*/generate(_stream)?"),
        lambda _, said: {"generated_text": said.text, "details": {"finish_reason": "length", "tokens": []}},
        lambda _, said: [event({"token": {"text": text}, "generated_text": None}) for text in said.pieces],
        wants_stream=lambda call: call.path.endswith("/generate_stream"),
    ),
    Small(re.compile(r".*/runs/wait"), lambda _, said: {"messages": [{"type": "ai", "content": said.text}]}),
    Small(re.compile(r".*/api/v1/run/.*"), _langflow),
    Small(
        re.compile(r".*/20231130/actions/chat"),
        _oci,
        _oci_stream,
        wants_stream=lambda call: call.body.get("chatRequest", {}).get("isStream") is True,
    ),
    Small(re.compile(r".*/lm/deployments"), _sap_deployments),
    Small(re.compile(r".*/lm/configurations/1"), lambda *_: {"executableId": "orchestration"}),
    Small(
        re.compile(r".*/inference/deployments/1/v2/completion"),
        _sap,
        _sap_stream,
        wants_stream=lambda call: call.body.get("config", {}).get("stream", {}).get("enabled") is True,
    ),
    Small(
        re.compile(r".*/ml/v1/text/chat(_stream)?"),
        _openai,
        _openai_stream,
        wants_stream=lambda call: call.path.endswith("_stream"),
    ),
    Small(re.compile(r".*/endpoints/huggingface[^/]*/invocations"), lambda _, said: [{"generated_text": said.text}]),
    Small(re.compile(r".*/invocations"), _openai),
    Small(
        re.compile(r".*/invocations-response-stream"),
        _openai,
        _sagemaker_stream,
        wants_stream=lambda _: True,
        content_type="application/vnd.amazon.eventstream",
    ),
    Small(re.compile(r".*/predictions(/stand-in-1)?"), _replicate),
    Small(
        re.compile(r".*/models/v2/.*"),
        lambda _, said: {"error": None, "output": {"content": [{"type": "text", "text": said.text}]}},
        lambda _, said: [piece.encode() for piece in said.pieces],
        content_type="text/plain",
    ),
    Small(
        re.compile(r".*/query"),
        lambda _, said: {"output": said.text, "usage_info": {"input_tokens": 1, "output_tokens": 1}},
    ),
)
