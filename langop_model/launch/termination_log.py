"""Why the container ended, where Kubernetes looks for it: `kubectl describe pod` shows it."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Mapping
from pathlib import Path

from langop_model import report
from langop_model.renderer.findings import Finding

FILE = "/dev/termination-log"  # terminationMessagePath
MAX_SIZE = 4096  # bytes that Kubernetes keeps


def write(environment: Mapping[str, str], findings: Iterable[Finding]) -> None:
    """Write the errors among `findings` there, or where LANGOP_TERMINATION_LOG says.

    Only into a file that is there: elsewhere nobody would look for it.
    """
    text = "\n".join(report.as_text(finding) for finding in findings if finding.level == "error")
    path = Path(environment.get("LANGOP_TERMINATION_LOG") or FILE)
    with contextlib.suppress(OSError), path.open("rb+") as file:
        file.truncate()
        file.write(_whole_letters(text.encode("utf-8")[:MAX_SIZE]))


def _whole_letters(content: bytes) -> bytes:
    return content.decode("utf-8", errors="ignore").encode("utf-8")
