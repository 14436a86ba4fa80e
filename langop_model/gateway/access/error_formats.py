"""An error in the format of the client's protocol: OpenAI's, Anthropic's or Gemini's."""

from __future__ import annotations

from typing import Any

import orjson

from langop_model.gateway.access.open_routes import Protocol
from langop_model.gateway.upstreams.base import UpstreamError

# https://docs.claude.com/en/api/errors
_ANTHROPIC = {
    400: "invalid_request_error",
    401: "authentication_error",
    403: "permission_error",
    404: "not_found_error",
    413: "request_too_large",
    429: "rate_limit_error",
    500: "api_error",
    504: "timeout_error",
    529: "overloaded_error",
}
# https://cloud.google.com/apis/design/errors#handling_errors
_GEMINI = {
    400: "INVALID_ARGUMENT",
    401: "UNAUTHENTICATED",
    403: "PERMISSION_DENIED",
    404: "NOT_FOUND",
    429: "RESOURCE_EXHAUSTED",
    500: "INTERNAL",
    503: "UNAVAILABLE",
    504: "DEADLINE_EXCEEDED",
}
_OPENAI = {401: "authentication_error", 403: "permission_error", 429: "rate_limit_error"}


def openai_type(status: int) -> str:
    """Return the `type` of an OpenAI error with this status."""
    return _OPENAI.get(status) or ("server_error" if status >= 500 else "invalid_request_error")


def error_body(
    protocol: Protocol, status: int, message: str, *, kind: str | None = None, code: str | None = None, param: str | None = None
) -> bytes:
    """Return an error as JSON. `kind`, `code` and `param` are OpenAI's `type`, `code` and `param`."""
    if protocol is Protocol.ANTHROPIC:
        fitting = _ANTHROPIC.get(status) or ("api_error" if status >= 500 else "invalid_request_error")
        return orjson.dumps({"type": "error", "error": {"type": fitting, "message": message}})
    if protocol is Protocol.GEMINI:
        fitting = _GEMINI.get(status) or ("INTERNAL" if status >= 500 else "INVALID_ARGUMENT")
        return orjson.dumps({"error": {"code": status, "message": message, "status": fitting}})
    error = {"message": message, "type": kind or openai_type(status), "param": param, "code": code}
    return orjson.dumps({"error": error})


def body_of(protocol: Protocol, error: UpstreamError) -> bytes:
    """Return the error of an attempt: what the provider wrote where that is in the client's format, else its message in it."""
    own = _own(protocol, error.body) if error.body else None
    if own is not None:
        return orjson.dumps(own)
    return error_body(protocol, error.status, error.message, kind=error.type, code=error.code, param=error.param)


def _own(protocol: Protocol, body: bytes) -> dict[str, Any] | None:
    """Return a provider's error if it has the format of a protocol, without what is beside the error (accounts, say)."""
    try:
        found = orjson.loads(body)
    except orjson.JSONDecodeError:
        return None
    error = found.get("error") if isinstance(found, dict) else None
    if not isinstance(error, dict) or not isinstance(error.get("message"), str) or not error["message"]:
        return None
    is_anthropic = found.get("type") == "error" and isinstance(error.get("type"), str)
    is_gemini = isinstance(error.get("status"), str) and isinstance(error.get("code"), int)
    if protocol is Protocol.ANTHROPIC:
        kept = {name: found[name] for name in ("type", "error", "request_id") if name in found}
        return kept if is_anthropic else None
    if protocol is Protocol.GEMINI:
        return {"error": error} if is_gemini else None
    return None if is_anthropic or is_gemini else {"error": {"type": None, "param": None, "code": None, **error}}


def error_event(protocol: Protocol, error: UpstreamError) -> bytes:
    """Return an error as the last event of a stream that has begun."""
    body = body_of(protocol, error)
    return (b"event: error\n" if protocol is Protocol.ANTHROPIC else b"") + b"data: " + body + b"\n\n"
