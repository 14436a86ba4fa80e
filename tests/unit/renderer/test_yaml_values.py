"""YAML is read as PyYAML's safe loader reads it, whatever was read before."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from langop_model.renderer import yaml_source, yaml_values
from tests.conftest import ROOT

# Words of which YAML 1.1 makes something else than text, and their neighbours.
WORDS = [
    "true", "True", "yes", "off", "y", "null", "Null", "~", "=", "<<", "1", "-1", "0", "017", "0o17", "0x1f", "0b1", "1_000",
    "1:30", "1.5", "1.", ".5", "1e5", "1.0e5", "1.0e+5", ".inf", "-.INF", ".nan", "2024-10-21", "2024-10-21T10:00:00Z", "gpt-4",
    "a b", "x" * 99, "9" * 99,
]  # fmt: skip
GOLDEN = sorted((ROOT / "tests" / "golden").glob("*.config.yaml"))


def outcome(load: Callable[[str], Any], text: str) -> str:
    """Return the value, or the kind of error; `repr` tells 1 from 1.0 and from True, which == does not."""
    try:
        return repr(load(text))
    except (yaml.YAMLError, ValueError) as problem:
        return type(problem).__name__


def same(text: str) -> None:
    assert outcome(yaml_values.load, text) == outcome(yaml.safe_load, text)


@pytest.mark.parametrize("path", GOLDEN, ids=lambda path: path.name)
def test_a_configuration_is_read_as_litellm_reads_it(path: Path):
    same(path.read_text(encoding="utf-8"))


@pytest.mark.parametrize("style", ["{}", "'{}'", '"{}"', "!!str {}"])
@pytest.mark.parametrize("word", WORDS)
def test_a_word_means_the_same_the_second_time(word: str, style: str):
    for _ in range(2):
        same(f"{style.format(word)}\n")
        same(f"[{style.format(word)}, {word}]\n")


@given(st.lists(st.sampled_from(WORDS) | st.text("0123456789.eE+-_:xoab", min_size=1, max_size=8), max_size=4))
def test_any_words_mean_what_they_mean_to_pyyaml(words: list[str]):
    same("".join(f"- {word}\n" for word in words))


@pytest.mark.parametrize(
    "text",
    [
        "a: &x {b: 1}\nc: *x\nd: {<<: *x, e: 2}\n",
        "1: a\ntrue: b\n~: c\n",
        "[]\n",
        "{}\n",
        "",
        "!!set {a, b}\n",
        "!!omap [a: 1]\n",
        "!!binary aGVsbG8=\n",
    ],
)
def test_what_is_rare_is_left_to_pyyaml(text: str):
    same(text)


@pytest.mark.parametrize("first", [yaml_values.load, lambda text: yaml_source.parse("a.yaml", text)], ids=["output", "source"])
def test_two_loaders_remember_each_for_itself(first: Any):
    """1e5 is a text to PyYAML, and a number to the API server."""
    text = "1e5\n"
    first(text)
    assert (yaml_values.load(text), yaml_source.parse("a.yaml", text)) == ("1e5", [100000.0])


def test_what_is_remembered_has_a_limit(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(yaml_values, "_MOST", 10)
    monkeypatch.setattr(yaml_values, "_values", {})
    monkeypatch.setattr(yaml_values.Remembering, "_tags", {})
    numbers = list(range(1000))
    assert yaml_values.load(str(numbers)) == numbers
    assert len(yaml_values._values) == len(yaml_values.Remembering._tags) == 10


# What is plain without a parser.

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.sampled_from(WORDS),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4) | st.sampled_from(WORDS), inner, max_size=3)
    ),
    max_leaves=8,
)


def same_where_simple(text: str) -> bool:
    """Compare a text's value with PyYAML's; return whether it is simple."""
    try:
        value = yaml_values.simple(text)
    except ValueError:
        return False
    assert repr(value) == repr(yaml.safe_load(f"v: {text}\n")["v"])
    return True


@pytest.mark.parametrize(
    "text",
    ["gpt-4", "a/b.c_d", "v1", '"a: b # c"', "[]", "{}", '{"id": "a/0", "url": "https://x/v1"}', "[1, -2, 0.5, true, null]"],
)
def test_what_most_values_look_like_is_simple(text: str):
    assert same_where_simple(text)


@pytest.mark.parametrize(
    "word", [*WORDS, "a b", "a:b", "a: b", "a #b", "*a", "&a", "!a", "-", "---", "a,", "[a]", "{a: 1}", ""]
)
def test_a_word_is_simple_only_where_yaml_reads_it_as_it_is(word: str):
    same_where_simple(word)


@pytest.mark.parametrize(
    "text", ["[1e5]", "[1E5]", "[NaN]", "[-Infinity]", '["\\u0041"]', '["\\/"]', '["é"]', '["a\tb"]', "[01]", '[1"]']
)
def test_json_that_yaml_reads_in_another_way_is_not_simple(text: str):
    assert not same_where_simple(text)


@given(json_values, st.sampled_from([(", ", ": "), (",", ":"), (" , ", " : ")]), st.booleans())
def test_json_is_what_yaml_reads_where_it_is_simple(value: Any, separators: tuple[str, str], ascii_only: bool):
    same_where_simple(json.dumps(value, separators=separators, ensure_ascii=ascii_only))


@given(st.text("abeEy0123456789.,:;-+_/ '\"#[]{}&*!|>%@`~=<?\\", max_size=12))
def test_any_text_is_what_yaml_reads_where_it_is_simple(text: str):
    same_where_simple(text)
