"""Libraries imported with less work behave as they do otherwise."""

from __future__ import annotations

import re
import sys

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from langop_model.renderer import imports, yaml_values
from tests.conftest import ROOT


def test_a_pattern_is_compiled_by_its_first_use():
    with imports.less_work():
        pattern = re.compile("(a+)b", re.IGNORECASE)
    assert not isinstance(pattern, re.Pattern)
    match = pattern.search("xAAb")
    assert match is not None
    assert (match[1], pattern.groups, pattern.pattern) == ("AA", 1, "(a+)b")


def test_a_wrong_pattern_fails_when_it_is_used():
    with imports.less_work():
        pattern = re.compile("(")
    with pytest.raises(re.error, match="unterminated"):
        pattern.match("")


def test_afterwards_patterns_are_compiled_as_ever():
    with pytest.raises(ZeroDivisionError), imports.less_work():
        1 / 0  # noqa: B018
    assert isinstance(re.compile("a"), re.Pattern)


def test_a_module_is_imported_by_its_first_use(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delitem(sys.modules, "this_is_rare", raising=False)
    monkeypatch.delitem(sys.modules, "colorsys", raising=False)
    with imports.less_work("colorsys"):
        import colorsys
    assert "colorsys" not in sys.modules
    assert colorsys.rgb_to_hsv(0, 0, 0) == (0.0, 0.0, 0)
    assert "colorsys" in sys.modules


def test_a_module_that_is_there_is_used():
    with imports.less_work("json"):
        import json
    assert json is sys.modules["json"]


values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | st.text()
    | st.sampled_from(["<<", "=", "2024-01-01", "1e3"]),
    lambda inner: st.lists(inner) | st.dictionaries(st.text() | st.integers() | st.sampled_from(["<<", "true"]), inner),
)


@given(values)
def test_values_are_those_of_pyyaml(value: object):
    text = yaml.safe_dump(value)
    assert yaml_values.load(text, yaml.CSafeLoader) == yaml.safe_load(text)


@pytest.mark.parametrize(
    "text", ["", "a: &b {c: 1}\nd: *b", "a: &b {c: 1}\nd: {<<: *b, e: 2}", "!!set {a, b}", "- !!str 1\n- 2024-01-01"]
)
def test_what_pyyaml_can_say_has_its_value(text: str):
    assert yaml_values.load(text, yaml.SafeLoader) == yaml.safe_load(text)


@pytest.mark.parametrize("path", sorted((ROOT / "tests" / "golden").glob("*.yaml")), ids=lambda path: path.name)
def test_a_golden_configuration_has_the_values_of_pyyaml(path: object):
    text = (ROOT / "tests" / "golden" / str(path)).read_text(encoding="utf-8")
    assert yaml_values.load(text, yaml.CSafeLoader) == yaml.load(text, yaml.CSafeLoader)


@pytest.mark.parametrize("text", ["a: [", "!!python/object:os.system a"])
def test_what_pyyaml_refuses_is_refused(text: str):
    with pytest.raises(yaml.YAMLError):
        yaml_values.load(text, yaml.CSafeLoader)
