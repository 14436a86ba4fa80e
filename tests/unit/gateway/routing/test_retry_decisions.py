"""What is tried again after a failure, and what is not."""

from __future__ import annotations

from typing import Any

import pytest

from langop_model.contract.settings import Cause
from langop_model.gateway.routing.retry_decisions import is_endpoints_fault, is_retried, may_do_better_elsewhere
from langop_model.gateway.upstreams.base import FailureKind, UpstreamError

STATUS_CODES = frozenset({400, 408, 429, 500, 503})


def failed(status: int, cause: str, **more: Any) -> UpstreamError:
    return UpstreamError(FailureKind.HTTP, status, "no", cause=cause, **more)


def test_a_used_up_quota_is_not_retried():
    assert is_retried(failed(429, Cause.RATE_LIMIT, code="rate_limit_exceeded"), STATUS_CODES)
    assert not is_retried(failed(429, Cause.RATE_LIMIT, code="insufficient_quota"), STATUS_CODES)
    assert not is_retried(failed(429, Cause.RATE_LIMIT, type="insufficient_quota"), STATUS_CODES)


@pytest.mark.parametrize("why", [Cause.CONTEXT_WINDOW, Cause.CONTENT_POLICY])
def test_what_the_question_is_to_blame_for_is_not_retried(why: str):
    assert not is_retried(failed(500, why), STATUS_CODES)


@pytest.mark.parametrize("kind", [FailureKind.RATE_LIMITED, FailureKind.UNSUPPORTED])
def test_what_this_gateway_refuses_is_no_endpoints_fault(kind: FailureKind):
    error = UpstreamError(kind, 429, "no", cause=Cause.RATE_LIMIT)
    assert not is_endpoints_fault(error)
    assert may_do_better_elsewhere(error) == (kind is FailureKind.RATE_LIMITED)


@pytest.mark.parametrize(("status_codes", "retried"), [({408}, True), ({504}, True), ({503, 504}, True), ({503}, False)])
def test_a_timeout_is_retried_under_either_of_its_statuses(status_codes: set[int], retried: bool):
    timeout = UpstreamError(FailureKind.TIMEOUT, 504, "no answer", cause=Cause.TIMEOUT)
    assert is_retried(timeout, status_codes) == retried
