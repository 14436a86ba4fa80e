"""Comments that switch a lint rule off.

    timeout: 50ms  # langop: ignore LM613            this line
    # langop: ignore LM613, LM618                    the next line
    # langop: ignore-file LM617                      the whole file, all of its documents

What comes after the codes is for readers. JSON has no comments: there `--ignore` is the way.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
from types import MappingProxyType

from langop_model.renderer.findings import Path
from langop_model.renderer.record import Record
from langop_model.renderer.source import Document

_MARK = "langop:"
# Most files have no such comment: these are compiled where one is read.
_COMMENT = r"(?:^|(?<=\s))#+\s*langop:(?P<said>.*)"
_SAID = r"\s*(?P<scope>ignore|ignore-file)(?P<codes>(?:[\s,]+LM\d{3}\b)+)"
_NOTHING = r"\s*(#.*)?"  # a line without a field


class Said(Record):
    """A comment for this program, with its place, from 1: the `codes` it names, none where it is not understood."""

    line: int
    column: int
    codes: tuple[str, ...]
    text: str


class Switches(Record):
    """The codes that a text switches off: for the whole `file`, and for `lines`, counted from 1. `said`: all its comments."""

    file: frozenset[str] = frozenset()
    lines: Mapping[int, frozenset[str]] = MappingProxyType({})
    said: tuple[Said, ...] = ()

    def hides(self, code: str, document: Document, path: Path) -> bool:
        """Whether the rule `code` is switched off for the line of the field at `path`."""
        if not any(code in codes for codes in self.lines.values()):
            return False
        # A text inside a ConfigMap has lines of its own.
        line, _ = document.locate_in_text(path)
        return code in self.lines.get(line, ())


NONE = Switches()


@lru_cache(maxsize=8)
def read(text: str) -> Switches:
    """Return what the comments in a text switch off."""
    if _MARK not in text:
        return NONE
    whole: set[str] = set()
    lines: dict[int, frozenset[str]] = {}
    said = []
    rows = text.splitlines()
    for line, column, words in _comments(text, rows):
        match = re.match(_SAID, words)
        codes = tuple(re.findall(r"LM\d{3}", match["codes"])) if match else ()
        said.append(Said(line, column, codes, words.strip()))
        if match is None:
            continue
        if match["scope"] == "ignore-file":
            whole.update(codes)
            continue
        alone = not rows[line - 1][: column - 1].strip()
        about = (
            next((n for n in range(line + 1, len(rows) + 1) if not re.fullmatch(_NOTHING, rows[n - 1])), 0) if alone else line
        )
        lines[about] = lines.get(about, frozenset()) | set(codes)
    return Switches(frozenset(whole), lines, tuple(said))


def _comments(text: str, rows: list[str]) -> Iterator[tuple[int, int, str]]:
    """Yield line, column and words of the comments for this program: what looks like one inside a value is a value."""
    import yaml

    from langop_model.renderer import yaml_source

    found = [(n, match) for n, row in enumerate(rows, 1) if _MARK in row for match in [re.search(_COMMENT, row)] if match]
    try:
        values = yaml_source.values(text) if found else []
    except yaml.YAMLError:
        return
    for line, match in found:
        place = (line, match.start() + 1)
        if not any(start <= place < end for start, end in values):
            yield *place, match["said"]
