"""What the API server estimates that a rule in CEL costs, from above.

An API server refuses a CustomResourceDefinition with a rule whose estimate is above 10,000,000, or with rules above
100,000,000 together (apiextensions-apiserver, StaticEstimatedCostLimit and StaticEstimatedCRDCostLimit). Its estimate counts
a step for each operation, more for texts and lists by their greatest length, and multiplies by how often a rule may be
evaluated. Here the same with every doubt rounded up: each node of the syntax tree is a step, and what has no bound is as large
as a request may be.

    steps         1 for each node of the tree
    text          a tenth of its length, for comparing and searching it; times a quarter of the pattern's length for matches()
    x in list     the list's length
    all, exists   the length of the list or map, times the cost of the body and 5 for the loop
    a rule        times the greatest number of items of every list and map that its field is in
"""

from __future__ import annotations

from collections.abc import Iterator
from math import ceil
from typing import Any

from lark import Token, Tree

RULE_LIMIT, DEFINITION_LIMIT = 10_000_000, 100_000_000
REQUEST = 3 * 1024 * 1024  # bytes: the greatest request of an API server
_MACROS = ("all", "exists", "exists_one")
_SEARCHES = ("contains", "startsWith", "endsWith", "matches")

Node = dict[str, Any]


def rules(node: Node, times: int = 1) -> Iterator[tuple[Node, dict[str, str], int]]:
    """Yield each rule below `node` with the schema that it is about, and how often it may be evaluated."""
    for rule in node.get("x-kubernetes-validations", []):
        yield node, rule, times
    for child in node.get("properties", {}).values():
        yield from rules(child, times)
    if "items" in node:
        yield from rules(node["items"], times * _length(node))
    if "additionalProperties" in node:
        yield from rules(node["additionalProperties"], times * _length(node))


def estimate(rule: str, node: Node) -> int:
    """Return the cost of evaluating `rule` once about a value of the schema `node`."""
    from celpy.celparser import CELParser

    return _cost(CELParser().parse(rule), {"self": node})


def _cost(tree: Tree[Token] | Token, scope: dict[str, Node]) -> int:
    if not isinstance(tree, Tree):
        return 0
    children: list[Any] = [child for child in tree.children if child is not None]
    if tree.data == "member_dot_arg":
        return _cost_of_call(children, scope)
    own = 1
    if tree.data == "ident_arg" and str(children[0]) != "has":  # duration(self)
        own += ceil(_length_of_text(children[1].children[0], scope) / 10)
    if tree.data == "relation" and len(children) == 2:
        own += _cost_of_relation(children, scope)
    return own + sum(_cost(child, scope) for child in children)


def _cost_of_call(children: list[Any], scope: dict[str, Node]) -> int:
    subject, name, *arguments = children
    inside = arguments[0].children if arguments else []
    if str(name) in _MACROS:
        variable, body = _name(inside[0]), inside[1]
        held = _node_of(subject, scope) or {}
        item = held.get("items") or {"type": "string"}  # of a map its keys, which have no bound
        return 1 + _cost(subject, scope) + _length(held) * (5 + _cost(body, {**scope, variable: item}))
    own = 1
    if str(name) in _SEARCHES:
        wanted = _length_of_text(inside[0], scope)
        own += ceil(wanted / 4 if str(name) == "matches" else wanted / 10)
        if str(name) in ("contains", "matches"):  # the others look at one end only
            own *= 1 + ceil(_length_of_text(subject, scope) / 10)
    return own + _cost(subject, scope) + sum(_cost(each, scope) for each in inside)


def _cost_of_relation(children: list[Any], scope: dict[str, Node]) -> int:
    operator = children[0].data
    if operator == "relation_in":
        held = _node_of(children[1], scope)
        return _length(held) if held is not None else len(list(children[1].find_data("literal")))
    return ceil(min(_length_of_text(each, scope) for each in children) / 10)


def _length_of_text(tree: Any, scope: dict[str, Node]) -> int:
    """Return the greatest length of what an expression is: a field's, a literal's, or a request's where neither is known."""
    held = _node_of(tree, scope)
    if held is not None:
        return _length(held)
    inner = _unwrapped(tree)
    if inner.data == "ident_arg":  # a duration, or what has() says: not a text
        return 1
    return len(str(inner.children[0])) if inner.data == "literal" else REQUEST


def _length(node: Node) -> int:
    """Return the greatest length of a list, a map or a text; that of a request where none is stated."""
    for bound in ("maxItems", "maxProperties", "maxLength"):
        if bound in node:
            return int(node[bound])
    return 1 if node.get("type") in ("boolean", "integer", "number") else REQUEST


def _node_of(tree: Any, scope: dict[str, Node]) -> Node | None:
    """Return the schema of self.a.b or of a loop's variable; None for anything else."""
    tree = _unwrapped(tree)
    if isinstance(tree, Token):
        return scope.get(str(tree))
    if tree.data == "ident":
        return scope.get(str(tree.children[0]))
    if tree.data == "member_dot":
        held = _node_of(tree.children[0], scope)
        found: Node | None = (held or {}).get("properties", {}).get(str(tree.children[1]))
        return found
    return None


def _unwrapped(tree: Any) -> Any:
    while isinstance(tree, Tree) and len(tree.children) == 1 and tree.data not in ("ident", "literal", "ident_arg"):
        tree = tree.children[0]
    return tree


def _name(tree: Any) -> str:
    inner = _unwrapped(tree)
    return str(inner.children[0] if isinstance(inner, Tree) else inner)
