"""spec.costTracking: what 1,000 tokens cost, in the answer and in the metrics."""

from __future__ import annotations

import pytest

from tests.live.observed import ObservedGateway, question
from tests.support.waiting import eventually

COST = "langop_cost_usd_total"
QUESTION, ANSWER = 0.5, 1.5  # USD for 1,000 tokens, as the models `priced` and `cached` have it


def cost(laboratory: ObservedGateway, model: str, text: str) -> float:
    """Ask, and return the cost that the answer's header names."""
    answer = laboratory.post(model, text)
    assert answer.status_code == 200
    return float(answer.headers["x-langop-cost"])


def test_the_price_of_a_thousand_tokens_is_in_the_answers_header(observed: ObservedGateway):
    observed.provider.behave("priced", usage=(1000, 0))
    assert cost(observed, "priced", question()) == pytest.approx(QUESTION)
    observed.provider.behave("priced", usage=(0, 1000))
    assert cost(observed, "priced", question()) == pytest.approx(ANSWER)
    observed.provider.behave("priced", usage=(300, 200))
    assert cost(observed, "priced", question()) == pytest.approx(0.3 * QUESTION + 0.2 * ANSWER)


def test_the_cost_metric_grows_by_the_cost(observed: ObservedGateway):
    observed.provider.behave("priced", usage=(1000, 2000))
    before = observed.metric(COST, endpoint="priced/endpoint-0")
    for _ in range(3):
        observed.said("priced", question())
    spent = 3 * (QUESTION + 2 * ANSWER)
    assert eventually(
        lambda: observed.metric(COST, endpoint="priced/endpoint-0") - before, lambda grown: grown >= spent * 0.999
    ) == (pytest.approx(spent))


def test_the_cost_of_a_stream_is_in_the_cost_metric(observed: ObservedGateway):
    observed.provider.behave("priced", usage=(1000, 2000))
    before = observed.metric(COST, endpoint="priced/endpoint-0")
    observed.streamed("priced", question())
    spent = QUESTION + 2 * ANSWER
    assert eventually(
        lambda: observed.metric(COST, endpoint="priced/endpoint-0") - before, lambda grown: grown > 0
    ) == pytest.approx(spent)


def test_a_cached_answer_is_not_paid_twice(observed: ObservedGateway):
    text = question()
    before = observed.metric(COST, endpoint="cached/endpoint-0")
    hits = len(observed.lines("cached", 0, cache_hit=True))
    for _ in range(3):
        observed.said("cached", text)
    assert len(observed.lines("cached", hits + 2, cache_hit=True)) == hits + 2
    spent = eventually(lambda: observed.metric(COST, endpoint="cached/endpoint-0") - before, lambda grown: grown > 0)
    assert spent == pytest.approx((7 * QUESTION + 9 * ANSWER) / 1000)


def test_without_cost_tracking_litellms_price_list_counts(observed: ObservedGateway):
    observed.provider.behave("listed", usage=(1000, 1000))
    assert cost(observed, "gpt-4o", question()) == pytest.approx(0.0025 + 0.01)  # the list of the pinned LiteLLM


def test_disabled_cost_tracking_counts_nothing(observed: ObservedGateway):
    """Although the price list knows the model."""
    observed.provider.behave("listed-disabled", usage=(100_000, 100_000))
    assert cost(observed, "gpt-4o-mini", question()) == 0
    (line,) = observed.lines("gpt-4o-mini", 1, prompt_tokens=100_000)
    assert line["cost"] == 0
    assert observed.metric(COST, endpoint="listed-disabled/endpoint-0") == 0
