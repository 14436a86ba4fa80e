"""Amazon Bedrock's protocol: Converse, and ConverseStream in AWS's binary event stream. Signatures are not checked."""

from __future__ import annotations

import json
import re
import struct
import zlib
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from stand_in.answer import Answer, as_json, as_stream
from stand_in.call import Call, Said

if TYPE_CHECKING:
    from stand_in.behaviour import Status

PATH = re.compile(r"/model/.+/converse(-stream)?")
STRING = 7  # the type of a header's value in an event stream

# HTTP status: the exception and its message.
ERRORS: dict[Status, tuple[str, str]] = {
    400: ("ValidationException", "Malformed input request, please reformat your input and try again."),
    401: ("UnrecognizedClientException", "The security token included in the request is invalid."),
    403: ("AccessDeniedException", "You don't have access to the model with the specified model ID."),
    404: ("ResourceNotFoundException", "Could not resolve the foundation model from the provided model identifier."),
    408: ("ModelTimeoutException", "Model processing timed out. Try your request again."),
    424: ("ModelErrorException", "The system encountered an error while processing the model."),
    429: ("ThrottlingException", "Too many requests, please wait before trying again."),
    500: ("InternalServerException", "The system encountered an unexpected error during processing."),
    503: ("ServiceUnavailableException", "Bedrock is unable to process your request."),
    "context_length_exceeded": ("ValidationException", "Input is too long for requested model."),
}


def answers(method: str, path: str) -> bool:
    """Tell whether a request is this protocol's."""
    return method == "POST" and PATH.fullmatch(path) is not None


def answer(call: Call) -> Answer:
    """Answer a request."""
    return _answer(call, call.said(call.body.get("messages"), system=call.body.get("system")), "end_turn")


def refuse(call: Call, status: Status) -> Answer:
    """Fail as Bedrock does. Filtered content is no error there: an answer without text says that it was filtered."""
    if status == "content_policy":
        return _answer(call, Said("", 0, 0), "content_filtered")
    exception, message = ERRORS.get(status) or ERRORS[500 if isinstance(status, int) and status >= 500 else 400]
    headers = {"x-amzn-errortype": exception, "x-amzn-requestid": str(call.number)}
    return as_json({"message": message}, status if isinstance(status, int) else 400, headers)


def frame(kind: str, content: object) -> bytes:
    """Return one message of an event stream: lengths and their checksum, headers, payload, checksum of it all.

    The payload is `content` as JSON, or `content` itself where that is bytes.
    """
    headers = b""
    for name, value in ((":event-type", kind), (":content-type", "application/json"), (":message-type", "event")):
        headers += struct.pack("!B", len(name)) + name.encode()
        headers += struct.pack("!BH", STRING, len(value)) + value.encode()
    payload = content if isinstance(content, bytes) else json.dumps(content).encode()
    lengths = struct.pack("!II", 16 + len(headers) + len(payload), len(headers))
    message = lengths + struct.pack("!I", zlib.crc32(lengths)) + headers + payload
    return message + struct.pack("!I", zlib.crc32(message))


def _answer(call: Call, said: Said, stop_reason: str) -> Answer:
    usage = {"inputTokens": said.input_tokens, "outputTokens": said.output_tokens, "totalTokens": said.total_tokens}
    if call.path.endswith("-stream"):
        return as_frames([(None, [{"text": piece} for piece in said.pieces])], stop_reason, usage)
    return whole([{"text": said.text}] if said.text else [], stop_reason, usage)


def whole(content: list[dict[str, Any]], stop_reason: str, usage: object) -> Answer:
    """Return a whole answer."""
    message = {"role": "assistant", "content": content}
    return as_json({"output": {"message": message}, "stopReason": stop_reason, "usage": usage, "metrics": {"latencyMs": 1}})


def as_frames(blocks: Iterable[tuple[object, Iterable[object]]], stop_reason: str, usage: object) -> Answer:
    """Return a streamed answer: of each block how it begins, if that is said, and its deltas."""
    frames = [frame("messageStart", {"role": "assistant"})]
    for index, (begun, deltas) in enumerate(blocks):
        frames += [frame("contentBlockStart", {"contentBlockIndex": index, "start": begun})] if begun else []
        frames += [frame("contentBlockDelta", {"contentBlockIndex": index, "delta": delta}) for delta in deltas]
        frames.append(frame("contentBlockStop", {"contentBlockIndex": index}))
    frames.append(frame("messageStop", {"stopReason": stop_reason}))
    frames.append(frame("metadata", {"usage": usage, "metrics": {"latencyMs": 1}}))
    return as_stream(frames, "application/vnd.amazon.eventstream")
