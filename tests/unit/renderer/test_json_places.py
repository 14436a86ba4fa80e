"""A field of a JSON text is where YAML's parser finds it, for JSON is YAML."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from langop_model.renderer import json_places, yaml_source
from langop_model.renderer.source import walk

words = st.text('ab"\\:,[]{} é', max_size=4)
values = st.recursive(
    st.none() | st.booleans() | st.integers() | words,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(words, inner, max_size=3),
    max_leaves=10,
)
containers = st.lists(values, max_size=3) | st.dictionaries(words, values, max_size=3)


@given(containers, st.sampled_from([None, 1, 2, "\t"]), st.booleans())
def test_every_field_is_where_yaml_finds_it(value: Any, indent: int | str | None, ascii_only: bool):
    text = json.dumps(value, indent=indent, ensure_ascii=ascii_only)
    for path, _ in walk(value):
        for length in range(len(path) + 1):
            part = path[:length]
            place = yaml_source.locate(text, 0, part)
            assert json_places.locate(text, part) == json_places.locate(text, part, exists=True) == place


@pytest.mark.parametrize(
    ("path", "place"),
    [
        ((), (2, 1)),
        (("b",), (3, 3)),
        (("b", 1), (3, 12)),
        (("b", 5), (3, 3)),
        (("b", "x"), (3, 3)),
        (("c", "d", "e"), (4, 11)),
        (("none",), (2, 1)),
    ],
)
def test_what_is_not_there_is_where_its_nearest_parent_is(path: tuple[str | int, ...], place: tuple[int, int]):
    text = '\n{"a": "}]",\r\n  "b": [1, {"x": []}],\n  "c" : { "d" : null }}'
    assert json_places.locate(text, path) == place == yaml_source.locate(text, 0, path)


@pytest.mark.parametrize("text", ["{", '{"a"', '{"a" 1}', '{"x": 1 "a": 2}', "[1 2]", "{a: 1}"])
def test_what_is_no_json_is_refused(text: str):
    with pytest.raises(ValueError, match=r".+"):
        json_places.locate(text, ("a",) if text[0] == "{" else (1,))


@pytest.mark.parametrize(
    "text",
    [
        '{"spec": {"timeout": 1}, "metadata": {"name": "timeout"}}',
        '{"metadata": {"timeout": 1}, "spec": {"timeout": 1}}',
        '{"metadata": {"name": "\\"timeout\\""}, "spec": {"timeout": 1}}',
        '{"spec": {"time\\u006fut": 1}, "metadata": {"name": "timeout"}}',
    ],
)
def test_a_key_that_may_be_in_two_places_is_looked_for(text: str):
    path = ("spec", "timeout")
    assert json_places.locate(text, path, exists=True) == yaml_source.locate(text, 0, path)


def test_a_key_in_one_place_needs_no_parser(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(json_places, "_walked", lambda *_: pytest.fail("it is looked for from the start"))
    assert json_places.locate('{"spec": {\n  "timeout": 1}}', ("spec", "timeout"), exists=True) == (2, 3)
