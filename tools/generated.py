"""Parts of documents that are generated: what stands between two marks, and whole pages. One helper for every tool."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Section:
    """What `content` returns is in `document` between two marks; `target` of make writes it."""

    document: Path
    target: str
    name: str
    content: Callable[[], str]

    @property
    def start(self) -> str:
        """The mark before it, which says how it is written."""
        return f"<!-- {self.name}: make {self.target} -->"

    @property
    def end(self) -> str:
        """The mark after it."""
        return f"<!-- end of the {self.name} -->"

    def filled(self, text: str) -> str:
        """Return the document's `text` with the content between the marks."""
        return between(text, self.start, self.end, self.content())

    def is_current(self, root: Path) -> bool:
        """Whether the document below `root` is what would be written."""
        text = (root / self.document).read_text(encoding="utf-8")
        return self.start in text and self.filled(text) == text

    def write(self) -> None:
        """Write the document."""
        self.document.write_text(self.filled(self.document.read_text(encoding="utf-8")), encoding="utf-8")


def between(text: str, start: str, end: str, content: str) -> str:
    """Return `text` with `content` between the marks `start` and `end`."""
    before, _, rest = text.partition(start)
    _, _, after = rest.partition(end)
    return f"{before}{start}\n\n{content}\n\n{end}{after}"


def main(*sections: Section) -> None:
    """Write the sections; with --check say which are stale, and end with 1."""
    if "--check" not in sys.argv:
        for section in sections:
            section.write()
        return
    stale = [section for section in sections if not section.is_current(Path())]
    sys.exit("\n".join(f"{each.document}: run make {each.target}" for each in stale) or 0)
