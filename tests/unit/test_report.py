"""Findings on standard error, as text, JSON lines or GitHub annotations."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from langop_model import report
from langop_model.renderer.findings import Finding

FINDING = Finding(
    code="LM105", level="error", message="spec.timeout is wrong", fix="fix it", path=("spec", "timeout"), resource="llama",
    file="a.yaml", line=3, column=5,
)  # fmt: skip
PLACELESS = Finding(code="LM703", level="error", message="is missing")


def test_a_text_names_place_level_code_message_and_fix():
    assert report.as_text(FINDING) == "a.yaml:3:5: error LM105: spec.timeout is wrong\n    fix it"


def test_a_text_names_the_field_where_the_message_does_not():
    finding = Finding("LM302", "warning", "is counted later", path=("spec", "rateLimits"), file="a.yaml")
    assert report.as_text(finding) == "a.yaml: warning LM302 spec.rateLimits: is counted later"


def test_a_text_without_a_place_starts_with_its_level():
    assert report.as_text(PLACELESS) == "error LM703: is missing"


def test_json_is_one_object_on_one_line_without_what_is_unknown():
    line = report.as_json(FINDING)
    assert "\n" not in line
    assert json.loads(line) == {
        "code": "LM105", "level": "error", "path": "spec.timeout", "resource": "llama", "file": "a.yaml", "line": 3,
        "column": 5, "message": "spec.timeout is wrong", "fix": "fix it",
    }  # fmt: skip
    assert json.loads(report.as_json(PLACELESS)) == {"code": "LM703", "level": "error", "message": "is missing"}


def test_a_github_annotation_names_the_line():
    assert (
        report.as_github(FINDING)
        == "::error file=a.yaml,line=3,col=5,title=LM105::spec.timeout: spec.timeout is wrong (fix it)"
    )


@pytest.mark.parametrize(("level", "command"), [("error", "::error "), ("warning", "::warning "), ("info", "::notice ")])
def test_a_level_is_a_command_of_github(level: str, command: str):
    assert report.as_github(Finding("LM001", level, "x", file="a")).startswith(command)


def test_a_github_annotation_without_a_place_has_only_a_title():
    assert report.as_github(PLACELESS) == "::error title=LM703::is missing"


def test_what_github_gives_a_meaning_to_is_escaped():
    finding = Finding("LM001", "error", "100%\nnext\r", file="a,b:c.yaml", path=("x",))
    assert report.as_github(finding) == "::error file=a%2Cb%3Ac.yaml,title=LM001::x: 100%25%0Anext%0D"


texts = st.text(min_size=1) | st.sampled_from(["a\nb", "::error::x", "\x1b[31m", "\r", "\u2028", "\x9b31m", "a%b", "😀"])


@given(message=texts, name=texts)
def test_json_and_github_stay_on_one_line_whatever_a_source_says(message: str, name: str):
    finding = Finding("LM001", "error", message, path=(name,), file="a")
    assert json.loads(report.as_json(finding))["message"] == message
    assert not {"\n", "\r"} & set(report.as_json(finding) + report.as_github(finding))


@given(message=texts, name=texts)
def test_a_text_stays_on_one_line_and_holds_no_control_character(message: str, name: str):
    """Else a source could forge a second finding, or write to the terminal."""
    printed = report.as_text(Finding("LM001", "error", message, path=(name,), file="a"))
    assert len(printed.splitlines()) == 1
    assert not [letter for letter in printed if letter < " " or "\x7f" <= letter <= "\x9f"]


@pytest.mark.parametrize("style", sorted(report.STYLES))
def test_findings_are_printed_on_standard_error_only(capsys: pytest.CaptureFixture[str], style: str):
    report.print_findings([FINDING, PLACELESS], style)
    printed = capsys.readouterr()
    assert printed.out == ""
    assert "LM105" in printed.err
    assert "LM703" in printed.err
