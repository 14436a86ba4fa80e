"""The one place that prints findings: as text, as JSON lines, or as GitHub annotations. Standard error, always."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable

from langop_model.renderer.findings import Finding, dotted


def print_findings(findings: Iterable[Finding], style: str = "text") -> None:
    """Print `findings` on standard error in the `style` text, json or github."""
    for finding in findings:
        sys.stderr.write(STYLES[style](finding) + "\n")


def as_text(finding: Finding) -> str:
    """Return place, level, code and message, and how to mend it on a line of its own."""
    place = f"{finding.where}: " if finding.where else ""
    field = dotted(finding.path)
    about = f" {field}" if field and field not in finding.message else ""
    fix = f"\n    {finding.fix}" if finding.fix else ""
    return f"{place}{finding.level} {finding.code}{about}: {finding.message}{fix}"


def as_json(finding: Finding) -> str:
    """Return one JSON object on one line."""
    members = {
        "code": finding.code, "level": finding.level, "fidelity": finding.fidelity, "path": dotted(finding.path),
        "resource": finding.resource, "file": finding.file, "line": finding.line, "column": finding.column,
        "message": finding.message, "fix": finding.fix,
    }  # fmt: skip
    return json.dumps({key: value for key, value in members.items() if value}, ensure_ascii=False)


def as_github(finding: Finding) -> str:
    """Return a GitHub workflow command, which shows the finding beside the line in a pull request."""
    level = {"info": "notice"}.get(finding.level, finding.level)
    place = ",".join(
        f"{key}={_escape_property(str(value))}"
        for key, value in (("file", finding.file), ("line", finding.line), ("col", finding.column))
        if value
    )
    text = f"{dotted(finding.path)}: {finding.message}" + (f" ({finding.fix})" if finding.fix else "")
    return f"::{level} {place},title={finding.code}::{_escape(text)}"


def _escape(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _escape_property(text: str) -> str:
    return _escape(text).replace(":", "%3A").replace(",", "%2C")


STYLES: dict[str, Callable[[Finding], str]] = {"text": as_text, "json": as_json, "github": as_github}
