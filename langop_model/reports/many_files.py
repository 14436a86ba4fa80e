"""What is printed about many files: progress on a terminal, errors as they come, the same remark once, and a summary."""

from __future__ import annotations

import sys
import time
from collections.abc import Collection, Iterable
from dataclasses import dataclass

from langop_model import report
from langop_model.renderer.findings import Finding, dotted

MAX_GROUPS = 1000  # remarks that are kept until the end; further ones are printed as they come, so that memory stays flat
REDRAW_INTERVAL = 0.1  # seconds between two lines of progress
CLEAR_LINE = "\r\x1b[K"


@dataclass(slots=True)
class _Group:
    """Findings that say the same: the first one, and how many there are."""

    first: Finding
    count: int = 0


class ManyFiles:
    """Prints about `files` files; those with a finding of a `failing` level have failed."""

    def __init__(self, files: int, failing: Collection[str]) -> None:
        self.files, self.failing = files, failing
        self.done = self.failed = self.warnings = 0
        self._groups: dict[tuple[str, ...], _Group] = {}
        self._terminal = sys.stderr is not None and sys.stderr.isatty()
        self._drawn: float | None = None

    def add(self, found: Iterable[Finding], shown: Iterable[Finding]) -> None:
        """Count the findings `found`, and print those of `shown` that are errors; the others wait for the end."""
        self.warnings += sum(finding.level == "warning" for finding in found)
        at_once = [finding for finding in shown if finding.level == "error" or not self._grouped(finding)]
        if at_once:
            self._clear()
            report.print_findings(at_once)

    def finish(self, found: Iterable[Finding]) -> None:
        """Count a file that is done, with what was `found` in it."""
        self.done += 1
        self.failed += any(finding.level in self.failing for finding in found)
        now = time.monotonic()
        if self._terminal and (self._drawn is None or now - self._drawn >= REDRAW_INTERVAL):
            self._drawn = now
            failed = f", {self.failed:,} failed" if self.failed else ""
            report.print_text(f"{CLEAR_LINE}{self.done:,} of {self.files:,} checked{failed}")

    def end(self) -> None:
        """Print what waited, warnings first, and the summary."""
        self._clear()
        for group in sorted(self._groups.values(), key=lambda group: group.first.level != "warning"):
            more = f"and {group.count - 1:,} more like it" if group.count > 1 else ""
            report.print_text(report.as_text(group.first, more) + "\n")
        warnings = f"{self.warnings:,} warning{'' if self.warnings == 1 else 's'}"
        report.print_text(f"{self.done:,} checked, {self.failed:,} failed, {warnings}\n")

    def _grouped(self, finding: Finding) -> bool:
        """Whether a finding was put to those that say the same, or became the first of them."""
        said = (finding.level, finding.code, dotted(finding.path), finding.message, finding.fix)
        if said not in self._groups:
            if len(self._groups) >= MAX_GROUPS:
                return False
            self._groups[said] = _Group(finding)
        self._groups[said].count += 1
        return True

    def _clear(self) -> None:
        if self._drawn is not None:
            report.print_text(CLEAR_LINE)
            self._drawn = None
