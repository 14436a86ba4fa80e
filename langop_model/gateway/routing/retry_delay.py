"""The waits between attempts: exponential, at least what the provider asks for, at most the policy's longest."""

from __future__ import annotations

from langop_model.contract.settings import Retries


def delay(retries: Retries, number: int, retry_after: float | None) -> float:
    """Return the seconds before retry `number`, from 1: initialBackoff x multiplier^(number - 1) and no more than maxBackoff.

    A provider's Retry-After makes it longer, up to maxBackoff.
    """
    try:
        wait = retries.initial_backoff * retries.multiplier ** (number - 1)
    except OverflowError:
        wait = retries.max_backoff
    return min(retries.max_backoff, max(wait, retry_after or 0.0))
