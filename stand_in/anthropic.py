"""Anthropic's protocol: the Messages API, its own and a whole answer of Bedrock's InvokeModel."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from stand_in.answer import Answer, as_json, as_stream, event
from stand_in.call import Call

if TYPE_CHECKING:
    from stand_in.behaviour import Status

INVOKED = re.compile(r"/model/.*anthropic\..+/invoke")
# HTTP status: the error's type and message.
ERRORS: dict[Status, tuple[str, str]] = {
    400: ("invalid_request_error", "The request body is not valid JSON."),
    401: ("authentication_error", "invalid x-api-key"),
    403: ("permission_error", "Your API key does not have permission to use the specified resource."),
    404: ("not_found_error", "model: not found"),
    408: ("timeout_error", "Request timed out."),
    413: ("request_too_large", "Request exceeds the maximum allowed number of bytes."),
    429: ("rate_limit_error", "This request would exceed your organization's rate limit of 50 requests per minute."),
    500: ("api_error", "Internal server error"),
    504: ("timeout_error", "Request timed out."),
    529: ("overloaded_error", "Overloaded"),
    "context_length_exceeded": ("invalid_request_error", "prompt is too long: 200001 tokens > 200000 maximum"),
    "content_policy": ("invalid_request_error", "Output blocked by content filtering policy"),
}


def answers(method: str, path: str) -> bool:
    """Tell whether a request is this protocol's."""
    return method == "POST" and (path.endswith("/v1/messages") or INVOKED.fullmatch(path) is not None)


def answer(call: Call) -> Answer:
    """Answer a request."""
    said = call.said(call.body.get("messages"), system=call.body.get("system"))
    cache = {"cache_creation_input_tokens": 0, "cache_read_input_tokens": 0}
    message: dict[str, Any] = {
        "id": f"msg_{call.number}",
        "type": "message",
        "role": "assistant",
        "model": call.model,
        "content": [{"type": "text", "text": said.text}],
        "stop_reason": "end_turn",
        "stop_sequence": None,
        "usage": {"input_tokens": said.input_tokens, "output_tokens": said.output_tokens, **cache},
    }
    if not call.wants_stream:
        return as_json(message)
    return as_events(
        message, [({"type": "text", "text": ""}, [{"type": "text_delta", "text": piece} for piece in said.pieces])]
    )


def as_events(message: Mapping[str, Any], blocks: Iterable[tuple[Mapping[str, Any], Iterable[Mapping[str, Any]]]]) -> Answer:
    """Return a whole message as a stream: of each of its blocks how that begins, and its deltas."""
    usage, ended = message["usage"], {name: message[name] for name in ("stop_reason", "stop_sequence")}
    begun = {**message, "content": [], "stop_reason": None, "usage": {**usage, "output_tokens": 0}}
    events: list[dict[str, Any]] = [{"type": "message_start", "message": begun}]
    for index, (block, deltas) in enumerate(blocks):
        events.append({"type": "content_block_start", "index": index, "content_block": block})
        events += [{"type": "ping"}] if index == 0 else []
        events += [{"type": "content_block_delta", "index": index, "delta": delta} for delta in deltas]
        events.append({"type": "content_block_stop", "index": index})
    events.append({"type": "message_delta", "delta": ended, "usage": {"output_tokens": usage["output_tokens"]}})
    events.append({"type": "message_stop"})
    return as_stream(event(each, each["type"]) for each in events)


def refuse(call: Call, status: Status) -> Answer:
    """Fail as Anthropic does."""
    kind, message = ERRORS.get(status) or ERRORS[500 if isinstance(status, int) and status >= 500 else 400]
    request_id = f"req_{call.number}"
    body = {"type": "error", "error": {"type": kind, "message": message}, "request_id": request_id}
    return as_json(body, status if isinstance(status, int) else 400, {"request-id": request_id})
