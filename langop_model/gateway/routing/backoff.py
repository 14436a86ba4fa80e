"""The waits between attempts: tenacity's exponential schedule, and what a provider's Retry-After adds to it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from email.utils import parsedate_to_datetime
from typing import Any, TypeVar

from tenacity import AsyncRetrying, RetryCallState, retry_if_exception, stop_after_attempt, wait_exponential

from langop_model.contract.settings import Retries
from langop_model.gateway.routing.causes import Refused, status_code

T = TypeVar("T")


async def call(attempt: Callable[[int], Awaitable[T]], retries: Retries, most: int) -> T:
    """Return what `attempt` returns, called with 0, 1, 2... until it succeeds, must not be retried, or was `most` times.

    Raises the error of the last attempt. Most calls succeed at once: tenacity is asked when one has failed.
    """
    try:
        return await attempt(0)
    except Exception as problem:  # noqa: BLE001 - raised again below
        first = problem
    async for state in AsyncRetrying(
        stop=stop_after_attempt(most + 1),
        wait=_Wait(retries),
        retry=retry_if_exception(lambda error: status_code(error) in retries.status_codes and not isinstance(error, Refused)),
        reraise=True,
    ):
        with state:
            number = state.retry_state.attempt_number - 1
            if number == 0:
                raise first
            return await attempt(number)
    raise AssertionError("tenacity ends with a result or an error")


class _Wait:
    """initialBackoff x multiplier^k, at least the provider's Retry-After, at most maxBackoff; all in seconds."""

    def __init__(self, retries: Retries) -> None:
        self.longest = retries.max_backoff
        self.schedule = wait_exponential(
            multiplier=retries.initial_backoff, exp_base=retries.multiplier, max=retries.max_backoff
        )

    def __call__(self, state: RetryCallState) -> float:
        error = state.outcome.exception() if state.outcome else None
        return min(self.longest, max(self.schedule(state), retry_after(error)))


def retry_after(error: Any) -> float:
    """Return the seconds of a provider's Retry-After, as a number or a date (RFC 9110, 10.2.3); 0 without one."""
    for headers in (
        getattr(getattr(error, "response", None), "headers", None),
        getattr(error, "litellm_response_headers", None),
        getattr(error, "headers", None),
    ):
        value = headers.get("retry-after") if headers else None
        if value is not None:
            return max(0.0, _seconds(str(value)))
    return 0.0


def _seconds(value: str) -> float:
    from datetime import UTC, datetime

    try:
        return float(value)
    except ValueError:
        pass
    try:
        return (parsedate_to_datetime(value) - datetime.now(UTC)).total_seconds()
    except (TypeError, ValueError):
        return 0.0
