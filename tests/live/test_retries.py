"""spec.retryPolicy: how often, how long between, and for which failures."""

from __future__ import annotations

from typing import Any

import pytest

from tests.live.laboratory import NOBODY, Laboratory, a_model, at, balanced, gaps, said

TOLERANCE = 0.4  # of a wait or of a ratio: what a busy machine adds
STATUSES = [400, 401, 403, 404, 408, 409, 429, 500, 501, 502, 503, 504, 520, 529]
SOME = [408, 429, 502, 529]
OTHERS = [400, 401, 403, 409, 500, 501, 503, 504, 520]


def _retries(label: str, attempts: int = 3, first: str = "10ms", **fields: Any) -> dict[str, Any]:
    policy = {"maxAttempts": attempts, "initialBackoff": first, "maxBackoff": "800ms", **fields}
    return a_model(label, retryPolicy=policy)


def _anthropic(label: str, codes: list[int]) -> dict[str, Any]:
    policy = {"maxAttempts": 1, "initialBackoff": "10ms", "retryableStatusCodes": codes}
    return {"provider": "anthropic", "endpoint": at(label, ""), "retryPolicy": policy}


MODELS = {
    **{f"attempts-{number}": _retries(f"attempts-{number}", number) for number in (0, 1, 3)},
    "no-policy": a_model("no-policy"),
    "backoff": _retries("backoff", 3, "200ms", backoffMultiplier=3),
    "backoff-steady": _retries("backoff-steady", 3, "300ms", backoffMultiplier=1),
    "retry-some": _retries("retry-some", 1, retryableStatusCodes=SOME),
    "retry-others": _retries("retry-others", 1, retryableStatusCodes=OTHERS),
    "retry-claude-some": _anthropic("retry-claude-some", SOME),
    "retry-claude-others": _anthropic("retry-claude-others", OTHERS),
    "retry-dropped": _retries("retry-dropped", 1, retryableStatusCodes=[503]),
    "retry-dropped-not": _retries("retry-dropped-not", 1, retryableStatusCodes=[500]),
    "retry-timeout": {**_retries("retry-timeout", 1, retryableStatusCodes=[408]), "timeout": "400ms"},
    "retry-after": _retries("retry-after", 1),
    "retry-after-long": _retries("retry-after-long", 1),
    "retry-stream": _retries("retry-stream", 2),
    "retry-limited": {**_retries("retry-limited", 2), "timeout": "400ms", "rateLimits": {"requestsPerMinute": 2}},
    "retry-elsewhere": balanced("retry-elsewhere-a", {"url": NOBODY}, "retry-elsewhere-c"),
}


@pytest.mark.parametrize(("model", "attempts"), [("attempts-0", 0), ("attempts-1", 1), ("attempts-3", 3), ("no-policy", 0)])
def test_a_request_is_retried_so_often(laboratory: Laboratory, model: str, attempts: int):
    laboratory.provider.behave(model, status=503)
    assert laboratory.ask(model).status_code == 503
    assert len(laboratory.seen(model)) == attempts + 1


def test_a_retry_that_succeeds_is_the_answer(laboratory: Laboratory):
    laboratory.provider.behave("retry-stream", statuses=[503, 429])
    assert said(laboratory.ask("retry-stream", "Hello")) == "You said: Hello"
    assert len(laboratory.seen("retry-stream")) == 3


def test_a_stream_is_retried_before_it_has_begun(laboratory: Laboratory):
    before = len(laboratory.seen("retry-stream"))
    laboratory.provider.behave("retry-stream", statuses=[500, 503])
    assert laboratory.ask("retry-stream", stream=True).text.rstrip().endswith("data: [DONE]")
    assert len(laboratory.seen("retry-stream")) == before + 3


def test_waits_grow_by_the_multiplier_up_to_the_longest(laboratory: Laboratory):
    laboratory.provider.behave("backoff", status=503)
    laboratory.ask("backoff")
    measured = gaps(laboratory.seen("backoff"))
    _are_at_least(measured, [0.2, 0.6, 0.8])
    assert measured[1] / measured[0] == pytest.approx(3, rel=TOLERANCE)
    assert measured[2] / measured[1] == pytest.approx(0.8 / 0.6, rel=TOLERANCE)


def test_a_multiplier_of_one_keeps_the_waits_equal(laboratory: Laboratory):
    laboratory.provider.behave("backoff-steady", status=503)
    laboratory.ask("backoff-steady")
    measured = gaps(laboratory.seen("backoff-steady"))
    _are_at_least(measured, [0.3] * 3)
    assert max(measured) / min(measured) == pytest.approx(1, rel=TOLERANCE)


def _are_at_least(measured: list[float], expected: list[float]) -> None:
    assert len(measured) == len(expected)
    for gap, wait in zip(measured, expected, strict=True):
        assert gap > wait * 0.97  # timers of two processes


@pytest.mark.parametrize("provider", ["retry", "retry-claude"])
@pytest.mark.parametrize("status", STATUSES)
def test_only_the_listed_status_codes_are_retried(laboratory: Laboratory, provider: str, status: int):
    retried = []
    for model, codes in ((f"{provider}-some", SOME), (f"{provider}-others", OTHERS)):
        before = len(laboratory.seen(model))
        laboratory.provider.behave(model, status=status)
        assert laboratory.ask(model).status_code >= 400
        retried.append((len(laboratory.seen(model)) - before == 2, status in codes))
    assert [was for was, _ in retried] == [should for _, should in retried]


def test_a_422_is_an_error_and_no_empty_answer(laboratory: Laboratory):
    laboratory.provider.behave("no-policy", status=422)
    assert laboratory.ask("no-policy").status_code == 422
    laboratory.provider.behave("no-policy")


def test_a_lost_connection_counts_as_503(laboratory: Laboratory):
    for model, times in (("retry-dropped", 2), ("retry-dropped-not", 1)):
        laboratory.provider.behave(model, disconnect=True)
        laboratory.ask(model)
        assert len(laboratory.seen(model)) == times


def test_a_timeout_counts_as_408(laboratory: Laboratory):
    laboratory.provider.behave("retry-timeout", statuses=["hang"])
    assert laboratory.ask("retry-timeout").status_code == 200
    assert len(laboratory.seen("retry-timeout")) == 2


def test_a_retry_after_a_timeout_may_wait_for_the_limits_anew(laboratory: Laboratory):
    laboratory.provider.behave("retry-limited", statuses=["hang"])
    assert laboratory.ask("retry-limited").status_code == 200
    assert laboratory.ask("retry-limited").status_code == 429
    assert len(laboratory.seen("retry-limited")) == 2


def test_retry_after_is_waited_for(laboratory: Laboratory):
    laboratory.provider.behave("retry-after", statuses=[429], retry_after=0.5)
    assert laboratory.ask("retry-after").status_code == 200
    _are_at_least(gaps(laboratory.seen("retry-after")), [0.5])


def test_retry_after_is_cut_at_the_longest_backoff(laboratory: Laboratory):
    laboratory.provider.behave("retry-after-long", statuses=[503], retry_after=30)
    assert laboratory.ask("retry-after-long").status_code == 200
    (gap,) = gaps(laboratory.seen("retry-after-long"))
    assert 0.8 * 0.97 < gap < 15


def test_an_attempt_asks_each_endpoint_before_it_has_failed(laboratory: Laboratory):
    laboratory.provider.behave("retry-elsewhere-a", status=500)
    assert [answer.status_code for answer in laboratory.ask_often("retry-elsewhere", 6)] == [200] * 6
    assert laboratory.shares("retry-elsewhere-c")["retry-elsewhere-c"] == 6
