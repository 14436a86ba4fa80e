"""How a command ends: findings are printed as they come, and decide the exit code."""

from __future__ import annotations

import sys
from collections.abc import Iterable

from langop_model import report
from langop_model.renderer.findings import Finding, SpecError


class Outcome:
    """Prints findings in `style` as they come; with `strict` a warning counts as an error."""

    def __init__(self, style: str, strict: bool = False) -> None:
        self.style = style
        self.failing = {"error", "warning"} if strict else {"error"}
        self.failed = False

    def add(self, findings: Iterable[Finding]) -> None:
        """Print `findings`."""
        found = list(findings)
        self.failed |= any(finding.level in self.failing for finding in found)
        report.print_findings(found, self.style)

    def collecting(self) -> _Collecting:
        """Return a context in which a SpecError is printed, and ends the context only."""
        return _Collecting(self)

    def exit(self) -> None:
        """End the program with 1 if there was an error; else return."""
        if self.failed:
            sys.exit(1)


class _Collecting:
    """Turns a SpecError into printed findings and lets the next source have its turn."""

    def __init__(self, outcome: Outcome) -> None:
        self.outcome = outcome

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, problem: object, trace: object) -> bool:
        if isinstance(problem, SpecError):
            self.outcome.add(problem.findings)
            return True
        return False
