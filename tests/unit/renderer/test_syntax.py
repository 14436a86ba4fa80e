"""What a parser did not understand comes with what to do about it."""

from __future__ import annotations

import re

import pytest

from langop_model.renderer import source
from langop_model.renderer.findings import Finding, SpecError
from langop_model.resources import load_json
from tests.support import ids


def refused(text: str, name: str = "spec.yaml") -> Finding:
    with pytest.raises(SpecError) as caught:
        source.parse(name, text)
    (finding,) = caught.value.findings
    return finding


@pytest.mark.parametrize(
    ("text", "fix"),
    [
        ("spec:\n\tprovider: openai\n", "indent with spaces"),
        ("spec:\n  provider:\topenai\n  \tmodelName: a\n", "use spaces"),
        ("modelName: *\n", "starts with * in quotes"),
        ("modelName: @cf/meta/llama\n", "in quotes"),
        ("modelName: `a`\n", "in quotes"),
        ("modelName: a: b\n", "colon and a space in quotes"),
        ("spec:\n  provider: openai\n   modelName: a\n", "indentation"),
        ("spec:\n  provider: openai\n modelName: a\n", "indentation"),
        ("provider: openai\nmodelName\n", "key: value"),
        ('provider: "openai\nmodelName: a\n', "close the quotes"),
        ("provider: [openai\nmodelName: a\n", "close the bracket"),
        ("modelName: {{ .Values.model }}\n", "rendered first"),
        ("modelName: {{ .Values.model }}-mini\n", "rendered first"),
        ("modelName: !secret a\n", "plain keys"),
        ("modelName: a\0b\n", "plain text in UTF-8"),
    ],
    ids=ids.plain,
)
def test_a_common_mistake_in_yaml_comes_with_a_fix(text: str, fix: str):
    finding = refused(text)
    assert finding.code in {"LM005", "LM016"}
    assert fix in finding.fix


@pytest.mark.parametrize(
    ("text", "fix"),
    [
        ('{"a": 1,}', "no comma after the last member"),
        ('{"a": 1 // one\n}', "missing comma"),
        ("{'a': 1}", "no single quotes"),
        ('{"a": [1,]}', "no comma after the last item"),
        ('{"a": 1}\n{"b": 2}', "a List"),
        ('{"a" 1}', "comma or colon"),
        ('{"a": True}', "write a value there"),
    ],
)
def test_a_common_mistake_in_json_comes_with_a_fix(text: str, fix: str):
    assert fix in refused(text, "spec.json").fix


def test_json_on_standard_input_is_refused_as_json():
    """A tab is right in JSON: to advise against it would be wrong."""
    finding = refused('{\n\t"provider": "openai"\n\t"modelName": "a"\n}', "<stdin>")
    assert "is not valid JSON" in finding.message


def test_flow_style_on_standard_input_may_still_be_yaml():
    assert source.parse("<stdin>", '{"a": 1, b: two}')[0].value == {"a": 1, "b": "two"}


@pytest.mark.parametrize("entry", load_json("findings.json")["syntax"], ids=lambda entry: entry["fix"][:30])
def test_an_entry_of_the_table_has_a_pattern_and_says_something(entry: dict[str, str]):
    re.compile(entry["line"])
    assert entry["fix"]
    assert entry["problem"] or entry["line"]
