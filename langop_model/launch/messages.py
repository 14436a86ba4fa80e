"""What `launch` reports: lines of the one log where a program reads them, text where a person does (log_format.py)."""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterable, Mapping
from typing import Any

from langop_model import report
from langop_model.renderer import findings as catalogue
from langop_model.renderer.findings import Finding, dotted

log = logging.getLogger("langop.launch")


def configure(environment: Mapping[str, str]) -> None:
    """Let this process log as the environment says.

    Raises SpecError for a format that does not exist (LM738), which is reported as without the variable.
    """
    try:
        from langop_model import log_format
    except ModuleNotFoundError:
        return  # the gateway's packages are missing, which is reported next
    try:
        log_format.configure("INFO", sys.stderr, environment)
    except ValueError as problem:
        log_format.configure("INFO", sys.stderr, {})
        raise catalogue.error("LM738", problem=problem) from None


def say(found: Iterable[Finding]) -> None:
    """Report findings: as lines of the log, or as text for people."""
    if is_json():
        _log_findings(found)
    else:
        report.print_findings(found)


def wrong_usage(problem: str) -> None:
    """Log that the command line can't be read."""
    log.error("wrong usage of launch: %s", problem, extra={"event": "wrong_usage"})


def shown(finding: Finding) -> dict[str, Any]:
    """Return a finding for GET /health: where, what and what to do, without values of the specification."""
    members = {"code": finding.code, "resource": finding.resource, "path": dotted(finding.path)}
    members |= {"message": finding.public, "fix": finding.fix}
    return {name: value for name, value in members.items() if value}


def event(message: str, **members: Any) -> None:
    """Log an event."""
    log.info(message, extra={"event": message.replace(" ", "_"), **members})


def configuration(text: str) -> None:
    """Log the rendered configuration, for DEBUG=true: there is no secret in it."""
    if is_json():
        event("configuration", text=text)
    else:
        report.print_text(text)


def trace(text: str) -> None:
    """Log a traceback."""
    if is_json():
        log.error("the gateway can't start", extra={"trace": text})
    else:
        sys.stderr.write(text)


def is_json() -> bool:
    """Whether the log of this process is lines of JSON: anything but text, once it is configured."""
    handlers = logging.getLogger().handlers
    return any(type(handler.formatter).__name__ == "JsonFormatter" for handler in handlers)


def _log_findings(found: Iterable[Finding]) -> None:
    for finding in found:
        log.log(logging.getLevelName(finding.level.upper()), "%s", report.headline(finding), extra=_members(finding))


def _members(finding: Finding) -> dict[str, Any]:
    members = {
        "code": finding.code,
        "fix": finding.fix,
        "fidelity": finding.fidelity,
        "path": dotted(finding.path),
        "resource": finding.resource,
        "file": finding.file,
        "line": finding.line,
        "column": finding.column,
    }
    return {name: value for name, value in members.items() if value}
