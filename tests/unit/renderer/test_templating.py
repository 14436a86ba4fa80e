"""Every value that a template writes passes through one function that makes it YAML-safe."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from jinja2 import UndefinedError

from langop_model.renderer import templating


def written(template: str, **context: Any) -> str:
    return templating.environment().from_string(template).render(context)


@given(st.text())
def test_a_value_stays_that_value(text: str):
    assert yaml.safe_load(written("a: {{ value }}\nb: 1\n", value=text)) == {"a": text, "b": 1}


@given(st.text())
def test_a_value_that_was_put_together_stays_that_value(text: str):
    assert yaml.safe_load(written('a: {{ "x/" ~ value ~ "/y" }}', value=text)) == {"a": f"x/{text}/y"}


@given(st.lists(st.text()))
def test_a_list_that_was_filtered_stays_that_list(texts: list[str]):
    template = 'a: {{ texts | reject("equalto", "") | list }}\nb: {{ texts | join(",") }}'
    assert yaml.safe_load(written(template, texts=texts)) == {"a": [text for text in texts if text], "b": ",".join(texts)}


def test_a_value_is_no_template():
    assert written("{{ value }}", value="{{ 7*7 }}") == '"{{ 7*7 }}"'


def test_text_of_the_template_stays_as_it_is():
    assert written("a: <&'\"> {# gone #}b") == "a: <&'\"> b"


@pytest.mark.parametrize(
    ("value", "text"), [(None, "null"), (True, "true"), (1, "1"), (1e-05, "1.0e-05"), ([], "[]"), ({}, "{}"), ("", '""')]
)
def test_a_value_of_json_is_written_as_yaml(value: Any, text: str):
    assert written("{{ value }}", value=value) == text


def test_values_that_are_equal_are_not_written_as_one():
    """What was written is remembered, and to Python True is 1, and 1.0 too."""
    values = [1, True, 1.0, 0, False, 0.0, -0.0, "1", "true"]
    expected = '1 true 1.0 0 false 0.0 -0.0 "1" "true"'
    for _ in range(2):
        assert written("{% for value in values %}{{ value }} {% endfor %}", values=values).strip() == expected
        assert (
            written("{% for value in values %}{{ value }} {% endfor %}", values=values[::-1]).split() == expected.split()[::-1]
        )


def test_a_field_that_is_called_like_a_method_is_no_method():
    assert written("{{ spec.items() | list }} {{ spec['items'] }}", spec={"items": 1}) == '[["items", 1]] 1'


def test_a_field_that_is_not_there_may_be_asked_about_at_any_depth():
    assert written("{{ spec.a.b.c is defined }} {{ spec.a.b | default(5) }}", spec={}) == "false 5"


def test_a_field_that_is_not_there_is_never_written():
    with pytest.raises(UndefinedError):
        written("{{ spec.a.b }}", spec={})


@pytest.mark.parametrize(
    ("price", "per_token"),
    [(0.01, "1.0e-05"), (0.03, "3.0e-05"), (1, "0.001"), (0, "0.0"), (0.003, "3.0e-06"), (2.5e-05, "2.5e-08"), (1e3, "1.0")],
)
def test_a_price_is_divided_exactly(price: float, per_token: str):
    assert written("{{ price | per_token }}", price=price) == per_token


@given(st.text())
def test_a_comment_never_ends_its_line(text: str):
    rendered = written("a: 1  # {{ text | comment }}\nb: 2", text=text)
    assert yaml.safe_load(rendered) == {"a": 1, "b": 2}
    assert len(rendered.splitlines()) == 2


def test_a_duration_is_written_in_seconds():
    assert written('{{ "1m30s" | seconds }} {{ "300ms" | seconds }}') == "90 0.3"


# Compiled templates.


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder of templates, in use instead of the project's."""
    monkeypatch.setattr(templating, "place", lambda _: str(tmp_path))
    monkeypatch.setattr("sys.dont_write_bytecode", False)
    templating.environment.cache_clear()
    (tmp_path / "a.j2").write_text("one", encoding="utf-8")
    yield tmp_path
    templating.environment.cache_clear()


def compiled(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file() and path.suffix != ".j2"]


def test_a_compiled_template_is_kept_beside_its_source(folder: Path):
    assert "".join(templating.render("a.j2")) == "one"
    assert [path.parent for path in compiled(folder)] == [folder / "__pycache__"]


def test_a_template_that_was_changed_is_compiled_anew(folder: Path):
    templating.render("a.j2")
    (folder / "a.j2").write_text("two", encoding="utf-8")
    templating.environment.cache_clear()
    assert "".join(templating.render("a.j2")) == "two"


def test_a_compiled_template_that_is_damaged_is_compiled_anew(folder: Path):
    templating.render("a.j2")
    for path in compiled(folder):
        path.write_bytes(path.read_bytes()[:-3])
    templating.environment.cache_clear()
    assert "".join(templating.render("a.j2")) == "one"


def test_nothing_is_kept_where_python_keeps_nothing(folder: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("sys.dont_write_bytecode", True)
    assert "".join(templating.render("a.j2")) == "one"
    assert compiled(folder) == []


def test_a_folder_that_can_not_be_written_does_no_harm(folder: Path):
    (folder / "__pycache__").write_text("a file in place of the folder", encoding="utf-8")
    assert "".join(templating.render("a.j2")) == "one"
