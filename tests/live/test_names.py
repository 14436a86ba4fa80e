"""The names that clients may ask for: aliases, any model of a provider, and names that several resources share."""

from __future__ import annotations

from collections import Counter

from tests.live.laboratory import Laboratory, a_model, said

MODELS = {
    "named": a_model("named", aliases=["the-fast-one", "the-cheap-one"]),
    "any": a_model("any", modelName="*"),
    "shared-east": a_model("shared-east", modelName="shared-by-two"),
    "shared-west": a_model("shared-west", modelName="shared-by-two"),
    "torn-east": a_model("torn-east", modelName="torn-between-two"),
    "torn-west": a_model("torn-west", modelName="torn-between-two"),
}


def test_a_model_answers_to_its_aliases(laboratory: Laboratory):
    for alias in ("the-fast-one", "the-cheap-one"):
        assert said(laboratory.ask(alias)).startswith("You said")
    assert [seen.body["model"] for seen in laboratory.seen("named")] == ["named", "named"]


def test_any_model_of_a_provider_is_asked_for_below_the_resources_name(laboratory: Laboratory):
    for model in ("gpt-4o", "meta-llama/llama-3"):
        assert said(laboratory.ask(f"any/{model}")).startswith("You said")
    assert [seen.body["model"] for seen in laboratory.seen("any")] == ["gpt-4o", "meta-llama/llama-3"]


def test_requests_for_a_shared_name_are_divided_evenly(laboratory: Laboratory):
    assert Counter(answer.status_code for answer in laboratory.ask_often("shared-by-two", 10)) == {200: 10}
    assert laboratory.shares("shared-east", "shared-west") == {"shared-east": 5, "shared-west": 5}


def test_a_resource_of_a_shared_name_is_asked_for_by_its_own(laboratory: Laboratory):
    before = laboratory.shares("shared-west")["shared-west"]
    for _ in range(3):
        said(laboratory.ask("shared-west"))
    assert laboratory.shares("shared-west")["shared-west"] == before + 3


def test_where_one_resource_of_a_shared_name_fails_the_other_answers(laboratory: Laboratory):
    laboratory.provider.behave("torn-east", status=500)
    assert Counter(answer.status_code for answer in laboratory.ask_often("torn-between-two", 6)) == {200: 6}
    assert laboratory.shares("torn-west")["torn-west"] == 6


def test_the_names_are_listed(laboratory: Laboratory):
    listed = {entry["id"] for entry in laboratory.client.get(f"{laboratory.gateway.url}/v1/models").json()["data"]}
    assert {"named", "the-fast-one", "shared-by-two", "shared-east"} <= listed
