"""Whatever a specification says is written so that it reads back as exactly that value."""

from __future__ import annotations

import datetime
from typing import Any

import pytest
import yaml
from hypothesis import given

from langop_model.renderer.yaml_emit import to_flow_yaml
from tests.unit.renderer.tricky_values import TRICKY, texts, values


def read_back(text: str) -> Any:
    return yaml.safe_load(text)


@given(values)
def test_a_value_reads_back_as_itself(value: Any):
    # repr tells 1 from 1.0 and from True, which == does not.
    assert repr(read_back(f"field: {to_flow_yaml(value)}  # a comment\nnext: 1\n")) == repr({"field": value, "next": 1})


@given(values)
def test_a_value_reads_back_as_itself_from_the_parser_in_c(value: Any):
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    assert repr(yaml.load(f"field: {to_flow_yaml(value)}\n", Loader=loader)) == repr({"field": value})


@given(texts)
def test_a_text_reads_back_as_itself_where_it_is_a_key(text: str):
    assert read_back(f"outer:\n  {to_flow_yaml(text)}: 1\n  last: 2\n") == {"outer": {text: 1, "last": 2}}


@pytest.mark.parametrize("text", TRICKY)
def test_a_tricky_text_stays_text(text: str):
    assert read_back(f"field: {to_flow_yaml(text)}\nlist: {to_flow_yaml([text])}\nobject: {to_flow_yaml({text: text})}\n") == {
        "field": text,
        "list": [text],
        "object": {text: text},
    }


@pytest.mark.parametrize("number", [1e-05, 1e22, 1e-300, 1.7976931348623157e308, 5e-324, -0.0, 0.1, 1.0, 123456789.125])
def test_a_float_stays_the_same_float(number: float):
    assert repr(read_back(to_flow_yaml(number))) == repr(number)


@pytest.mark.parametrize("number", [0, -1, 2**31, 2**63, 10**30, -(10**30)])
def test_a_whole_number_stays_whole(number: int):
    assert repr(read_back(to_flow_yaml(number))) == repr(number)


@given(values)
def test_a_value_takes_one_line(value: Any):
    assert len(to_flow_yaml(value).splitlines()) == 1


@pytest.mark.parametrize(
    "text", ["gpt-4o", "openai/gpt-4o", "https://llm.example.com:8000/v1", "os.environ/KEY", "/etc/secrets/a", "x_y"]
)
def test_a_harmless_text_stands_without_quotes(text: str):
    assert to_flow_yaml(text) == text


def test_a_list_and_an_object_are_written_in_flow_style():
    assert to_flow_yaml({"a": ["b", 1, None, True]}) == '{"a": ["b", 1, null, true]}'


@pytest.mark.parametrize("length", [1_000, 1_024, 5_000])
def test_a_long_key_reads_back_as_itself(length: int):
    """YAML reads a key of more than 1,024 characters only where it is announced."""
    value = {"k" * length: "v"}
    assert read_back(f"field: {to_flow_yaml(value)}\n") == {"field": value}


@pytest.mark.parametrize(
    "value", [b"bytes", {1, 2}, datetime.date(2024, 10, 21), object()], ids=lambda value: type(value).__name__
)
def test_what_json_does_not_know_has_no_place(value: Any):
    with pytest.raises(TypeError, match=type(value).__name__):
        to_flow_yaml(value)
