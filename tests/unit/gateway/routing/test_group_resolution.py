"""Which groups a client means."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest

from langop_model.contract.settings import Endpoint, Group
from langop_model.gateway.routing.endpoints import Endpoints
from langop_model.gateway.routing.group_resolution import GroupNames, Resolved, SharedName


def a_group(name: str, *, internal: bool = False) -> Group:
    return Group(name, name, (Endpoint(f"{name}-0"),), internal=internal)


GROUPS = {
    **{name: a_group(name) for name in ("fixed", "all/*", "all/deep/*", "one", "two")},
    "fallback/x": a_group("fallback/x", internal=True),
}


@pytest.fixture
def names() -> GroupNames:
    return GroupNames(GROUPS, {"alias": "fixed"}, {"both": ("one", "two")})


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
def test_a_name_an_alias_or_the_longest_prefix_means_a_group(names: GroupNames, asked: str, group: str, model: str):
    resolved = names.resolve(asked)
    assert resolved is not None
    assert (resolved.groups, resolved.model) == ((group,), model)


@pytest.mark.parametrize("asked", ["", "all", "all/", "other/gpt-4o", "fixed/x", "fallback/x", "fixed-0"])
def test_any_other_name_is_not_served(names: GroupNames, asked: str):
    assert names.resolve(asked) is None


def test_a_shared_name_is_tried_in_turn(names: GroupNames):
    found = [names.resolve("both") for _ in range(2)]
    assert found == [Resolved(("one", "two"), "both"), Resolved(("two", "one"), "both")]


def test_clients_see_every_name_but_those_of_internal_groups(names: GroupNames):
    assert names.listed() == ["fixed", "one", "two", "alias", "both", "all/deep/*", "all/*"]


def test_a_group_is_as_slow_as_its_endpoints_are_on_average():
    slow = Endpoints(Group("slow", "slow", tuple(Endpoint(f"slow-{number}") for number in range(3))))
    slow.answered(slow.by_id["slow-0"], 1.0)
    slow.answered(slow.by_id["slow-1"], 4.0)
    name = SharedName([a_group("slow"), a_group("fresh")], "latency-based")
    name.next({"slow": slow, "fresh": Endpoints(a_group("fresh"))})
    assert {each: state.latency for each, state in name.members.by_id.items()} == {"slow": 2.5, "fresh": None}


def test_a_group_has_the_requests_of_all_its_endpoints():
    busy = Endpoints(Group("busy", "busy", (Endpoint("busy-0"), Endpoint("busy-1"))))
    for _ in range(3):
        busy.choose()
    name = SharedName([a_group("busy")])
    for _ in range(2):  # those that were chosen here are not added to them
        name.next({"busy": busy})
    assert name.members.by_id["busy"].in_flight == 4


def test_the_others_of_a_shared_name_come_by_priority_and_then_in_turn():
    groups = [replace(a_group(name), priority=priority) for name, priority in (("a", 0), ("b", 2), ("c", 1), ("d", 0))]
    shared = SharedName(groups)
    assert [shared.next({}) for _ in range(2)] == [("a", "d", "c", "b"), ("d", "a", "c", "b")]


def test_a_name_of_groups_that_are_not_served_means_the_others():
    names = GroupNames(GROUPS, {"stale": "gone"}, {"both": ("gone", "two"), "none": ("gone",)})
    assert names.resolve("both") == Resolved(("two",), "both")
    assert names.resolve("stale") is names.resolve("none") is None
    assert {"stale", "none"}.isdisjoint(names.listed())


def test_the_longest_prefix_is_the_most_specific_whatever_it_begins_with():
    names = GroupNames({name: a_group(name) for name in ("all/*", "all/#1/*", "all/~/*")}, {}, {})
    assert [names.resolve(f"all/{asked}") for asked in ("#1/x", "~/x", "x")] == [
        Resolved(("all/#1/*",), "x"),
        Resolved(("all/~/*",), "x"),
        Resolved(("all/*",), "x"),
    ]


def test_a_shared_name_has_the_strategy_that_it_is_given():
    heavy = {**GROUPS, "one": replace(GROUPS["one"], weight=3)}
    names = GroupNames(heavy, {}, {"both": ("one", "two")}, "weighted")
    assert Counter(found.groups[0] for _ in range(40) if (found := names.resolve("both"))) == {"one": 30, "two": 10}
