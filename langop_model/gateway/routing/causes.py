"""Why a request failed, in the words of spec.fallbacks[].conditions and of HTTP."""

from __future__ import annotations

import traceback
from collections.abc import Iterator

import httpx
import litellm
from litellm.types.router import RouterRateLimitError

from langop_model.gateway.limits.admission import RateLimitTimeoutError

ANY = "error"
_LITELLMS = tuple(litellm.LITELLM_EXCEPTION_TYPES)
_NO_CONNECTION = {"APIConnectionError", "ConnectError", "RemoteProtocolError", "ReadError", "ClientConnectorError"}
CONNECTION = 503  # a provider that can't be reached counts as one that is not available
UNTRANSLATABLE = 400
# LiteLLM's functions that make a provider's request of OpenAI's (litellm/llms/base_llm/chat/transformation.py, utils.py).
# What fails in them fails before anyone is asked; LiteLLM reports most of it as 500.
_TRANSLATION = {"get_optional_params", "map_openai_params", "validate_and_fix_openai_messages"}


class Refused(RouterRateLimitError):  # type: ignore[misc]
    """The gateway's own answer 429 with Retry-After: LiteLLM's proxy makes that of this class. No provider was asked."""

    status_code = 429

    def __init__(self, model: str, problem: RateLimitTimeoutError) -> None:
        super().__init__(model, problem.retry_after, enable_pre_call_checks=False, cooldown_list=[])
        self.args = (f"{model}: {problem}",)
        self.message = self.args[0]


def status_code(error: BaseException) -> int:
    """Return the HTTP status of a failed attempt: the provider's own where there is one, else the one that LiteLLM chose.

    LiteLLM reports 529 as 500, 504 as 408, and a lost connection as 500: here that is 503. It reports most requests that it
    can't translate as 500: here that is 400.
    """
    if untranslatable(error) is not None:
        return UNTRANSLATABLE
    own = next((link.response.status_code for link in _links(error) if isinstance(link, httpx.HTTPStatusError)), None)
    if own is not None:
        return own
    chosen = getattr(error, "status_code", None)
    if is_connection(error):
        return CONNECTION
    return chosen if isinstance(chosen, int) and chosen >= 400 else 500


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
    return not isinstance(error, litellm.Timeout) and any(type(link).__name__ in _NO_CONNECTION for link in _links(error))


def untranslatable(error: BaseException) -> str | None:
    """Return why LiteLLM could make no request for the provider of this one (a tool that it does not know); else None."""
    root = list(_links(error))[-1]
    if root is error or isinstance(root, OSError):
        return None
    frames = [frame.f_code for frame, _ in traceback.walk_tb(root.__traceback__)]
    if any(code.co_name in _TRANSLATION or "transform_request" in code.co_name for code in frames):
        return str(root) or type(root).__name__
    # A provider without reranking: litellm/rerank_api/main.py asks nobody.
    return str(root) if frames and frames[-1].co_name == "rerank" else None


def is_endpoints_fault(error: BaseException) -> bool:
    """Whether another endpoint of the same model may do better: not when the request or the model's limit is to blame."""
    if isinstance(error, Refused) or not isinstance(error, Exception):
        return False
    return cause(error) in ("server_error", "rate_limit", "timeout") or status_code(error) in (401, 403, 404)


def may_do_better_elsewhere(error: BaseException) -> bool:
    """Whether another resource that serves the same model may do better: also when this one's limit is to blame."""
    return isinstance(error, Refused) or is_endpoints_fault(error)


def _links(error: BaseException) -> Iterator[BaseException]:
    """The error and those that LiteLLM made it of. Another one of LiteLLM's is an earlier attempt's, and ends the chain."""
    yield error
    link = error.__cause__ or error.__context__
    while link is not None and not isinstance(link, _LITELLMS):
        yield link
        link = link.__cause__ or link.__context__
