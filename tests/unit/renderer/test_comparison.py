"""What differs between two configurations, by places that people recognise."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from langop_model.renderer.comparison import compare


def changes(before: dict[str, Any], after: dict[str, Any]) -> list[str]:
    return [str(change) for change in compare(before, after)]


def with_deployments(**weights: int) -> dict[str, Any]:
    return {
        "model_list": [{"model_info": {"id": name}, "litellm_params": {"weight": weight}} for name, weight in weights.items()]
    }


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
)


@given(st.dictionaries(st.text(), values, max_size=3))
def test_a_configuration_does_not_differ_from_itself(config: dict[str, Any]):
    assert changes(config, config) == []


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ({"a": {"b": 1}}, {"a": {"b": 2}}, ["~ a.b: 1 -> 2"]),
        ({"x": 1}, {"x": 1, "a": {"b": 1}}, ["+ a.b: 1"]),
        ({"a": [1, 2]}, {"a": [1]}, ["- a[1]: 2"]),
        ({"x": 1, "a": None}, {"x": 1}, ["- a: None"]),
        ({"a": 1}, {"a": True}, ["~ a: 1 -> True"]),
        ({"a": 1}, {"a": 1.0}, ["~ a: 1 -> 1.0"]),
        ({"a": "1"}, {"a": 1}, ["~ a: 1 -> 1"]),
    ],
)
def test_a_place_that_differs_is_told(before: dict[str, Any], after: dict[str, Any], expected: list[str]):
    assert changes(before, after) == expected


def test_a_deployment_is_known_by_its_id_and_not_by_its_position():
    assert changes(with_deployments(east=1, west=2), with_deployments(west=2, east=3)) == [
        "~ model_list[east].litellm_params.weight: 1 -> 3"
    ]


def test_a_deployment_without_an_id_is_known_by_its_position():
    assert changes({"model_list": [{"model_name": "a"}]}, {"model_list": [{"model_name": "b"}]}) == [
        "~ model_list[0].model_name: a -> b"
    ]


@pytest.mark.parametrize(
    "entry",
    [
        {"model_info": None},
        {"model_info": "x"},
        {"model_info": [1]},
        "x",
        None,
        {"model_info": {"id": None}},
        {"model_info": {"id": ["x"]}},
    ],
)
def test_an_invalid_configuration_can_be_compared(entry: Any):
    config = {"model_list": [entry, {"model_info": {"id": "a"}}]}
    assert changes(config, config) == []
    assert changes(config, {}) != []


@pytest.mark.parametrize("model_list", [None, {}, "x", 5, {"a": 1}, [[1]]])
def test_a_list_of_models_of_another_shape_can_be_compared(model_list: Any):
    assert changes({"model_list": model_list}, {"model_list": []}) != [] or model_list in ({}, [])
