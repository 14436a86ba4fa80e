"""What may do better after a failed attempt: a retry, another endpoint, another resource of the same model."""

from __future__ import annotations

from collections.abc import Collection

from langop_model.contract.settings import Cause
from langop_model.gateway.upstreams.base import FailureKind, UpstreamError
from langop_model.gateway.upstreams.failure_causes import OUT_OF_QUOTA, TIMEOUTS


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
