"""Findings: one type, stable codes, and a place in the source."""

from __future__ import annotations

import re
from string import Formatter

import pytest

from langop_model.renderer import findings
from langop_model.renderer.findings import Finding, Findings, SpecError, dotted
from langop_model.renderer.source import parse

CATALOGUE = findings.catalogue()
FIDELITIES = {"LM3": "approximate", "LM4": "unsupported", "LM5": "elsewhere"}


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ((), ""),
        (("spec", "regions", 0, "name"), "spec.regions[0].name"),
        (("data", "model.json"), "data['model.json']"),
        (("spec", "a\nb"), r"spec['a\nb']"),
        ((0, "a"), "[0].a"),
    ],
)
def test_a_path_is_written_as_people_write_it(path: findings.Path, text: str):
    assert dotted(path) == text


@pytest.mark.parametrize("code", CATALOGUE)
def test_every_message_can_be_filled_in(code: str):
    entry = CATALOGUE[code]
    names = {name for text in (entry["message"], entry["fix"]) for _, name, _, _ in Formatter().parse(text) if name}
    finding = findings.make(code, ("spec", "timeout"), **{name: f"<{name}>" for name in names - {"field"}})
    for name in names - {"field"}:
        assert f"<{name}>" in finding.message + finding.fix
    assert "{" not in finding.message + finding.fix


@pytest.mark.parametrize("code", CATALOGUE)
def test_every_code_has_a_known_level_and_the_fidelity_of_its_group(code: str):
    assert re.fullmatch(r"LM\d{3}", code)
    assert CATALOGUE[code]["level"] in findings.LEVELS
    assert CATALOGUE[code].get("fidelity", "") == FIDELITIES.get(code[:3], "")


def test_every_title_names_one_code():
    titles = [entry["title"] for entry in CATALOGUE.values()]
    assert sorted(titles) == sorted(set(titles))


def test_every_unsupported_or_approximate_field_is_worth_at_least_an_info():
    assert {entry["level"] for entry in CATALOGUE.values() if "fidelity" in entry} <= {"warning", "info"}


@pytest.mark.parametrize(
    ("finding", "where"),
    [
        (Finding("LM001", "error", "", file="a.yaml", line=3, column=5), "a.yaml:3:5"),
        (Finding("LM001", "error", "", file="a.yaml"), "a.yaml"),
        (Finding("LM001", "error", ""), ""),
    ],
)
def test_a_place_is_written_as_far_as_it_is_known(finding: Finding, where: str):
    assert finding.where == where


@pytest.fixture
def found() -> Findings:
    return Findings(parse("spec.yaml", "spec:\n  timeout: 5\n  endpoint: x\n")[0], "llama")


def test_a_finding_gets_file_line_column_and_resource(found: Findings):
    found.add("LM104", "spec", "endpoint")
    (finding,) = found.items
    assert (finding.where, finding.resource, finding.path) == ("spec.yaml:3:3", "llama", ("spec", "endpoint"))


def test_a_finding_that_has_a_place_keeps_it(found: Findings):
    found.record(Finding("LM104", "error", "x", file="other.yaml", line=9))
    assert found.items[0].where == "other.yaml:9"


def test_what_is_said_twice_is_kept_once(found: Findings):
    found.add("LM104", "spec", "timeout")
    found.add("LM104", "spec", "timeout")
    assert len(found.items) == 1


def test_findings_come_in_the_order_of_the_source(found: Findings):
    found.add("LM104", "spec", "endpoint")
    found.add("LM104", "spec")
    found.add("LM104", "spec", "timeout")
    assert [finding.line for finding in found.in_order] == [1, 2, 3]


def test_a_downgraded_error_is_a_warning_and_no_other_is(found: Findings):
    found.downgraded = frozenset({"LM101"})
    found.add("LM101", "spec", "newField", allowed="", hint="")
    found.add("LM104", "spec", "endpoint")
    assert [(finding.code, finding.level) for finding in found.items] == [("LM101", "warning"), ("LM104", "error")]
    assert [finding.code for finding in found.errors] == ["LM104"]


def test_an_error_says_all_its_messages():
    problem = SpecError([Finding("LM001", "error", "one"), Finding("LM002", "error", "two")])
    assert str(problem) == "one; two"
