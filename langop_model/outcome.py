"""How a command ends: findings are printed as they come, or once for many files, and decide the exit code."""

from __future__ import annotations

import sys
from collections.abc import Collection, Iterable
from typing import TYPE_CHECKING

from langop_model import report
from langop_model.renderer.findings import LEVELS, Finding, SpecError, error
from langop_model.reports import DOCUMENTS

if TYPE_CHECKING:
    from langop_model.reports.many_files import ManyFiles
    from langop_model.sources import Result


class Outcome:
    """Prints findings in `style`, those of `level` and above; with `strict` a warning counts as an error.

    What has a code of `ignored` is neither printed nor counted, unless it is an error. With `quiet`, only what makes the
    command fail is printed. Of many files, errors are printed as they come, and everything else at the end, what is the same
    only once, with a summary.
    """

    def __init__(
        self, style: str, strict: bool = False, *, level: str = "info", quiet: bool = False, ignored: Collection[str] = ()
    ) -> None:
        self.style, self.quiet, self.ignored = style, quiet, ignored
        self.failing = {"error", "warning"} if strict else {"error"}
        self.shown = self.failing if quiet else set(LEVELS[: LEVELS.index(level) + 1])
        self.failed = False
        self._kept: list[tuple[str, list[Finding]]] = []  # for a style that is one document
        self._many: ManyFiles | None = None

    def expect(self, files: int) -> None:
        """Say how many files the command will `finish`."""
        if files > 1 and self.style == "text" and not self.quiet:
            from langop_model.reports.many_files import ManyFiles

            self._many = ManyFiles(files, self.failing)

    def add(self, findings: Iterable[Finding], source: str = "") -> None:
        """Print `findings`, or keep them until they are printed."""
        self._add(self._without_ignored(findings), source)

    def finish(self, result: Result) -> None:
        """Print what there is to say about a file, or another source, that is done."""
        found = self._without_ignored(result.findings)
        self._add(found, result.source)
        if self._many is not None:
            self._many.finish(found)

    def _add(self, found: list[Finding], source: str) -> None:
        self.failed |= any(finding.level in self.failing for finding in found)
        shown = [finding for finding in found if finding.level in self.shown]
        if self.style in DOCUMENTS:
            self._kept.append((source, shown))
        elif self._many is not None:
            self._many.add(found, shown)
        else:
            report.print_findings(shown, self.style)

    def _without_ignored(self, findings: Iterable[Finding]) -> list[Finding]:
        return [finding for finding in findings if finding.level == "error" or finding.code not in self.ignored]

    def collecting(self) -> _Collecting:
        """Return a context in which a SpecError is printed, and ends the context only."""
        return _Collecting(self)

    def exit(self) -> None:
        """Print what was kept. End the program with 1 if there was an error; else return."""
        if self._many is not None:
            self._many.end()
        if self.style in DOCUMENTS:
            report.print_text(DOCUMENTS[self.style](self._kept))
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


def write_result(text: str) -> None:
    """Write to standard output in UTF-8, which LiteLLM reads, whatever the terminal speaks. Raises SpecError (LM015)."""
    try:
        if sys.stdout is None:
            raise OSError("it is closed")
        sys.stdout.buffer.write(text.encode("utf-8"))
        sys.stdout.buffer.flush()
    except BrokenPipeError:
        raise  # nobody reads on: the command ends quietly
    except OSError as problem:
        raise error("LM015", file="<stdout>", reason=problem.strerror or str(problem)) from None
