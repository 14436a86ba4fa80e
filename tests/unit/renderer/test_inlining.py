"""A template is compiled together with its parts, and writes what it would write if it included them."""

from __future__ import annotations

import traceback
from pathlib import Path

import pytest
from jinja2 import DictLoader, Environment, FileSystemLoader, TemplateSyntaxError, UndefinedError

from langop_model.renderer import inlining, templating

OPTIONS = {"trim_blocks": True, "lstrip_blocks": True, "keep_trailing_newline": True, "autoescape": False}
CASES = {
    "a part sees the variables at its place": {
        "main": "{% set a = 1 %}{% for b in [2, 3] %}{% include \"part\" %}{% endfor %}",
        "part": "{{ a }}{{ b }}{{ given }}",
    },
    "what a part sets is its own": {
        "main": "{% set a = 1 %}\n{% include \"part\" %}\n{{ a }}{{ b | default('none') }}",
        "part": "{% set a = 5 %}{% set b = 6 %}{{ a }}{{ b }}",
    },
    "a part has parts": {"main": '[{% include "part" %}]', "part": '({% include "other" %})', "other": "{{ given }}"},
    "a part in a branch": {"main": '{% if given %}{% include "part" %}{% elif 1 %}{% include "other" %}{% else %}'
                           '{% include "other" %}{% endif %}', "part": "yes", "other": "no"},
    "a part in a block": {"main": '{% extends "base" %}{% block b %}{% include "part" %}{% endblock %}',
                          "base": "<{% block b %}{% endblock %}>", "part": "{{ given }}"},
    "a part that extends another": {"main": '{% include "part" %}', "base": "<{% block b %}base{% endblock %}>",
                                    "part": '{% extends "base" %}{% block b %}mine{% endblock %}'},
    "a part with a block of its own": {"main": '{% block b %}mine{% endblock %}{% include "part" %}',
                                       "part": "{% block b %}its{% endblock %}"},
    "a part that a value names": {"main": '{% include "pa" ~ "rt" %}', "part": "{{ given }}"},
    "a part that imports": {"main": '{% include "part" %}', "part": '{% import "other" as o with context %}{{ o.a }}',
                            "other": "{% set a = given %}"},
    "spaces and lines stay": {"main": 'a\n  {% include "part" %}\nb\n', "part": "  c\n"},
}  # fmt: skip


def fast(templates: dict[str, str]) -> templating._Environment:
    return templating._Environment(loader=DictLoader(templates), **OPTIONS)


@pytest.mark.parametrize("templates", CASES.values(), ids=CASES)
def test_what_is_written_is_what_jinja2_writes(templates: dict[str, str]):
    plain = Environment(loader=DictLoader(templates), **OPTIONS)  # type: ignore[arg-type]
    expected = plain.get_template("main").render(given=7)
    assert fast(templates).get_template("main").render(given=7) == expected != ""


def test_a_part_is_not_looked_for_while_rendering():
    templates = {"main": '{% include "part" %}', "part": "a"}
    template = fast(templates).get_template("main")
    templates["part"] = "b"
    assert template.render() == "a"


def test_an_error_in_a_part_is_placed_at_its_include():
    env = fast({"main": 'a\n\n{% include "part" %}\n', "part": "\n\n\n\n\n{{ 1 + nothing.at.all }}"})
    with pytest.raises(UndefinedError) as caught:
        env.get_template("main").render()
    frames = traceback.extract_tb(caught.value.__traceback__)
    assert [frame.lineno for frame in frames if frame.name == "top-level template code"] == [3]


def test_what_is_no_template_is_named_with_its_place():
    with pytest.raises(TemplateSyntaxError) as caught:
        fast({"main": 'a\n{% include "part" %}', "part": "\n\n\n{% if %}"}).get_template("main")
    assert (caught.value.name, caught.value.lineno) == ("part", 4)


def test_a_template_is_compiled_where_a_part_of_a_part_changed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("sys.dont_write_bytecode", False)
    (tmp_path / "main").write_text('{% include "part" %}', encoding="utf-8")
    (tmp_path / "part").write_text('{% include "other" %}', encoding="utf-8")
    for text in ("first", "second"):
        (tmp_path / "other").write_text(text, encoding="utf-8")
        cache = templating._Cache(str(tmp_path / "cache"))
        env = templating._Environment(loader=FileSystemLoader(tmp_path), bytecode_cache=cache, **OPTIONS)
        assert env.get_template("main").render() == text


def test_the_parts_of_a_configuration_are_compiled_into_it():
    """One is left: the template of a provider, which a value names."""
    env = templating.environment()
    assert env.loader is not None
    source = env.loader.get_source(env, "config.yaml.j2")[0]
    code = env.compile(source, "config.yaml.j2", raw=True)
    assert code.count(".new_context(") == 1
    assert len(inlining.whole_source(env, source)) > 3 * len(source)
