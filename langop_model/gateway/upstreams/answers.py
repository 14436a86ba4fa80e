"""Whole answers of a provider: read within a limit, checked, and changed as little as clients need."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import orjson

from langop_model.gateway.upstreams import error_body
from langop_model.gateway.upstreams.base import Answer, Route, UpstreamError, UpstreamRequest
from langop_model.gateway.upstreams.usage import usage_of

if TYPE_CHECKING:
    from langop_model.gateway.upstreams.http_client import Response

Decode = Callable[[bytes, int], bytes]
Failed = Callable[[bytes], UpstreamError]

# The member that every answer of a route has.
EXPECTED = {
    Route.CHAT: "choices",
    Route.COMPLETIONS: "choices",
    Route.EMBEDDINGS: "data",
    Route.MESSAGES: "content",
    Route.RESPONSES: "output",
    Route.MODERATIONS: "results",
    Route.IMAGES: "data",
    Route.RERANK: "results",
}


class AnswerTooLargeError(ValueError):
    """An answer that is larger than any answer of a model."""


class MalformedAnswerError(ValueError):
    """An answer that is not what its protocol says."""


async def read(response: Response, limit: int, *, cut: bool = False, begun: bytes = b"") -> bytes:
    """Return the body of an answer, decoded; `begun` is what has been read of it.

    Raises MalformedAnswerError, and AnswerTooLargeError above `limit` bytes, or returns so many if `cut`.
    """
    decode = decoder(response)
    content = response.content
    parts: list[bytes] = []
    size = 0
    while chunk := begun or (b"" if content.at_eof() else await content.readany()):
        begun = b""
        part = chunk if decode is None else decode(chunk, limit - size + 1)
        parts.append(part)
        size += len(part)
        if size > limit:
            response.close()
            if not cut:
                raise AnswerTooLargeError(f"the provider's answer is larger than {limit // 2**20} MiB")
            break
    response.release()
    return parts[0] if len(parts) == 1 and size <= limit else b"".join(parts)[:limit]


def leave(response: Response) -> None:
    """Keep the connection of an answer that was read to its end, and close that of another."""
    if response.content.at_eof():
        response.release()
    else:
        response.close()


def decoder(response: Response) -> Decode | None:
    """Return what decodes the parts of a body, each to so many bytes at most: a small body may be a large one, compressed.

    None where they are as they are. It raises MalformedAnswerError, and so does an encoding that was not asked for.
    """
    stated = response.headers.get("Content-Encoding")
    encoding = stated.strip().lower() if stated else ""
    if encoding in ("", "identity"):
        return None
    if encoding not in ("gzip", "deflate"):
        raise MalformedAnswerError("the provider's answer has an encoding that was not asked for")
    decompress = zlib.decompressobj(wbits=zlib.MAX_WBITS | 32).decompress

    def decode(data: bytes, limit: int) -> bytes:
        try:
            return decompress(data, limit)
        except zlib.error:
            raise MalformedAnswerError(f"the provider's answer is not valid {encoding}") from None

    return decode


def whole(status: int, body: bytes, request: UpstreamRequest, failed: Failed) -> Answer:
    """Return a whole answer. Raises UpstreamError for an error with status 200, MalformedAnswerError for anything else."""
    try:
        found = orjson.loads(body)
    except orjson.JSONDecodeError:
        raise MalformedAnswerError("the provider's answer is not valid JSON") from None
    expected = EXPECTED.get(request.route)
    if not isinstance(found, dict):
        raise MalformedAnswerError("the provider's answer is not what its protocol says")
    content = found.get(expected) if expected is not None else None
    if (found.get("error") and not content) or (expected == "choices" and error_body.of_choice(content)):
        raise failed(body)
    if expected is not None and content is None:
        raise MalformedAnswerError("the provider's answer is not what its protocol says")
    if expected == "choices" and not content:  # Gemini and Azure do so where a filter has taken the only one
        raise MalformedAnswerError(f"the provider's answer has no {expected}")
    return Answer(status, body=_adapted(found, body, request), usage=usage_of(request.route, found))


def _adapted(found: dict[str, Any], body: bytes, request: UpstreamRequest) -> bytes:
    """Return the body with the model's name that the client knows; the provider's own bytes where they can stay."""
    changed = request.route is Route.CHAT and _complete(found["choices"])
    named = found.get("model")
    if not request.shown_model or named == request.shown_model or not isinstance(named, str):
        return orjson.dumps(found) if changed else body
    if not changed:
        old, new = model_member(named), model_member(request.shown_model)
        if body.count(old) == 1:
            return body.replace(old, new)
    found["model"] = request.shown_model
    return orjson.dumps(found)


@lru_cache(maxsize=256)
def model_member(name: str) -> bytes:
    """Return the member `model` with this value, as most servers write it."""
    return b'"model":' + orjson.dumps(name)


def _complete(choices: Any) -> bool:
    """Add what clients rely on and some servers omit; return whether something was added.

    `reasoning_content` beside `reasoning`, and the finish reason `tool_calls` where there are such calls.
    """
    changed = False
    for choice in choices if isinstance(choices, list) else ():
        message = choice.get("message") if isinstance(choice, dict) else None
        if not isinstance(message, dict):
            continue
        changed |= add_reasoning_content(message)
        if message.get("tool_calls") and choice.get("finish_reason") == "stop":
            choice["finish_reason"] = "tool_calls"
            changed = True
    return changed


def add_reasoning_content(message: dict[str, Any]) -> bool:
    """Put a text in `reasoning` into `reasoning_content` too; return whether it was missing there."""
    reasoning = message.get("reasoning")
    if isinstance(reasoning, str) and reasoning and message.get("reasoning_content") is None:
        message["reasoning_content"] = reasoning
        return True
    return False
