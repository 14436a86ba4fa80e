"""What a line of LiteLLM's log says without its values: the constant parts of the text, read from LiteLLM's source.

A value may be what a client wrote, or what a provider answered to it; what stands in the source can't be.
"""

from __future__ import annotations

import ast
import re
import sys
import textwrap
from collections.abc import Mapping
from functools import lru_cache
from itertools import islice

VALUE = "…"  # in place of a value
LONGEST_CALL = 40  # lines of source; LiteLLM's longest call of a logger has 15
METHODS = frozenset({"debug", "info", "warning", "warn", "error", "exception", "critical", "log"})
_PERCENT = re.compile(r"%(?:\(\w+\))?[-#0 +]*[\d*]*(?:\.[\d*]+)?[a-zA-Z]")
_BRACES = re.compile(r"\{[^{}]*\}")


@lru_cache(maxsize=512)
def template(file: str, line: int) -> str:
    """Return the text of the call of a logger that begins at a line of a source file, with … for values.

    Empty where the file can't be read, or where no text stands there.
    """
    try:
        with open(file, encoding="utf-8") as source:  # noqa: PTH123 - a name from a log record
            lines = list(islice(source, line - 1, line - 1 + LONGEST_CALL))
    except (OSError, UnicodeDecodeError):
        return ""
    for end in range(1, len(lines) + 1):
        try:
            tree = ast.parse(textwrap.dedent("".join(lines[:end])))
        except SyntaxError:  # the call goes on
            continue
        return _logged(tree, _constants(file))
    return ""


def _constants(file: str) -> dict[str, str]:
    """Return the constants of the module in a file, which its lines may name: texts in capital letters."""
    module = next((each for each in list(sys.modules.values()) if getattr(each, "__file__", None) == file), None)
    return {name: value for name, value in vars(module or object).items() if name.isupper() and isinstance(value, str)}


def _logged(tree: ast.AST, constants: Mapping[str, str]) -> str:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in METHODS and node.args:
            text = _text(node.args[0], constants)
            if len(node.args) > 1:
                text = _PERCENT.sub(VALUE, text)
            text = " ".join(text.split())
            return text if text.strip(f"{VALUE} .:,-") else ""
    return ""


def _text(node: ast.expr, constants: Mapping[str, str]) -> str:  # noqa: PLR0911 - one for each form
    """Return the constant parts of a text."""
    match node:
        case ast.Constant():
            return str(node.value)
        case ast.Name():
            return constants.get(node.id, VALUE)
        case ast.JoinedStr():
            return "".join(_text(part, constants) for part in node.values)
        case ast.BinOp(op=ast.Add()):
            return _text(node.left, constants) + _text(node.right, constants)
        case ast.BinOp(op=ast.Mod()):
            return _PERCENT.sub(VALUE, _text(node.left, constants))
        case ast.Call(func=ast.Attribute(value=text, attr="format")):
            return _BRACES.sub(VALUE, _text(text, constants))
    return VALUE
