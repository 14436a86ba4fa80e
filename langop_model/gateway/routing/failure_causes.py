"""Why an attempt failed, in the words of spec.fallbacks[].conditions, and what may do better."""

from __future__ import annotations

from collections.abc import Collection

from langop_model.contract.settings import Cause
from langop_model.gateway.upstreams import error_body
from langop_model.gateway.upstreams.base import CLIENT_ERROR, FailureKind, UpstreamError
from langop_model.gateway.upstreams.error_body import ErrorDetails

TIMEOUTS = frozenset({408, 504})


def cause_of(status: int, details: ErrorDetails) -> str:
    """Return the cause of a provider's error: a value of Cause, or CLIENT_ERROR."""
    if details.code == "context_length_exceeded":
        return Cause.CONTEXT_WINDOW
    if details.code in ("content_filter", "content_policy_violation", "invalid_prompt"):
        return Cause.CONTENT_POLICY
    if status == 429:
        return Cause.RATE_LIMIT
    if status in (408, 504):
        return Cause.TIMEOUT
    return Cause.SERVER_ERROR if status >= 500 else CLIENT_ERROR


def is_endpoints_fault(error: UpstreamError) -> bool:
    """Whether another endpoint of the same model may do better: not where the request or the model's limit is to blame."""
    if error.kind in (FailureKind.RATE_LIMITED, FailureKind.UNSUPPORTED):
        return False
    return error.cause in (Cause.SERVER_ERROR, Cause.RATE_LIMIT, Cause.TIMEOUT) or error.status in (401, 403, 404)


def may_do_better_elsewhere(error: UpstreamError) -> bool:
    """Whether another resource that serves the same model may do better: also where this one's limit is to blame."""
    return error.kind is FailureKind.RATE_LIMITED or is_endpoints_fault(error)


def is_retried(error: UpstreamError, status_codes: Collection[int]) -> bool:
    """Whether a retry policy names the status of a failure. A timeout is 408 or 504, whichever the policy has."""
    if error.kind is FailureKind.TIMEOUT:
        return not TIMEOUTS.isdisjoint(status_codes)
    return error.status in status_codes


def classify(status: int, body: bytes) -> str:
    """Return the cause of a provider's error from its status and body."""
    return cause_of(status, error_body.details_of(body))
