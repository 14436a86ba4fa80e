"""The errors that the code can give clients: their texts, statuses and codes, as they are written in it."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from langop_model.gateway.serving import connections
from tests.conftest import ROOT

PACKAGES = ("gateway", "translator")
# Where a call's status, message and code are: their positions, and the status where the call has none.
# `None` for a status means: the one of the error that is passed on.
CALLS: dict[str, tuple[int | None, int, int | None, int | None]] = {
    "APIError": (0, 1, 2, None),
    "error_body": (1, 2, None, None),
    "UpstreamError": (1, 2, None, None),
    "Failure": (1, 2, None, None),
    "refusal": (None, 0, 2, 400),
    "RefusedRequestError": (1, 0, None, 400),
    "MalformedStreamError": (None, 0, None, 502),
    "AnswerTooLargeError": (None, 0, None, 502),
    "MalformedAnswerError": (None, 0, None, 502),
    "_malformed": (None, 0, None, 502),
    "_broken": (None, 0, None, 502),
    "_refuse": (0, 1, 2, None),
}
CONSTANTS = {"FULL": connections.FULL}  # of other modules
Known = dict[str, list[ast.expr]]  # what is assigned to each name
ANY = "…"  # what a text has in the place of a value


@dataclass(frozen=True, order=True)
class ClientError:
    """A text as it is written in the code, with the statuses that it may have; 0 for one that is not written there."""

    text: str
    status: int
    code: str = ""


def every() -> set[ClientError]:
    """Return all errors of the front and of the translator."""
    files = [path for package in PACKAGES for path in sorted((ROOT / "langop_model" / package).rglob("*.py"))]
    return {error for path in files for error in _of_module(path)}


def _of_module(path: Path) -> Iterator[ClientError]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    names = _assigned(tree)  # of the module
    for function in ast.walk(tree):
        if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef):
            known = {**names, **_assigned(function)}
            for node in ast.walk(function):
                if isinstance(node, ast.Call):
                    yield from _of_call(node, known)
                elif isinstance(node, ast.Assign) and isinstance(node.value, ast.Tuple) and _is_refusal(node):
                    yield from _of_parts(node.value.elts[0], node.value.elts[1], None, known)


def _is_refusal(node: ast.Assign) -> bool:
    """Whether an assignment keeps a status and a message for later (protocol.py)."""
    target = node.targets[0]
    return isinstance(target, ast.Attribute) and target.attr == "refusal"


def _of_call(call: ast.Call, known: Known) -> Iterator[ClientError]:
    name = call.func.id if isinstance(call.func, ast.Name) else call.func.attr if isinstance(call.func, ast.Attribute) else ""
    if name not in CALLS:
        return
    at_status, at_text, at_code, default = CALLS[name]
    arguments = {keyword.arg: keyword.value for keyword in call.keywords}

    def argument(at: int | None, keyword: str) -> ast.expr | None:
        return call.args[at] if at is not None and at < len(call.args) else arguments.get(keyword)

    status = argument(at_status, "status") or ast.Constant(default)
    text, code = argument(at_text, "message"), argument(at_code, "code")
    if code is None and name == "refusal":
        code = ast.Constant("unsupported_parameter")
    if text is not None:
        yield from _of_parts(status, text, code, known)


def _of_parts(status: ast.expr, text: ast.expr, code: ast.expr | None, known: Known) -> Iterator[ClientError]:
    status, text = _resolved(status, known), _resolved(text, known)
    if isinstance(status, ast.IfExp) and isinstance(text, ast.IfExp) and ast.dump(status.test) == ast.dump(text.test):
        yield from _of_parts(status.body, text.body, code, known)
        yield from _of_parts(status.orelse, text.orelse, code, known)
        return
    codes = [each for each in _values(code, known) if isinstance(each, str)] if code is not None else []
    texts = [each for each in _values(text, known) if isinstance(each, str)] or [ANY]
    numbers = [each for each in _values(status, known) if isinstance(each, int)] or [0]
    for each in texts:
        if codes or each.strip(f"{ANY} ,.:"):  # a text of somebody else is passed on
            yield from (ClientError(each, number, name) for number in numbers for name in codes or [""])


def _resolved(node: ast.expr, known: Known) -> ast.expr:
    """Return what was last assigned to a name before its use."""
    if isinstance(node, ast.Name):
        before = [each for each in known.get(node.id, []) if each.lineno <= node.lineno]
        return before[-1] if before else node
    return node


def _values(node: ast.expr, known: Known) -> list[object]:
    """Return the constants that an expression may be."""
    node = _resolved(node, known)
    if isinstance(node, ast.Constant):
        return [node.value]
    if isinstance(node, ast.JoinedStr):
        parts = [part.value if isinstance(part, ast.Constant) else ANY for part in node.values]
        return ["".join(map(str, parts))]
    if isinstance(node, ast.IfExp):
        return [*_values(node.body, known), *_values(node.orelse, known)]
    if isinstance(node, ast.BoolOp):
        return [value for each in node.values for value in _values(each, known)]
    if isinstance(node, ast.Attribute) and node.attr in CONSTANTS:
        return [CONSTANTS[node.attr]]
    return []


def _assigned(tree: ast.AST) -> Known:
    """Return what is assigned to each name: in the module itself, or in a function."""
    found: Known = {}
    nodes = tree.body if isinstance(tree, ast.Module) else list(ast.walk(tree))
    for node in nodes:
        if isinstance(node, ast.Assign) and len(node.targets) == 1 and isinstance(node.targets[0], ast.Name):
            found.setdefault(node.targets[0].id, []).append(node.value)
    return {name: sorted(values, key=lambda value: value.lineno) for name, values in found.items()}
