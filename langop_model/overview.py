"""What `langop-model --help` says: the commands, without click, with which it takes five times as long (start.py)."""

from __future__ import annotations

import os
import sys

TYPE_CHECKING = False  # see start.py
if TYPE_CHECKING:
    from collections.abc import Iterator

from langop_model.commands import COMMANDS  # noqa: E402

NARROWEST, WIDEST = 50, 100  # columns
ABOUT = (
    "Turn LanguageModels into LiteLLM configurations.",
    """SOURCE is a file, a folder of files, or - for standard input: YAML or JSON, a manifest (also several in one file, a List,
    or a ConfigMap with model.json) or a bare spec.""",
)
OPTIONS = {
    "--version": "Show the version of the program and of LiteLLM and exit.",
    "-h, --help": "Show this message and exit.",
}


def text(name: str = "", columns: int = 0) -> str:
    """Return the overview of the program `name` in so many columns: those of this process and of its terminal by default."""
    name = name or os.path.basename(sys.argv[0])  # noqa: PTH119 - pathlib takes time
    width = min(WIDEST, columns) - 2 if columns else _width()
    about = [line for paragraph in ABOUT for line in ("", *_wrapped(paragraph, "  ", "  ", width))]
    lines = [f"Usage: {name} [OPTIONS] COMMAND [ARGS]...", *about]
    for title, table in (("Options", OPTIONS), ("Commands", {name: f"{said}." for name, said in COMMANDS.items()})):
        column = max(map(len, table)) + 4
        lines += ["", f"{title}:"]
        for name, said in table.items():
            lines += _wrapped(said, f"  {name}".ljust(column), " " * column, width)
    return "\n".join(lines) + "\n"


def _width() -> int:
    """Return the columns to fill: of COLUMNS, of the terminal, or 80."""
    columns = os.environ.get("COLUMNS", "")
    try:
        width = int(columns) if columns.isdecimal() else os.get_terminal_size().columns
    except OSError:
        width = 80
    return max(NARROWEST, min(WIDEST, width or 80)) - 2


def _wrapped(paragraph: str, first: str, others: str, width: int) -> Iterator[str]:
    """Yield the lines of a paragraph, with what the first and the others begin with."""
    line = first
    for word in paragraph.split():
        if len(line) + len(word) > width and line.strip() != first.strip():
            yield line.rstrip()
            line = others
        line += f"{word} "
    yield line.rstrip()
