"""Findings are printed: as text, as JSON lines, or as GitHub annotations. Standard error, always."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable

from langop_model.renderer.findings import Finding, dotted


def print_findings(findings: Iterable[Finding], style: str = "text") -> None:
    """Print `findings` on standard error in the `style` text, json or github."""
    if sys.stderr is None:  # it was closed: there is nowhere to print to
        return
    for finding in findings:
        sys.stderr.write(STYLES[style](finding) + "\n")


def print_text(text: str) -> None:
    """Print what is no finding on standard error: a summary, or a configuration for DEBUG=true, which holds no secret."""
    if sys.stderr is not None:
        sys.stderr.write(text)
        sys.stderr.flush()


def as_text(finding: Finding, more: str = "") -> str:
    """Return place, level, code and message, `more` in brackets, and on a second line how to fix it."""
    first = headline(finding, f"{finding.level} ") + (f" ({more})" if more else "")
    return f"{first}\n    {_printable(finding.fix)}" if finding.fix else first


def headline(finding: Finding, level: str = "") -> str:
    """Return place, `level`, code and message on one line."""
    place = f"{finding.where}: " if finding.where else ""
    field = dotted(finding.path)
    about = f" {field}" if field and field not in finding.message else ""
    return _printable(f"{place}{level}{finding.code}{about}: {finding.message}")


def _printable(text: str) -> str:
    """Return `text` on one line: a source must not forge a finding, or write to the terminal."""
    return "".join(letter if letter.isprintable() else repr(letter)[1:-1] for letter in text)


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
    properties = (("file", finding.file), ("line", finding.line), ("col", finding.column), ("title", finding.code))
    place = ",".join(f"{key}={_escape_property(str(value))}" for key, value in properties if value)
    about = f"{dotted(finding.path)}: " if finding.path else ""
    fix = f" ({finding.fix})" if finding.fix else ""
    return f"::{level} {place}::{_escape(about + finding.message + fix)}"


def _escape(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _escape_property(text: str) -> str:
    return _escape(text).replace(":", "%3A").replace(",", "%2C")


STYLES: dict[str, Callable[[Finding], str]] = {"text": as_text, "json": as_json, "github": as_github}
