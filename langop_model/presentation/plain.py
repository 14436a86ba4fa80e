"""What several formats share: characters that must not reach a terminal or a page as they are."""

from __future__ import annotations

import html


def printable(text: str) -> str:
    """Return `text` on one line: a value must not write to the terminal."""
    return "".join(letter if letter.isprintable() else repr(letter)[1:-1] for letter in text)


def cell(text: str) -> str:
    """Return a text in Markdown for a cell of a table, or for an item of a list: on one line, without the end of a cell."""
    return "".join(letter if letter.isprintable() else " " for letter in text).replace("|", "\\|")


def markdown(text: str) -> str:
    """Return `text` for a cell of a Markdown table or a paragraph: nothing in it is markup."""
    escaped = html.escape(printable(text), quote=False)
    for letter in ("\\", "`", "*", "_", "[", "]", "|", "~"):
        escaped = escaped.replace(letter, f"\\{letter}")
    return escaped
