"""Why an attempt failed, in the words of spec.fallbacks[].conditions."""

from __future__ import annotations

from langop_model.contract.settings import Cause
from langop_model.gateway.upstreams import error_body, failure_texts
from langop_model.gateway.upstreams.base import CLIENT_ERROR
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


def classify(status: int, body: bytes) -> str:
    """Return the cause of a provider's error from its status and body: JSON, or a text."""
    details = error_body.details_of(body)
    if not details.message:
        details = ErrorDetails(body[: error_body.LONGEST_MESSAGE].decode(errors="replace"))
    return cause_of(status, details)
