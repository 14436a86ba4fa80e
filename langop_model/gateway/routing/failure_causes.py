"""Why an attempt failed, in the words of spec.fallbacks[].conditions, and what may do better."""

from __future__ import annotations

from collections.abc import Collection

from langop_model.contract.settings import Cause
from langop_model.gateway.routing import failure_texts
from langop_model.gateway.upstreams import error_body
from langop_model.gateway.upstreams.base import CLIENT_ERROR, FailureKind, UpstreamError
from langop_model.gateway.upstreams.error_body import ErrorDetails

TIMEOUTS = frozenset({408, 504})
# Statuses that are about the account or the address, whatever the text says.
NOT_ABOUT_CONTENT = frozenset({401, 402, 404, 405, 407, 408, 409, 429, 503, 504, 520, 529})
# A provider that says this answers in the same way until somebody pays: a retry is a wasted request.
OUT_OF_QUOTA = frozenset(
    {"insufficient_quota", "billing_hard_limit_reached", "billing_not_active", "exceeded_current_quota_error"}
)
# The status of an error within an answer that began with 200, by its type or code.
STATUSES = {
    "invalid_request_error": 400,
    "badrequesterror": 400,
    "invalid_argument": 400,
    "authentication_error": 401,
    "permission_error": 403,
    "not_found_error": 404,
    "request_too_large": 413,
    "rate_limit_error": 429,
    "rate_limit_exceeded": 429,
    "resource_exhausted": 429,
    "insufficient_quota": 429,
    "api_error": 500,
    "server_error": 500,
    "internal_server_error": 500,
    "unavailable": 503,
    "timeout_error": 504,
    "overloaded_error": 529,
}
UNSAID = 502  # an error within an answer that says no status


def cause_of(status: int, details: ErrorDetails) -> str:
    """Return the cause of a provider's error: a value of Cause, or CLIENT_ERROR.

    Its codes come before its text, and its text is looked at only where the status may be about the question. 500 is among
    these: llama.cpp, LM Studio and Ollama answer it to a question that is too long. So is 403, by which OpenRouter and others
    refuse content, and 413, which some answer to too many tokens.
    """
    codes = {code.lower() for code in (details.code, details.type, *details.inner_codes) if code}
    if codes & failure_texts.CONTEXT_WINDOW_CODES:
        return Cause.CONTEXT_WINDOW
    if codes & failure_texts.CONTENT_POLICY_CODES:
        return Cause.CONTENT_POLICY
    said = _cause_in_words(details.message) if status not in NOT_ABOUT_CONTENT else None
    if said is not None:
        return said
    if status == 429 or codes & OUT_OF_QUOTA:
        return Cause.RATE_LIMIT
    return _cause_by_status(status)


def _cause_by_status(status: int) -> str:
    if status in TIMEOUTS:
        return Cause.TIMEOUT
    return Cause.SERVER_ERROR if status >= 500 else CLIENT_ERROR


def _cause_in_words(message: str) -> Cause | None:
    if failure_texts.says_too_long(message):
        return Cause.CONTEXT_WINDOW
    return Cause.CONTENT_POLICY if failure_texts.says_content_refused(message) else None


def status_within_answer(details: ErrorDetails) -> int:
    """Return the HTTP status of an error that came within an answer whose own status is 200."""
    if details.code is not None and details.code.isdigit() and 400 <= int(details.code) < 600:
        return int(details.code)
    for said in (details.code, details.type):
        if said and said.lower() in STATUSES:
            return STATUSES[said.lower()]
    is_questions = cause_of(UNSAID, details) in (Cause.CONTEXT_WINDOW, Cause.CONTENT_POLICY)
    return 400 if is_questions else UNSAID


def is_endpoints_fault(error: UpstreamError) -> bool:
    """Whether another endpoint of the same model may do better: not where the request or the model's limit is to blame."""
    if error.kind in (FailureKind.RATE_LIMITED, FailureKind.UNSUPPORTED):
        return False
    return error.cause in (Cause.SERVER_ERROR, Cause.RATE_LIMIT, Cause.TIMEOUT) or error.status in (401, 403, 404)


def may_do_better_elsewhere(error: UpstreamError) -> bool:
    """Whether another resource that serves the same model may do better: also where this one's limit is to blame."""
    return error.kind is FailureKind.RATE_LIMITED or is_endpoints_fault(error)


def is_retried(error: UpstreamError, status_codes: Collection[int]) -> bool:
    """Whether a retry policy names the status of a failure. A timeout is 408 or 504, whichever the policy has.

    What no retry can change is not tried again: a quota that is used up, a question that is too long, refused content.
    """
    if error.cause in (Cause.CONTEXT_WINDOW, Cause.CONTENT_POLICY) or (error.code or error.type) in OUT_OF_QUOTA:
        return False
    if error.kind is FailureKind.TIMEOUT:
        return not TIMEOUTS.isdisjoint(status_codes)
    return error.status in status_codes


def classify(status: int, body: bytes) -> str:
    """Return the cause of a provider's error from its status and body: JSON, or a text."""
    details = error_body.details_of(body)
    if not details.message:
        details = ErrorDetails(body[: error_body.LONGEST_MESSAGE].decode("utf-8", "replace"))
    return cause_of(status, details)
