"""`make environment`: the variables, in docs/environment.md and in README.md, from tools/environment.yaml."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import yaml

from tools import generated
from tools.generated import Section, cell

DATA = Path(__file__).with_name("environment.yaml")


@cache
def rows() -> tuple[dict[str, Any], ...]:
    """Return the rows, in the order of the file."""
    return tuple(yaml.safe_load(DATA.read_text(encoding="utf-8")))


def table() -> str:
    """Return the whole table in Markdown."""
    lines = ["| variable | means | without it | read by | example |", "|---|---|---|---|---|"]
    for row in rows():
        means = row["means"].replace("](docs/", "](")
        lines.append(
            f"| {_names(row)} | {cell(means)} | {cell(row['default'])} | {cell(row['read_by'])} | `{cell(row['example'])}` |"
        )
    return "\n".join(lines)


def short_table() -> str:
    """Return the table of README.md."""
    lines = ["| variable | means |", "|---|---|"]
    return "\n".join([*lines, *(f"| {_names(row)} | {cell(row['means'])} |" for row in rows())])


def _names(row: dict[str, Any]) -> str:
    return ", ".join(f"`{name}`" for name in row["variables"])


SECTIONS = (
    Section(Path("docs/environment.md"), "environment", "table of variables", table),
    Section(Path("README.md"), "environment", "table of variables", short_table),
)

if __name__ == "__main__":
    generated.main(*SECTIONS)
