"""The gateway's own answers to requests that never reach LiteLLM, in the shape of OpenAI's errors."""

from __future__ import annotations

import json
from typing import Any

from langop_model.gateway.scope import Send


class APIError(Exception):
    """Why a request is refused: the HTTP `status`, a sentence for its author, and OpenAI's `type`, `code` and `param`.

    `headers` are sent beside it. No part of it ever holds a key or a text of the request beyond the name of a field.
    """

    def __init__(
        self,
        status: int,
        message: str,
        code: str | None = None,
        param: str | None = None,
        headers: tuple[tuple[bytes, bytes], ...] = (),
    ) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.code = code
        self.param = param
        self.headers = headers

    @property
    def type(self) -> str:
        """OpenAI's and Anthropic's word for this kind of error."""
        if self.status >= 500:
            return "api_error"
        return "authentication_error" if self.status == 401 else "invalid_request_error"

    def body(self) -> bytes:
        """The answer as JSON. Its outer `type` is what Anthropic's clients look for, the rest is OpenAI's and suits both."""
        error = {"message": self.message, "type": self.type, "param": self.param, "code": self.code}
        return json.dumps({"type": "error", "error": error}).encode()


async def answer(send: Send, status: int, body: bytes, headers: tuple[tuple[bytes, bytes], ...] = ()) -> None:
    """Send a whole answer of JSON."""
    standard = ((b"content-type", b"application/json"), (b"content-length", b"%d" % len(body)))
    await send({"type": "http.response.start", "status": status, "headers": [*standard, *headers]})
    await send({"type": "http.response.body", "body": body})


async def refuse(send: Send, refusal: APIError) -> None:
    """Send a refusal."""
    await answer(send, refusal.status, refusal.body(), refusal.headers)


def json_bytes(value: Any) -> bytes:
    """Return a value as JSON."""
    return json.dumps(value).encode()


def untranslatable(reason: str) -> APIError:
    """The answer to a request that the provider's API has no words for; LiteLLM would blame the gateway."""
    return APIError(400, f"the provider of this model can't be asked this: {reason[:200]}")


TRACEBACK = "Traceback (most recent call last)"


def without_traceback(body: bytes) -> bytes:
    """Return LiteLLM's answer to a failed request without the traceback that it writes into some messages, paths and all."""
    if TRACEBACK.encode() not in body:
        return body
    try:
        found = json.loads(body)
        error = found["error"]
        error["message"] = error["message"].partition(TRACEBACK)[0].rstrip()
    except (ValueError, KeyError, TypeError, AttributeError):
        return APIError(500, "the gateway has failed: its log says why").body()
    return json.dumps(found).encode()
