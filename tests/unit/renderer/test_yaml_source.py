"""YAML is read as the Kubernetes API server reads it, and nothing in it can harm or surprise."""

from __future__ import annotations

import datetime
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from langop_model.renderer import yaml_source
from langop_model.renderer.findings import Finding, SpecError
from tests.conftest import ROOT


def value_of(text: str) -> Any:
    (value,) = yaml_source.parse("spec.yaml", text)
    return value


def refused(text: str) -> Finding:
    with pytest.raises(SpecError) as caught:
        yaml_source.parse("spec.yaml", text)
    (finding,) = caught.value.findings
    return finding


@pytest.mark.parametrize(
    "text",
    [
        "2024-10-21",
        "2024-10-21T10:00:00Z",
        "12:30:00",
        "1:30",
        "1_000",
        "0b101",
        "0o17",
        "1.2.3",
        "1.5.",
        "+",
        ".",
        "e5",
        "1e",
        "0x",
        "=",
        "5m",
    ],
)
def test_a_scalar_that_only_yaml_1_1_finds_special_is_text(text: str):
    assert value_of(f"field: {text}") == {"field": text}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1e3", 1000.0), ("1E+3", 1000.0), ("1.5", 1.5), (".5", 0.5), ("-.5", -0.5), ("1.", 1.0), ("1.5e-3", 0.0015),
        ("0", 0), ("-1", -1), ("+1", 1), ("42", 42), ("0x1f", 31), ("-0x1F", -31), ("017", 15),
        ("true", True), ("False", False), ("yes", True), ("off", False), ("null", None), ("~", None), ("", None),
    ],
)  # fmt: skip
def test_a_scalar_is_read_as_the_api_server_reads_it(text: str, expected: Any):
    assert repr(value_of(f"field: {text}")) == repr({"field": expected})


@pytest.mark.parametrize("text", ["yes", "1", "1.5", "null", "2024-10-21"])
def test_a_quoted_scalar_is_text(text: str):
    assert value_of(f"field: '{text}'") == {"field": text}


def test_anchors_and_merge_keys_are_expanded():
    assert value_of("a: &a {x: 1, y: 2}\nb: {<<: *a, y: 3}\nc: *a\n") == {
        "a": {"x": 1, "y": 2},
        "b": {"x": 1, "y": 3},
        "c": {"x": 1, "y": 2},
    }


def test_a_file_of_yaml_1_2_is_read():
    assert value_of("%YAML 1.2\n---\na: 1\n...\n") == {"a": 1}


@pytest.mark.parametrize(
    ("text", "line", "column"), [("a: 1\na: 2", 2, 1), ("- {b: 1, 'b': 2}", 1, 10), ("x:\n  y:\n    k: 1\n    k: 1", 4, 5)]
)
def test_a_key_that_stands_twice_is_refused(text: str, line: int, column: int):
    finding = refused(text)
    assert (finding.code, finding.line, finding.column) == ("LM006", line, column)


@pytest.mark.parametrize("key", ["42", "1.5", "true", "yes", "null", "~"])
def test_a_key_that_is_no_text_is_refused(key: str):
    assert refused(f"a:\n  {key}: x").code == "LM013"


@pytest.mark.parametrize("key", ["[a, b]", "{a: b}"])
def test_a_key_that_is_a_list_or_an_object_is_refused(key: str):
    assert refused(f"? {key}\n: x").code == "LM016"


def test_an_alias_bomb_is_refused():
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 12)]
    assert refused("\n".join(lines)).code == "LM007"


@pytest.mark.parametrize("text", ["a: &a [*a]", "a: &a {b: *a}", "a: &a {<<: *a}", "&a [*a, *a]", "a: &a [{b: [*a]}]"])
def test_an_alias_to_what_holds_it_is_refused(text: str):
    assert refused(text).code == "LM007"


def test_an_alias_to_nothing_is_refused():
    assert refused("a: *b").code == "LM005"


@pytest.mark.parametrize(
    "text",
    [
        "!!python/object/apply:os.system [id]",
        "!!python/name:os.system",
        "!!python/tuple [1]",
        "!local x",
        "!<tag:example.com,2024:x> y",
        "!!map x",
        "!!seq x",
    ],
)
def test_a_tag_that_no_specification_needs_is_refused(text: str):
    assert refused(f"field: {text}").code == "LM016"


@pytest.mark.parametrize(
    "tag",
    ["bool", "int", "float", "null", "timestamp", "binary", "set", "omap", "pairs", "map", "seq", "str", "merge", "value"],
)
@pytest.mark.parametrize("content", ["abc", '""', "[a]", "{a: b}", "[{a: 1}]", "2024-99-99", "ä", "-", "1:2:3"])
def test_a_tag_that_does_not_fit_its_value_is_no_crash(tag: str, content: str):
    try:
        values = yaml_source.parse("spec.yaml", f"field: !!{tag} {content}\n")
    except SpecError as problem:
        assert problem.findings[0].code in {"LM005", "LM006", "LM007", "LM013", "LM016"}  # noqa: PT017
    else:
        assert len(values) == 1


@pytest.mark.parametrize(
    "text", ["!!timestamp 2024-10-21", "!!binary aGVsbG8=", "!!set {a, b}", "!!omap [a: 1]", "!!pairs [a: 1]"]
)
def test_a_value_that_json_can_not_hold_is_refused(text: str):
    assert refused(f"field: {text}").code == "LM016"


def test_nothing_that_is_read_is_a_date():
    assert not isinstance(value_of("a: 2024-10-21")["a"], datetime.date)


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
        max_leaves=8,
    )
)
def test_what_yaml_writes_is_read(value: Any):
    assert value_of(yaml.safe_dump({"field": value}, allow_unicode=True)) == {"field": value}


def test_a_place_in_what_is_no_yaml_is_unknown():
    assert yaml_source.locate("a: [", 0, ("a",)) == (0, 0)


def test_a_place_in_a_document_that_is_not_there_is_unknown():
    assert yaml_source.locate("a: 1", 3, ("a",)) == (0, 0)


def test_a_place_is_not_taken_from_the_text_before():
    assert yaml_source.locate("\n\na: 1", 0, ("a",)) == (3, 1)
    assert yaml_source.locate("b: 1\na: 1", 0, ("a",)) == (2, 1)


def depth(text: str) -> int:
    """Return how deeply the collections of a text are nested, by PyYAML's parser."""
    deepest = now = 0
    for event in yaml.parse(text):
        now += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        deepest = max(deepest, now)
    return deepest


@given(
    st.lists(
        st.sampled_from(["- ", "? ", ": ", "  ", " ", "a: ", "b:", "\n", "\r\n", "x", "[", "]", "{", "}", "&a ", "!!map ", "'"])
    )
)
def test_no_text_is_deeper_than_it_may_be_taken_for(parts: list[str]):
    text = "".join(parts)
    try:
        found = depth(text)
    except yaml.YAMLError:
        return
    assert found <= yaml_source._deepest_possible(text)


@pytest.mark.parametrize(
    "text", ["- " * 40 + "x", "? " * 40 + "x", "a:\n- b:\n  - c:\n    - d\n", "[" * 9 + "]" * 9, "a\u2028- - - - x"]
)
def test_nested_collections_are_seen_without_a_parser(text: str):
    assert yaml_source._deepest_possible(text) >= depth(text)


def test_an_example_needs_no_second_parser():
    text = (ROOT / "examples" / "every-field.yaml").read_text(encoding="utf-8")
    assert yaml_source._deepest_possible(text) < 100
