"""What is tried again after a failure, and what is not."""

from __future__ import annotations

from typing import Any

import pytest

from langop_model.contract.settings import Cause
from langop_model.gateway.routing.retry_decisions import is_retried
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
