"""A deployment that states a price has no other."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

import litellm
import pytest
from litellm.router import Router

from langop_model.gateway.internals import prices

LISTED = "vertex_ai/gemini-2.5-pro"  # its list has prices for cached tokens, for long questions and for service tiers


@pytest.fixture(autouse=True)
def price_list(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(litellm, "model_cost", copy.deepcopy(litellm.model_cost))
    for name in prices.INHERITED:
        monkeypatch.setattr(Router, name, Router.__dict__[name])
    yield
    litellm.utils._invalidate_model_cost_lowercase_map()


def costs(**parameters: Any) -> dict[str, float]:
    """Return the prices above zero of a deployment with these parameters."""
    entry = {"model": LISTED, "api_key": "not-needed", **parameters}
    Router(model_list=[{"model_name": "m", "litellm_params": entry, "model_info": {"id": "only-a-test"}}])
    return {name: value for name, value in litellm.model_cost["only-a-test"].items() if "cost" in name and value}


def test_litellm_adds_prices_of_its_list():
    assert "cache_read_input_token_cost" in costs(input_cost_per_token=0, output_cost_per_token=0)


def test_a_price_of_zero_is_zero_for_every_kind_of_token():
    prices.install()
    assert costs(input_cost_per_token=0, output_cost_per_token=0) == {}


def test_stated_prices_are_the_only_ones():
    prices.install()
    stated = {"input_cost_per_token": 0.5, "output_cost_per_token": 1.5, "cache_read_input_token_cost": 0.5}
    assert costs(**stated) == stated
