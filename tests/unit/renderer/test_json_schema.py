"""jsonschema, set up for this project: faster where there are many properties, and otherwise the same."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from langop_model.renderer.json_schema import validator

SCHEMA = {
    "type": "object",
    "additionalProperties": False,
    "required": ["a"],
    "properties": {
        "a": {"type": "integer"},
        "b": {"type": "object", "properties": {"c": {"type": "string"}, "d": {"enum": [1, 2]}}},
        "e": {"type": "array", "items": {"properties": {"f": False}}},
    },
}
leaves = st.none() | st.integers(0, 3) | st.sampled_from(["x"])
instances = st.recursive(
    leaves,
    lambda inner: st.dictionaries(st.sampled_from("abcdefg"), inner, max_size=4) | st.lists(inner, max_size=2),
    max_leaves=8,
)


def errors(checker: Any, instance: Any) -> list[tuple[str, str]]:
    return sorted((str(list(error.absolute_path)), error.message) for error in checker.iter_errors(instance))


@given(instances)
def test_it_finds_what_jsonschema_finds(instance: Any):
    assert errors(validator(SCHEMA), instance) == errors(Draft202012Validator(SCHEMA), instance)


@pytest.mark.parametrize("instance", [{"a": 1, "b": {"c": 5}}, {"a": 1, "e": [{"f": 1}]}, {"a": "x"}])
def test_an_error_has_the_path_of_its_field(instance: dict[str, Any]):
    (mine,), (theirs,) = validator(SCHEMA).iter_errors(instance), Draft202012Validator(SCHEMA).iter_errors(instance)
    assert list(mine.absolute_path) == list(theirs.absolute_path)
