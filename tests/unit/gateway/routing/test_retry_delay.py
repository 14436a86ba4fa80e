"""The waits before retries."""

from __future__ import annotations

import pytest

from langop_model.contract.settings import Retries
from langop_model.gateway.routing.retry_delay import delay

POLICY = Retries(attempts=9, initial_backoff=2.0, max_backoff=60.0, multiplier=3.0)


@pytest.mark.parametrize(("number", "seconds"), [(1, 2), (2, 6), (3, 18), (4, 54), (5, 60)])
def test_a_wait_grows_by_the_multiplier_up_to_the_longest(number: int, seconds: float):
    assert delay(POLICY, number, None) == seconds


@pytest.mark.parametrize(("retry_after", "seconds"), [(0.0, 6), (5.0, 6), (7.0, 7), (61.0, 60)])
def test_retry_after_makes_a_wait_longer_up_to_the_longest(retry_after: float, seconds: float):
    assert delay(POLICY, 2, retry_after) == seconds


def test_without_retry_after_a_wait_may_be_shorter_than_a_second():
    assert delay(Retries(attempts=1, initial_backoff=0.25), 1, None) == 0.25


def test_a_wait_beyond_all_numbers_is_the_longest():
    assert delay(POLICY, 10_000, None) == 60
