"""An error in the format of the client's protocol: OpenAI's, Anthropic's or Gemini's."""

from __future__ import annotations

import orjson

from langop_model.gateway.access.open_routes import Protocol

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


def error_event(protocol: Protocol, status: int, message: str, *, kind: str | None = None, code: str | None = None) -> bytes:
    """Return an error as the last event of a stream that has begun."""
    body = error_body(protocol, status, message, kind=kind, code=code)
    return (b"event: error\n" if protocol is Protocol.ANTHROPIC else b"") + b"data: " + body + b"\n\n"
