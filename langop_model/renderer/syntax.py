"""What a parser did not understand, with what to do about it: the table `syntax` of schema/findings.json."""

from __future__ import annotations

import re

from langop_model.renderer import findings
from langop_model.renderer.findings import SpecError
from langop_model.resources import load_json


def error(code: str, name: str, text: str, problem: str, line: int = 0, column: int = 0, **values: str) -> SpecError:
    """Return the error `code` (LM005 or LM016) about `text`, for the caller to raise; `line` and `column` count from 1."""
    lines = text.splitlines()
    fix = fix_of(problem, lines[line - 1] if 0 < line <= len(lines) else "")
    return findings.error(code, file=name, line=line, column=column, problem=problem, fix=fix, **values)


def fix_of(problem: str, line: str) -> str:
    """Return what to do about a parser's `problem` in `line`; empty where the table does not say."""
    for entry in load_json("findings.json")["syntax"]:
        if entry["problem"] in problem and re.search(entry["line"], line):
            fix: str = entry["fix"]
            return fix
    return ""
