"""Findings as whole documents, and what is printed about many files. One finding on one line is `report`."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from langop_model.renderer.findings import Finding

Kept = Sequence[tuple[str, Sequence[Finding]]]
"""What was found in each source: its name, empty where a finding is about none, and the findings."""


def _sarif(kept: Kept) -> str:
    from langop_model.reports.sarif import document

    return document(kept)


def _junit(kept: Kept) -> str:
    from langop_model.reports.junit import document

    return document(kept)


DOCUMENTS: dict[str, Callable[[Kept], str]] = {"junit": _junit, "sarif": _sarif}
