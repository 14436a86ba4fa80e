"""Findings as documents: SARIF for code hosts, JUnit's XML for CI."""

from __future__ import annotations

import json
from functools import cache
from typing import Any
from xml.etree import ElementTree

import pytest
from click.testing import CliRunner
from jsonschema import Draft202012Validator

from langop_model.cli import main
from langop_model.renderer.findings import Finding
from langop_model.reports import junit, sarif
from tests.conftest import ROOT

WRONG = "examples/wrong/unknown-fields.yaml"
RIGHT = "examples/minimal.yaml"
REMARKS = "examples/every-field.yaml"


@cache
def schema() -> Any:
    """OASIS's schema of SARIF 2.1.0, as Microsoft's Sarif Multitool 5.7.0 brings it along."""
    return json.loads((ROOT / "tests" / "data" / "sarif-2.1.0.schema.json").read_text(encoding="utf-8"))


def printed(style: str, *sources: str) -> str:
    return CliRunner(catch_exceptions=False).invoke(main, ["validate", "--format", style, *sources]).stderr


def run_of(*sources: str) -> Any:
    document = json.loads(printed("sarif", *sources))
    Draft202012Validator(schema()).validate(document)
    (run,) = document["runs"]
    return run


@pytest.mark.parametrize(
    "sources", [(RIGHT,), (WRONG,), ("examples",), ("examples/wrong",), ("/does/not/exist",)], ids=" ".join
)
def test_sarif_is_what_its_schema_says(sources: tuple[str, ...]):
    run = run_of(*sources)
    assert run["tool"]["driver"]["name"] == "langop-model"


def test_the_schema_refuses_what_is_no_sarif():
    assert not Draft202012Validator(schema()).is_valid({"version": "2.1.0", "runs": [{"results": []}]})


def test_a_result_has_its_rule_level_and_place():
    first = run_of(WRONG)["results"][0]
    (place,) = first["locations"]
    assert (first["ruleId"], first["level"]) == ("LM122", "error")
    assert place["physicalLocation"] == {"artifactLocation": {"uri": WRONG}, "region": {"startLine": 6, "startColumn": 1}}
    assert place["logicalLocations"][0]["fullyQualifiedName"] == "spec"


def test_an_info_is_a_note():
    levels = {result["ruleId"]: result["level"] for result in run_of(REMARKS)["results"]}
    assert (levels["LM501"], levels["LM311"]) == ("note", "warning")


def test_each_rule_is_named_once_and_results_refer_to_it():
    run = run_of("examples/wrong")
    rules = [rule["id"] for rule in run["tool"]["driver"]["rules"]]
    assert len(rules) == len(set(rules)) > 1
    assert all(rules[result["ruleIndex"]] == result["ruleId"] for result in run["results"])


def test_a_right_file_has_no_results():
    assert run_of(RIGHT)["results"] == []


def test_a_file_name_becomes_a_uri():
    found = [Finding("LM001", "error", "m", file=name) for name in ("a b%.yaml", "/tmp/ä.yaml")]
    results = json.loads(sarif.document([("", found)]))["runs"][0]["results"]
    uris = [each["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] for each in results]
    assert uris == ["a%20b%25.yaml", "file:///tmp/%C3%A4.yaml"]


def suite_of(*sources: str) -> ElementTree.Element:
    suite = ElementTree.fromstring(printed("junit", *sources)).find("testsuite")
    assert suite is not None
    return suite


def test_junit_has_a_case_for_each_file_and_its_errors_are_a_failure():
    suite = suite_of(RIGHT, WRONG)
    right, wrong = suite.findall("testcase")
    failure = wrong.find("failure")
    assert (suite.get("tests"), suite.get("failures")) == ("2", "1")
    assert (right.get("name"), list(right)) == (RIGHT, [])
    assert failure is not None
    assert (failure.get("type"), (failure.text or "").count("error LM101")) == ("LM122", 4)


def test_junit_has_remarks_as_output():
    (case,) = suite_of(REMARKS)
    assert case.find("failure") is None
    assert "warning LM311" in (case.findtext("system-out") or "")


def test_junit_of_a_folder_that_can_not_be_read_names_it():
    (case,) = suite_of("/does/not/exist")
    assert case.get("name") == "/does/not/exist"


def test_junit_holds_what_xml_can_not():
    found = [Finding("LM001", "error", "a\x00\x1b<&>", file="f")]
    (case,) = ElementTree.fromstring(junit.document([("f\x07", found)]))[0]
    assert case.get("name") == "f?"


@pytest.mark.parametrize("style", ["junit", "sarif"])
def test_a_document_ends_with_the_exit_code_of_text(style: str):
    results = [CliRunner().invoke(main, ["validate", "--format", each, WRONG]).exit_code for each in (style, "text")]
    assert results == [1, 1]
