"""What is put together from a shape and its values is what the whole text says."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from langop_model.renderer import manifest, read_back, rendering, templating, yaml_values
from langop_model.renderer.settings import Settings
from langop_model.renderer.written import Comment, Written
from langop_model.renderer.yaml_emit import to_flow_yaml
from tests.conftest import ROOT
from tests.unit.renderer.tricky_values import values
from tests.unit.specs import a_resource, a_spec, render

EXAMPLES = sorted((ROOT / "examples").glob("*.yaml"))


@pytest.fixture(autouse=True)
def forgotten() -> Iterator[None]:
    """Nothing is remembered of other texts."""
    read_back._shapes.clear()
    read_back._values.clear()
    yield
    read_back._shapes.clear()


def pieces(template: str, **context: Any) -> list[str]:
    return list(templating.environment().from_string(template).generate(context))


def read_three_times(written: list[str]) -> None:
    expected = yaml.safe_load("".join(written))
    for _ in range(3):
        assert repr(read_back.load(written)) == repr(expected)


def whole_texts(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return what is read by YAML from now on."""
    texts: list[str] = []
    original = yaml_values.load

    def load(text: str) -> Any:
        texts.append(text)
        return original(text)

    monkeypatch.setattr(yaml_values, "load", load)
    return texts


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_an_example_is_read_as_its_whole_text(path: Path):
    for resource in manifest.read(str(path), Settings()).resources:
        for name in ("one", "another", "x"):  # the first two make the shape known
            result = rendering.render([resource.replace(name=name)], Settings())
            assert repr(result.config) == repr(yaml.safe_load(result.text))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(values, values, values)
def test_any_value_is_read_as_in_the_whole_text(first: Any, second: Any, third: Any):
    template = "a: {{ first }}  # {{ 'x' | comment }}\nb:\n  - {{ second }}\n  - c: {{ third }}\n    d: [{{ first }}, 1]\n"
    read_three_times(pieces(template, first=first, second=second, third=third))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.text(), st.text(), values)
def test_any_key_is_read_as_in_the_whole_text(first: str, second: str, value: Any):
    read_three_times(pieces("a:\n  {{ first }}: {{ value }}\n  {{ second }}: 2\n", first=first, second=second, value=value))


def test_only_new_values_of_a_known_shape_are_read(monkeypatch: pytest.MonkeyPatch):
    for name in ("one", "two"):
        render(a_spec(), name=name)
    texts = whole_texts(monkeypatch)
    result = render(a_spec(modelName="mistral"), name="three")
    assert result.config["model_list"][0]["model_name"] == "mistral"
    assert all(text.startswith("v0: ") for text in texts)


def test_another_field_is_another_shape(monkeypatch: pytest.MonkeyPatch):
    for _ in range(2):
        render(a_spec())
    texts = whole_texts(monkeypatch)
    result = render(a_spec(rateLimits={"requestsPerMinute": 5}))
    assert texts == [result.text]


def test_two_configurations_share_nothing():
    configs = [rendering.render([a_resource(a_spec())], Settings()).config for _ in range(4)]
    first, second = configs[2:]
    first["model_list"][0]["litellm_params"]["model"] = "changed"
    first["callback_settings"]["langop"]["models"]["llama"]["routes"].append("changed")
    assert second == configs[0]


@pytest.mark.parametrize(
    "written",
    [
        ["a: ", Written("b"), "/", Written("c"), "\n"],  # values that are parts of a text
        ["a: ", Comment("b"), "\n"],  # a comment that is none
        ["a: written-1-\nb: ", Written("c"), "\n"],  # a text of the template's that looks like a mark
        ["? ", Written('"' + "k" * 1100 + '"'), "\n: 1\n"],
        [Written('"' + "\\u0001" * 170 + '"'), ": 1\n"],
        ["a: ", Written('"' + "v" * 9999 + '"'), "\n"],
        ["a: &x ", Written("b"), "\nc: *x\n"],
        [],
    ],
)
def test_what_is_unclear_is_read_whole(written: list[str]):
    read_three_times(written)


@pytest.mark.parametrize("value", ["b\nc: d", "b: c", "[", "b  # c", "&x b", "- b", '"b" c'])
def test_a_value_that_is_no_value_is_read_in_its_place(value: str):
    """to_flow_yaml writes none of these; if it did, the whole text would say something else, or nothing."""
    for harmless in ("one", "two"):
        read_back.load(["a: ", Written(harmless), "\n"])
    written = ["a: ", Written(value), "\n"]
    try:
        expected = yaml.safe_load("".join(written))
    except yaml.YAMLError:
        with pytest.raises(yaml.YAMLError):
            read_back.load(written)
    else:
        assert read_back.load(written) == expected


def test_what_is_remembered_has_a_limit(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(read_back, "_MOST_SHAPES", 3)
    monkeypatch.setattr(read_back, "_MOST_VALUES", 5)
    for number in range(50):
        for _ in range(3):
            written = [f"k{number % 7}: ", Written(to_flow_yaml(f"text {number}")), "\n"]
            assert read_back.load(written) == {f"k{number % 7}": f"text {number}"}
    assert len(read_back._shapes) <= 3
    assert len(read_back._values) <= 5
