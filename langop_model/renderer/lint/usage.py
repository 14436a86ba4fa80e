"""Rules about tokens: what they cost, and how many there may be."""

from __future__ import annotations

from collections.abc import Iterator

from langop_model.renderer.lint.rule import Problem, problem
from langop_model.renderer.plan import Model

PRICES = {"inputTokenCost": "input_cost_per_token", "outputTokenCost": "output_cost_per_token"}
ANSWER_LIMITS = ("max_tokens", "max_completion_tokens")  # LiteLLM's names of what one answer may use


def one_price(model: Model) -> Iterator[Problem]:
    """The cost of a request is that of the question and of the answer: with one price, figures look right and are too low."""
    cost = model.spec.get("costTracking", {})
    given = [field for field, name in PRICES.items() if field in cost or name in model.parameters]
    if cost.get("enabled") and len(given) == 1:
        (missing,) = PRICES.keys() - given
        yield problem("spec", "costTracking", *(name for name in given if name in cost), given=given[0], missing=missing)


def answer_above_limit(model: Model) -> Iterator[Problem]:
    """One answer may use more tokens than a minute has.

    Where answers become that long, a request is let in only while no other is in flight.
    """
    limit = model.spec.get("rateLimits", {}).get("tokensPerMinute")
    named = [model.parameters[name] for name in ANSWER_LIMITS if isinstance(model.parameters.get(name), int)]
    most = max([*named, *([] if named else [model.spec.get("configuration", {}).get("maxTokens", 0)])])
    if limit is not None and most > limit:
        yield problem("spec", "rateLimits", "tokensPerMinute", limit=limit, most=most)
