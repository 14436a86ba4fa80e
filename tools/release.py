"""The version of the project and what is new in it: written for a release, and checked against its tag.

    python3 tools/release.py prepare 1.2.3    writes the version wherever it stands, and dates the entries under Unreleased
    python3 tools/release.py notes v1.2.3     prints the entries of that version, if it is the project's

Needs nothing but Python: the workflow of a release runs it before anything is installed.
"""

from __future__ import annotations

import datetime
import re
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent
CHANGELOG = "CHANGELOG.md"
# Where the version is: the group of each pattern. pyproject.toml is the one that counts; the chart has it twice.
PLACES = {
    "pyproject.toml": r'^version = "(.+)"$',
    "langop_model/__init__.py": r'^__version__ = "(.+)"$',
    "deploy/chart/Chart.yaml": r"^(?:version|appVersion): (.+)$",
    "docs/installing.md": r"langop_model-([\d.]+)-py3-none-any\.whl",
}
UNRELEASED = "## Unreleased"


class ReleaseError(Exception):
    """What stands against a release, in words for the one who makes it."""


def versions(root: Path = ROOT) -> dict[str, list[str]]:
    """Return the versions that each place names."""
    return {name: re.findall(pattern, _read(root, name), re.MULTILINE) for name, pattern in PLACES.items()}


def prepare(version: str, day: datetime.date, root: Path = ROOT) -> None:
    """Write the version into each place, and head the entries under Unreleased with it and the day.

    Raises ReleaseError for what is no version, and where no entry says what is new; then nothing is written.
    """
    if not re.fullmatch(r"\d+\.\d+\.\d+", version):
        raise ReleaseError(f"{version} is not a version: three numbers are, such as 1.2.3")
    changes = _read(root, CHANGELOG)
    if not entries(changes, UNRELEASED):
        raise ReleaseError(f"{CHANGELOG} has no entries under Unreleased: what is new?")
    written = {name: _with_version(_read(root, name), pattern, version) for name, pattern in PLACES.items()}
    written[CHANGELOG] = changes.replace(f"{UNRELEASED}\n", f"{UNRELEASED}\n\n## {version} - {day.isoformat()}\n", 1)
    for name, text in written.items():
        (root / name).write_text(text, encoding="utf-8")


def notes(tag: str, root: Path = ROOT) -> str:
    """Return what is new in the version of a tag. Raises ReleaseError where the project or its changelog has another one."""
    (version,) = versions(root)["pyproject.toml"]
    if tag != f"v{version}":
        raise ReleaseError(f"the tag is {tag}, but the version in pyproject.toml is {version}: its tag is v{version}")
    changes = _read(root, CHANGELOG)
    if entries(changes, UNRELEASED):
        raise ReleaseError(f"{CHANGELOG} still has entries under Unreleased: make release VERSION={version}")
    heading = re.search(rf"^## {re.escape(version)} - \d{{4}}-\d\d-\d\d$", changes, re.MULTILINE)
    found = entries(changes, heading[0]) if heading else ""
    if not found:
        raise ReleaseError(f"{CHANGELOG} has no entries under a heading like ## {version} - 2026-01-31")
    return f"{found}\n"


def entries(changes: str, heading: str) -> str:
    """Return what is between a heading and the next one of its level."""
    _, _, rest = f"\n{changes}".partition(f"\n{heading}\n")
    return re.split(r"^## ", rest, maxsplit=1, flags=re.MULTILINE)[0].strip()


def _read(root: Path, name: str) -> str:
    return (root / name).read_text(encoding="utf-8")


def _with_version(text: str, pattern: str, version: str) -> str:
    def written(found: re.Match[str]) -> str:
        before, after = found.start(1) - found.start(), found.end(1) - found.start()
        return f"{found[0][:before]}{version}{found[0][after:]}"

    return re.sub(pattern, written, text, flags=re.MULTILINE)


def main(arguments: list[str]) -> int:
    """Run a command, and return its exit code: 2 for wrong usage."""
    try:
        match arguments:
            case ["prepare", version]:
                prepare(version, datetime.datetime.now(tz=datetime.UTC).date())
            case ["notes", tag]:
                sys.stdout.write(notes(tag))
            case _:
                sys.stderr.write(f"{__doc__}")
                return 2
    except ReleaseError as problem:
        sys.stderr.write(f"{problem}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
