"""Why a request failed, in the words of spec.fallbacks[].conditions and of HTTP."""

from __future__ import annotations

import litellm

ANY = "error"
CONNECTION = 503  # a provider that can't be reached counts as one that is not available


def status_code(error: BaseException) -> int:
    """Return the HTTP status of a failed attempt: the provider's own where LiteLLM kept it, else the one LiteLLM chose.

    LiteLLM reports a lost connection as 500 (InternalServerError, APIConnectionError); here it is 503.
    """
    if is_connection(error):
        return CONNECTION
    own = getattr(getattr(error, "response", None), "status_code", None)
    chosen = getattr(error, "status_code", None)
    for status in (own, chosen):
        if isinstance(status, int) and status >= 400:
            return status
    return 500


def cause(error: BaseException) -> str:
    """Return the one cause of a failure: context_window, content_policy, rate_limit, timeout, server_error or client_error."""
    error = getattr(error, "original_exception", None) or error  # litellm.exceptions.MidStreamFallbackError
    if isinstance(error, litellm.ContextWindowExceededError):
        return "context_window"
    if isinstance(error, litellm.ContentPolicyViolationError):
        return "content_policy"
    if isinstance(error, litellm.Timeout):
        return "timeout"
    status = status_code(error)
    if status == 429:
        return "rate_limit"
    if status in (408, 504):
        return "timeout"
    return "server_error" if status >= 500 else "client_error"


def is_connection(error: BaseException) -> bool:
    """Whether no answer came at all: LiteLLM wraps the HTTP client's own error, whose name says so."""
    seen: BaseException | None = error
    while seen is not None:
        if type(seen).__name__ in (
            "APIConnectionError",
            "ConnectError",
            "RemoteProtocolError",
            "ReadError",
            "ClientConnectorError",
        ):
            return not isinstance(error, litellm.Timeout)
        seen = seen.__cause__ or seen.__context__
    return False


def is_endpoints_fault(error: BaseException) -> bool:
    """Whether another endpoint of the same model may do better: not when the request itself is to blame."""
    return cause(error) in ("server_error", "rate_limit", "timeout") or status_code(error) in (401, 403, 404)
