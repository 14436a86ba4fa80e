"""JUnit's XML, which every CI shows as tests: a test for each source, failed where it has an error.

The form is that of the Jenkins plugin, which others read: https://github.com/jenkinsci/xunit-plugin, junit-10.xsd.
"""

from __future__ import annotations

from collections.abc import Sequence
from xml.etree import ElementTree

from langop_model import report
from langop_model.renderer.findings import Finding

NAME = "langop-model"


def document(kept: Sequence[tuple[str, Sequence[Finding]]]) -> str:
    """Return a suite with a case for each source. Errors are its failure, everything else that is said is its output."""
    by_source: dict[str, list[Finding]] = {}
    for source, found in kept:
        by_source.setdefault(source or (found[0].file if found else "") or NAME, []).extend(found)
    failed = sum(any(finding.level == "error" for finding in found) for found in by_source.values())
    counts = {"name": NAME, "tests": str(len(by_source)), "failures": str(failed), "errors": "0"}
    suites = ElementTree.Element("testsuites", counts)
    suite = ElementTree.SubElement(suites, "testsuite", counts)
    for source, found in by_source.items():
        _add_case(suite, source, found)
    ElementTree.indent(suites)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ElementTree.tostring(suites, encoding="unicode") + "\n"


def _add_case(suite: ElementTree.Element, source: str, found: Sequence[Finding]) -> None:
    case = ElementTree.SubElement(suite, "testcase", {"name": _text(source), "classname": NAME})
    errors = [finding for finding in found if finding.level == "error"]
    if errors:
        failure = ElementTree.SubElement(case, "failure", {"message": _text(errors[0].message), "type": errors[0].code})
        failure.text = _lines(errors)
    others = [finding for finding in found if finding.level != "error"]
    if others:
        ElementTree.SubElement(case, "system-out").text = _lines(others)


def _lines(findings: Sequence[Finding]) -> str:
    return "\n".join(_text(report.as_text(finding)) for finding in findings)


def _text(text: str) -> str:
    """Return `text` without what XML can't hold."""
    return "".join(letter if letter.isprintable() or letter in "\n\t" else "?" for letter in text)
