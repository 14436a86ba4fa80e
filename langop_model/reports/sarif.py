"""SARIF 2.1.0, which code hosts show beside the lines of a pull request: https://docs.oasis-open.org/sarif/sarif/v2.1.0/."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

from langop_model import __version__
from langop_model.renderer.findings import Finding, catalogue, dotted

SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
HOME = "https://github.com/langop/model"
LEVELS = {"error": "error", "warning": "warning", "info": "note"}


def document(kept: Sequence[tuple[str, Sequence[Finding]]]) -> str:
    """Return one run of this program with all findings, and the rules of those that there are."""
    findings = [finding for _, found in kept for finding in found]
    codes = sorted({finding.code for finding in findings})
    driver = {
        "name": "langop-model",
        "version": __version__,
        "informationUri": HOME,
        "rules": [_rule(code) for code in codes],
    }
    run = {"tool": {"driver": driver}, "results": [_result(finding, codes.index(finding.code)) for finding in findings]}
    return json.dumps({"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}, indent=2, ensure_ascii=False) + "\n"


def _rule(code: str) -> dict[str, Any]:
    entry = catalogue()[code]
    return {
        "id": code,
        "name": "".join(word.capitalize() for word in entry["title"].split("-")),
        "shortDescription": {"text": entry["title"].replace("-", " ")},
        "defaultConfiguration": {"level": LEVELS[entry["level"]]},
    }


def _result(finding: Finding, rule: int) -> dict[str, Any]:
    field = dotted(finding.path)
    about = f"{field}: " if field and field not in finding.message else ""
    fix = f" ({finding.fix})" if finding.fix else ""
    result: dict[str, Any] = {
        "ruleId": finding.code,
        "ruleIndex": rule,
        "level": LEVELS[finding.level],
        "message": {"text": f"{about}{finding.message}{fix}"},
    }
    location = _location(finding)
    return result | ({"locations": [location]} if location else {})


def _location(finding: Finding) -> dict[str, Any]:
    """Return where a finding is: in a file, at a field, or both."""
    location: dict[str, Any] = {}
    if finding.file:
        region = {"startLine": max(finding.line, 1), "startColumn": max(finding.column, 1)}  # code hosts show nothing without
        location["physicalLocation"] = {"artifactLocation": {"uri": _uri(finding.file)}, "region": region}
    if finding.path:
        location["logicalLocations"] = [{"fullyQualifiedName": dotted(finding.path), "kind": "member"}]
    return location


def _uri(file: str) -> str:
    """Return a file's name as a URI: relative where the name is, which a code host reads from the top of the repository."""
    path = Path(file)
    return path.as_uri() if path.is_absolute() else quote(path.as_posix())
