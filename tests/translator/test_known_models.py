"""Models that LiteLLM does not list."""

from __future__ import annotations

from collections.abc import Iterator

import litellm
import pytest

from langop_model.translator import known_models


@pytest.fixture(autouse=True)
def its_list_as_it_was(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    before = dict(litellm.model_cost)
    monkeypatch.setattr(known_models, "_seen", set())
    yield
    litellm.model_cost.clear()
    litellm.model_cost.update(before)


def test_an_unknown_model_is_added_next_to_free():
    known_models.add("team-model-7", "anthropic")
    assert litellm.get_model_info("team-model-7", "anthropic")["input_cost_per_token"] == known_models.NEXT_TO_NOTHING


def test_what_an_unknown_model_takes_stays():
    def takes() -> set[str]:
        return set(litellm.get_supported_openai_params("team-model-8", custom_llm_provider="anthropic") or ())

    before = takes()
    known_models.add("team-model-8", "anthropic")
    assert takes() == before


def test_a_listed_model_keeps_its_price():
    before = litellm.get_model_info("gpt-4o", "openai")["input_cost_per_token"]
    known_models.add("gpt-4o", "openai")
    assert litellm.get_model_info("gpt-4o", "openai")["input_cost_per_token"] == before > known_models.NEXT_TO_NOTHING


def test_clients_that_name_models_do_not_fill_the_list(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(known_models, "_seen", {(str(number), "openai") for number in range(known_models.MAX_MODELS)})
    known_models.add("one-too-many", "openai")
    assert "openai/one-too-many" not in litellm.model_cost
