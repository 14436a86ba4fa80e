"""Which group a client means."""

from __future__ import annotations

import pytest

from langop_model.gateway.routing.names import InTurn, any_group, upstream_model


def test_groups_of_one_name_take_turns_and_the_others_come_next():
    groups = InTurn(["a", "b", "c"])
    assert [groups.next() for _ in range(4)] == [("a", "b", "c"), ("b", "c", "a"), ("c", "a", "b"), ("a", "b", "c")]


@pytest.mark.parametrize(
    ("model", "group"),
    [("all/gpt-4o", "all/*"), ("all/deep/model", "all/deep/*"), ("all", None), ("other/gpt-4o", None), ("fixed", None)],
)
def test_a_model_below_a_resources_name_is_for_the_longest_name_that_fits(model: str, group: str | None):
    assert any_group(model, {"all/*": 1, "all/deep/*": 1, "fixed": 1}) == group


@pytest.mark.parametrize(
    ("group", "model", "upstream"),
    [
        ("all/*", "all/gpt-4o", "openai/gpt-4o"),
        ("all/*", "all/meta/llama", "openai/meta/llama"),
        ("fixed", "fixed", "openai/*"),
    ],
)
def test_what_stands_below_the_name_is_the_providers_model(group: str, model: str, upstream: str):
    assert upstream_model("openai/*", group, model) == upstream
