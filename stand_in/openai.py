"""OpenAI's protocol: chat completions, completions, embeddings, models. Responses are in a module of their own."""

from __future__ import annotations

import base64
import hashlib
import json
import struct
import time
from typing import TYPE_CHECKING, Any

from stand_in import openai_responses
from stand_in.answer import Answer, as_json, as_stream, count, event
from stand_in.call import Call, Said

if TYPE_CHECKING:
    from stand_in.behaviour import Status

MODEL = "stand-in"
DIMENSIONS = 16

# HTTP status: the error's type, code and message.
ERRORS: dict[Status, tuple[str, str | None, str]] = {
    400: ("invalid_request_error", None, "We could not parse the JSON body of your request."),
    401: ("invalid_request_error", "invalid_api_key", "Incorrect API key provided."),
    403: (
        "invalid_request_error",
        "unsupported_country_region_territory",
        "Country, region, or territory not supported",
    ),
    404: ("invalid_request_error", "model_not_found", "The model does not exist or you do not have access to it."),
    408: ("timeout", None, "Request timed out."),
    429: ("requests", "rate_limit_exceeded", "Rate limit reached for requests per min (RPM): Limit 500, Used 500."),
    500: ("server_error", None, "The server had an error while processing your request. Sorry about that!"),
    503: ("service_unavailable_error", None, "The engine is currently overloaded, please try again later"),
    "context_length_exceeded": (
        "invalid_request_error",
        "context_length_exceeded",
        "This model's maximum context length is 128000 tokens. However, your messages resulted in 128001 tokens.",
    ),
    "content_policy": (
        "invalid_request_error",
        "invalid_prompt",
        "Invalid prompt: your prompt was flagged as potentially violating our usage policy.",
    ),
}


def answers(method: str, path: str) -> bool:
    """Tell whether a request is this protocol's."""
    if method == "GET":
        return path.endswith("/models")
    return method == "POST" and path.endswith(("/completions", "/embeddings", "/responses"))


def answer(call: Call) -> Answer:
    """Answer a request."""
    if call.path.endswith("/models"):
        model = {"id": MODEL, "object": "model", "created": 1700000000, "owned_by": MODEL}
        return as_json({"object": "list", "data": [model]})
    if call.path.endswith("/embeddings"):
        return _embeddings(call)
    if call.path.endswith("/responses"):
        return openai_responses.answer(call)
    if call.path.endswith("/chat/completions"):
        return _chat(call)
    return _completion(call)


def refuse(call: Call, status: Status) -> Answer:
    """Fail as OpenAI does."""
    kind, code, message = ERRORS.get(status) or ERRORS[500 if isinstance(status, int) and status >= 500 else 400]
    parameter = "messages" if status == "context_length_exceeded" else None
    body = {"error": {"message": message, "type": kind, "param": parameter, "code": code}}
    return as_json(body, status if isinstance(status, int) else 400, {"x-request-id": f"req_{call.number}"})


def unknown(call: Call) -> Answer:
    """Answer a path that no protocol has."""
    message = f"Invalid URL ({call.method} {call.path})"
    return as_json({"error": {"message": message, "type": "invalid_request_error", "param": None, "code": None}}, 404)


def _usage(said: Said) -> dict[str, Any]:
    return {
        "prompt_tokens": said.input_tokens,
        "completion_tokens": said.output_tokens,
        "total_tokens": said.total_tokens,
        "prompt_tokens_details": {"cached_tokens": 0, "audio_tokens": 0},
        "completion_tokens_details": {"reasoning_tokens": 0, "audio_tokens": 0},
    }


def _chat(call: Call) -> Answer:
    said = call.said(call.body.get("messages"))
    head = {
        "id": f"chatcmpl-{call.number}",
        "created": int(time.time()),
        "model": call.model,
        "service_tier": "default",
        "system_fingerprint": None,
    }
    if call.wants_stream:
        deltas = [{"role": "assistant", "content": ""}, *({"content": piece} for piece in said.pieces)]
        choices = [_choice(None, delta=delta) for delta in deltas]
        choices.append(_choice("stop", delta={}))
        return _streamed(call, {**head, "object": "chat.completion.chunk"}, choices, said)
    choice = _choice("stop", message={"role": "assistant", "content": said.text, "refusal": None})
    return as_json({**head, "object": "chat.completion", "choices": [choice], "usage": _usage(said)})


def _completion(call: Call) -> Answer:
    said = call.said([{"content": call.body.get("prompt")}])
    head = {"id": f"cmpl-{call.number}", "object": "text_completion", "created": int(time.time()), "model": call.model}
    if call.wants_stream:
        # Fill in the middle is answered like a chat: both shapes are there.
        choices = [*(_choice(None, text=piece, delta={"content": piece}) for piece in said.pieces)]
        choices.append(_choice("stop", text="", delta={}))
        return _streamed(call, head, choices, said)
    choice = _choice("stop", text=said.text, message={"role": "assistant", "content": said.text})
    return as_json({**head, "choices": [choice], "usage": _usage(said)})


def _choice(finish_reason: str | None, **content: object) -> dict[str, Any]:
    return {"index": 0, **content, "logprobs": None, "finish_reason": finish_reason}


def _streamed(call: Call, head: dict[str, Any], choices: list[dict[str, Any]], said: Said) -> Answer:
    """Send one chunk for each choice, then the usage if it is asked for, then OpenAI's end mark."""
    options = call.body.get("stream_options")
    if isinstance(options, dict) and options.get("include_usage"):
        chunks = [event({**head, "choices": [choice], "usage": None}) for choice in choices]
        chunks.append(event({**head, "choices": [], "usage": _usage(said)}))
    else:
        chunks = [event({**head, "choices": [choice]}) for choice in choices]
    return as_stream([*chunks, b"data: [DONE]\n\n"])


def _embeddings(call: Call) -> Answer:
    given = call.body.get("input")
    inputs: list[Any] = given if isinstance(given, list) else [given]
    # An input is a text or a list of token numbers; a request has one input, or a list of them.
    if inputs and isinstance(inputs[0], int):
        inputs = [inputs]
    dimensions = call.body.get("dimensions", DIMENSIONS)
    data = []
    for index, item in enumerate(inputs):
        # The same input has the same vector, and different inputs have different ones.
        digest = hashlib.shake_128(json.dumps(item).encode()).digest(dimensions)
        vector: Any = [byte / 128 - 1 for byte in digest]
        if call.body.get("encoding_format") == "base64":
            vector = base64.b64encode(struct.pack(f"<{dimensions}f", *vector)).decode()
        data.append({"object": "embedding", "index": index, "embedding": vector})
    words = sum(len(item) if isinstance(item, list) else count(str(item)) for item in inputs)
    tokens = call.behaviour.get("usage", (words, 0))[0]
    usage = {"prompt_tokens": tokens, "total_tokens": tokens}
    return as_json({"object": "list", "data": data, "model": call.model, "usage": usage})
