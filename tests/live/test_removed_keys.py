"""Broken on purpose: what the other tests show comes from the rendered keys, and is gone when a key is taken out."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.live.laboratory import Edited, Laboratory, a_model, gaps, most_in_flight, statuses

BACKOFF = {"maxAttempts": 2, "initialBackoff": "200ms", "backoffMultiplier": 2}

MODELS = {
    "removed-requests": a_model("removed-requests", rateLimits={"requestsPerMinute": 3}, timeout="20s"),
    "removed-tokens": a_model("removed-tokens", rateLimits={"tokensPerMinute": 50}, timeout="20s"),
    "removed-slots": a_model("removed-slots", rateLimits={"concurrentRequests": 2}),
    "removed-retries": a_model("removed-retries", retryPolicy=BACKOFF),
    "removed-fallbacks": a_model("removed-fallbacks", fallbacks=[{"modelRef": "removed-refuge"}]),
    "removed-refuge": a_model("removed-refuge"),
}


def requests_are_limited(laboratory: Laboratory) -> None:
    assert statuses(laboratory.ask_often("removed-requests", 6)) == {200: 3, 429: 3}


def tokens_are_limited(laboratory: Laboratory) -> None:
    laboratory.provider.behave("removed-tokens", usage=(20, 30))
    assert statuses(laboratory.ask_often("removed-tokens", 6, at_once=6)) == {200: 1, 429: 5}


def requests_at_once_are_limited(laboratory: Laboratory) -> None:
    laboratory.provider.behave("removed-slots", delay=0.3)
    laboratory.ask_often("removed-slots", 8, at_once=8)
    assert most_in_flight(laboratory.seen("removed-slots")) == 2


def failures_are_retried(laboratory: Laboratory) -> None:
    laboratory.provider.behave("removed-retries", statuses=[503, 503])
    assert laboratory.ask("removed-retries").status_code == 200
    assert [gap > wait for gap, wait in zip(gaps(laboratory.seen("removed-retries")), (0.19, 0.39), strict=True)] == [
        True,
        True,
    ]


def failures_fall_back(laboratory: Laboratory) -> None:
    laboratory.provider.behave("removed-fallbacks", status=500)
    assert laboratory.ask("removed-fallbacks").status_code == 200


PROMISES: list[Callable[[Laboratory], None]] = [
    requests_are_limited,
    tokens_are_limited,
    requests_at_once_are_limited,
    failures_are_retried,
    failures_fall_back,
]


@pytest.fixture(scope="module")
def without_keys(laboratory: Laboratory, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Laboratory]:
    def edit(section: dict[str, Any]) -> None:
        for key in ("limits", "retries", "fallbacks", "health_check"):
            section.pop(key, None)

    with Edited(laboratory.gateway, tmp_path_factory.mktemp("without-keys"), edit) as gateway:
        yield Laboratory(gateway, laboratory.provider)


@pytest.mark.parametrize("promise", PROMISES)
def test_a_promise_is_kept_with_its_key_and_broken_without(
    laboratory: Laboratory, without_keys: Laboratory, promise: Callable[[Laboratory], None]
):
    promise(laboratory)
    with pytest.raises(AssertionError):
        promise(without_keys)
