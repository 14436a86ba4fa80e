from __future__ import annotations

import itertools
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import httpx
import pytest

from langop_model.contract.settings import Retries
from langop_model.gateway.limits.admission import RateLimitTimeoutError
from langop_model.gateway.routing import backoff
from langop_model.gateway.routing.causes import Refused
from tests.unit.gateway.virtual_time import run

CODES = frozenset({429, 503})


def _failure(status: int, **headers: str) -> Exception:
    request = httpx.Request("POST", "http://provider")
    return httpx.HTTPStatusError("failed", request=request, response=httpx.Response(status, headers=headers, request=request))


def _attempts(retries: Retries, most: int, *failures: Exception) -> list[float]:
    """Return when each attempt was made; the first ones end with `failures`, all others succeed."""
    made: list[float] = []

    async def scene(clock: Callable[[], float]) -> None:
        async def attempt(number: int) -> str:
            made.append(round(clock(), 2))
            assert number == len(made) - 1
            if number < len(failures):
                raise failures[number]
            return "answer"

        await backoff.call(attempt, retries, most)

    run(scene)
    return made


def _retries(**fields: Any) -> Retries:
    return Retries(**{"attempts": 5, "status_codes": CODES, "initial_backoff": 1, "max_backoff": 10, "multiplier": 2, **fields})


def _waits(made: list[float]) -> list[float]:
    return [round(after - before, 2) for before, after in itertools.pairwise(made)]


@pytest.mark.parametrize(
    ("retries", "waits"),
    [
        (_retries(), [1, 2, 4, 8, 10]),
        (_retries(multiplier=1), [1, 1, 1, 1, 1]),
        (_retries(initial_backoff=0.25, multiplier=3, max_backoff=5), [0.25, 0.75, 2.25, 5, 5]),
        (_retries(initial_backoff=30, max_backoff=2), [2, 2, 2, 2, 2]),
        (_retries(multiplier=1.5), [1, 1.5, 2.25, 3.38, 5.06]),
    ],
)
def test_waits_grow_by_the_multiplier_up_to_the_longest(retries: Retries, waits: list[float]):
    assert _waits(_attempts(retries, 5, *[_failure(503)] * 5)) == pytest.approx(waits, abs=0.02)


@pytest.mark.parametrize("most", [0, 1, 4])
def test_there_are_so_many_retries_and_then_the_last_error(most: int):
    failures = [_failure(503) for _ in range(most)] + [_failure(429)]
    made: list[int] = []

    async def scene(_: Any) -> None:
        async def attempt(number: int) -> None:
            made.append(number)
            raise failures[number]

        await backoff.call(attempt, _retries(), most)

    with pytest.raises(httpx.HTTPStatusError) as raised:
        run(scene)
    assert raised.value is failures[-1]
    assert len(made) == most + 1


def test_what_is_not_listed_is_not_retried():
    with pytest.raises(httpx.HTTPStatusError):
        _attempts(_retries(), 5, _failure(500))


def test_a_refusal_of_the_gateway_is_not_retried():
    with pytest.raises(Refused):
        _attempts(_retries(), 5, Refused("model", RateLimitTimeoutError("rateLimits.requestsPerMinute", 1)))


@pytest.mark.parametrize(
    ("value", "wait"), [("5", 5), ("0.5", 1), ("300", 10), ("soon", 1), ("-3", 1), ("nan", 1), ("inf", 10)]
)
def test_retry_after_is_the_least_wait_and_the_longest_backoff_the_most(value: str, wait: float):
    assert _waits(_attempts(_retries(), 1, _failure(429, **{"retry-after": value}))) == pytest.approx([wait], abs=0.02)


def test_retry_after_may_be_a_date():
    when = format_datetime(datetime.now(UTC) + timedelta(seconds=7), usegmt=True)
    (wait,) = _waits(_attempts(_retries(), 1, _failure(429, **{"retry-after": when})))
    assert 5 <= wait <= 7
    past = format_datetime(datetime.now(UTC) - timedelta(hours=1), usegmt=True)
    assert _waits(_attempts(_retries(), 1, _failure(429, **{"retry-after": past}))) == pytest.approx([1], abs=0.02)
