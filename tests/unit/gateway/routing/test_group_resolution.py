"""Which groups a client means."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest

from langop_model.contract.settings import Endpoint, Group
from langop_model.gateway.routing.endpoints import Endpoints
from langop_model.gateway.routing.group_resolution import GroupNames, SharedName


def a_group(name: str, *, internal: bool = False) -> Group:
    return Group(name, name, (Endpoint(f"{name}-0"),), internal=internal)


GROUPS = {
    **{name: a_group(name) for name in ("fixed", "all/*", "all/deep/*", "one", "two")},
    "fallback/x": a_group("fallback/x", internal=True),
}
NAMES = GroupNames(GROUPS, {"alias": "fixed"}, {"both": ("one", "two")})


def test_groups_of_one_name_take_turns_and_the_others_come_next():
    name = SharedName([a_group("a"), a_group("b"), a_group("c")])
    assert [name.next({}) for _ in range(4)] == [("a", "b", "c"), ("b", "c", "a"), ("c", "a", "b"), ("a", "b", "c")]


def test_groups_of_one_name_may_be_chosen_by_weight():
    heavy, light = replace(a_group("heavy"), weight=3), a_group("light")
    name = SharedName([heavy, light], "weighted")
    assert Counter(name.next({})[0] for _ in range(40)) == {"heavy": 30, "light": 10}


def test_of_one_name_the_highest_priority_comes_first():
    first, second = a_group("first"), replace(a_group("second"), priority=1)
    name = SharedName([second, first])
    assert [name.next({}) for _ in range(2)] == [("first", "second")] * 2


def test_the_least_busy_group_is_chosen():
    """Where the strategy says so."""
    busy, idle = Endpoints(a_group("busy")), Endpoints(a_group("idle"))
    busy.choose()
    name = SharedName([a_group("busy"), a_group("idle")], "least-connections")
    assert [name.next({"busy": busy, "idle": idle})[0] for _ in range(3)] == ["idle"] * 3


@pytest.mark.parametrize(
    ("asked", "group", "model"),
    [
        ("fixed", "fixed", "fixed"),
        ("alias", "fixed", "alias"),
        ("all/gpt-4o", "all/*", "gpt-4o"),
        ("all/meta/llama", "all/*", "meta/llama"),
        ("all/deep/model", "all/deep/*", "model"),
    ],
)
def test_a_name_an_alias_or_the_longest_prefix_means_a_group(asked: str, group: str, model: str):
    resolved = NAMES.resolve(asked)
    assert resolved is not None
    assert (resolved.groups, resolved.model) == ((group,), model)


@pytest.mark.parametrize("asked", ["", "all", "all/", "other/gpt-4o", "fixed/x", "fallback/x", "fixed-0"])
def test_any_other_name_is_not_served(asked: str):
    assert NAMES.resolve(asked) is None


def test_a_shared_name_is_tried_in_turn():
    assert [found.groups for _ in range(2) if (found := NAMES.resolve("both"))] == [("one", "two"), ("two", "one")]


def test_clients_see_every_name_but_those_of_internal_groups():
    assert NAMES.listed() == ["fixed", "one", "two", "alias", "both", "all/deep/*", "all/*"]
