"""`make environment`: the variables, in docs/environment.md, from tools/environment.yaml."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import yaml

from langop_model.presentation.plain import cell
from tools import generated
from tools.generated import Section

DATA = Path(__file__).with_name("environment.yaml")


@cache
def rows() -> tuple[dict[str, Any], ...]:
    """Return the rows, in the order of the file."""
    return tuple(yaml.safe_load(DATA.read_text(encoding="utf-8")))


def table() -> str:
    """Return the whole table in Markdown."""
    lines = ["| variable | means | without it | read by | example |", "|---|---|---|---|---|"]
    return "\n".join([*lines, *map(_row, rows())])


def _row(row: dict[str, Any]) -> str:
    means, without, reader, example = (cell(row[name]) for name in ("means", "default", "read_by", "example"))
    return f"| {_names(row)} | {means} | {without} | {reader} | `{example}` |"


def _names(row: dict[str, Any]) -> str:
    return ", ".join(f"`{name}`" for name in row["variables"])


SECTION = Section(Path("docs/environment.md"), "environment", "table of variables", table)

if __name__ == "__main__":
    generated.main(SECTION)
