"""`make lint-table`: docs/lint.md, of the rules' texts (schema/findings.json) and of what their docstrings say."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from pathlib import Path

from langop_model.renderer import findings, lint
from tools import generated

DOCUMENT = Path("docs/lint.md")
START, END = "<!-- lint rules: make lint-table -->", "<!-- end of the lint rules -->"
_VALUE = re.compile(r"\{(\w+)\}")


def rules() -> Iterator[str]:
    """Yield a section of Markdown for each rule, in the order of the codes."""
    for code, rule in sorted({**lint.RULES, **lint.FILE_RULES}.items()):
        entry = findings.catalogue()[code]
        message, fix = (_VALUE.sub(lambda value: value[1].upper(), entry[text]) for text in ("message", "fix"))
        yield f"### {code} {entry['title']}\n\n> {message}\n\n{inspect.getdoc(rule)}\n\nWhat to do: {fix}.\n"


def filled(text: str) -> str:
    """Return the document's `text` with the rules between its marks."""
    return generated.between(text, START, END, "\n".join(rules()).rstrip("\n"))


def main() -> None:
    """Write the document's rules."""
    DOCUMENT.write_text(filled(DOCUMENT.read_text(encoding="utf-8")), encoding="utf-8")


if __name__ == "__main__":
    main()
