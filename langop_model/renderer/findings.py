"""Findings: everything langop/model has to say about a specification, of one type.

The catalogue, with the texts, is schema/findings.json. A code never changes its meaning; a retired one is not used again.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Protocol

from langop_model.renderer.record import Record
from langop_model.resources import load_json

Path = tuple[str | int, ...]
LINT = range(610, 650)  # the numbers of lint rules
LEVELS = ("error", "warning", "info")
# What fills a message and may be, or repeat, a value of the specification: a parser's `problem` quotes its source.
_VALUES = ("value", "number", "problem", "secret", "folder")


def dotted(path: Path) -> str:
    """Return a path as people write it: ("spec", "regions", 0, "name") is spec.regions[0].name."""
    text = ""
    for segment in path:
        if isinstance(segment, int):
            text += f"[{segment}]"
        elif "." in segment or not segment.isprintable():
            text += f"[{segment!r}]"
        else:
            text += f".{segment}" if text else segment
    return text


class Located(Protocol):
    """Something that knows where its fields are: a source.Document."""

    name: str

    def locate(self, path: Path) -> tuple[int, int]:
        """Return line and column, from 1, of the field at `path`."""


class Finding(Record):
    """One thing to say.

    `level` is error, warning or info. `fidelity` is empty, or how faithfully the field at `path` is kept: approximate,
    unsupported, or elsewhere (another component's job). `line` and `column` count from 1; 0 means unknown. `public` is the
    message without values of the specification, for clients, who may not read the specification.
    """

    code: str
    level: str
    message: str
    fix: str = ""
    fidelity: str = ""
    path: Path = ()
    resource: str = ""
    file: str = ""
    line: int = 0
    column: int = 0
    public: str = ""

    @property
    def where(self) -> str:
        """The place as file:line:column, as far as it is known."""
        return ":".join(str(part) for part in (self.file, self.line, self.column) if part)


class SpecError(Exception):
    """The specification is wrong, or requests something unsupported: exit code 1.

    `findings` holds at least one finding of level error, and everything else that was found until then.
    """

    def __init__(self, findings: Iterable[Finding]) -> None:
        self.findings = tuple(findings)
        super().__init__("; ".join(finding.message for finding in self.findings))

    def __reduce__(self) -> tuple[type[SpecError], tuple[tuple[Finding, ...]]]:
        """Let another process have it, whole."""
        return type(self), (self.findings,)


def catalogue() -> dict[str, dict[str, str]]:
    """Return the catalogue: code to level, title, message, fix and, where it applies, fidelity."""
    codes: dict[str, dict[str, str]] = load_json("findings.json")["codes"]
    return codes


def lint_codes() -> frozenset[str]:
    """Return the codes of lint rules, which a comment switches off (langop_model/renderer/lint)."""
    return frozenset(code for code in catalogue() if int(code[2:]) in LINT)


def make(code: str, path: Path = (), **values: Any) -> Finding:
    """Return the catalogue's finding `code` with its texts filled in; it has no place yet."""
    entry = catalogue()[code]
    values["field"] = dotted(path)
    message = entry["message"].format_map(values)
    hidden = {name: "(hidden)" for name in _VALUES if name in values}
    return Finding(
        code=code,
        level=entry["level"],
        message=message,
        fix=entry.get("fix", "").format_map(values),
        fidelity=entry.get("fidelity", ""),
        path=path,
        public=entry["message"].format_map(values | hidden) if hidden else message,
    )


def error(code: str, *, file: str = "", line: int = 0, column: int = 0, **values: Any) -> SpecError:
    """Return a SpecError of one finding about a source, for the caller to raise."""
    return SpecError([make(code, **values).replace(file=file, line=line, column=column)])


class Findings:
    """Collects the findings about one resource and gives each its place in the source.

    `downgraded` names codes whose errors count as warnings here: a newer operator's unknown field must not stop an older
    image.
    """

    __slots__ = ("document", "downgraded", "items", "resource")

    def __init__(self, document: Located | None = None, resource: str = "", downgraded: frozenset[str] = frozenset()) -> None:
        self.document = document
        self.resource = resource
        self.downgraded = downgraded
        self.items: list[Finding] = []

    def add(self, code: str, *path: str | int, **values: Any) -> None:
        """Record the finding `code` about the field at `path`; `values` fill the catalogue's text."""
        self.record(make(code, path, **values))

    def record(self, finding: Finding) -> None:
        """Record a finding that is already made, once."""
        if finding.code in self.downgraded and finding.level == "error":
            finding = finding.replace(level="warning")
        if self.document is not None and not finding.file:
            line, column = self.document.locate(finding.path)
            finding = finding.replace(file=self.document.name, line=line, column=column, resource=self.resource)
        if finding not in self.items:
            self.items.append(finding)

    @property
    def in_order(self) -> list[Finding]:
        """All findings in the order of the source, whatever order they were found in."""
        return sorted(self.items, key=lambda finding: (finding.line, finding.column, finding.code, dotted(finding.path)))

    @property
    def errors(self) -> list[Finding]:
        """The findings of level error."""
        return [finding for finding in self.items if finding.level == "error"]
