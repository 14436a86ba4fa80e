"""Reading YAML: values, duplicate keys, alias bombs, and the place of each field.

PyYAML does the parsing. This module adds what a configuration file needs and a data format does not: places, refusals.
"""

from __future__ import annotations

import re
from typing import Any

import yaml

from langop_model.renderer import findings, syntax, yaml_values
from langop_model.renderer.findings import Path, SpecError
from langop_model.renderer.limits import MAX_DEPTH, MAX_NODES

_BEFORE = " \t?:-"  # what may stand before the first key or value of a line
_TAGS = frozenset({"null", "bool", "int", "float", "str", "seq", "map", "merge"})  # what JSON can hold


class _Loader(yaml_values.Remembering):
    """PyYAML's safe loader with the scalars of the Kubernetes API server instead of YAML 1.1's dates and base 60."""


_Loader.yaml_implicit_resolvers = {
    letter: [(tag, pattern) for tag, pattern in resolvers if not tag.endswith((":timestamp", ":float", ":int", ":value"))]
    for letter, resolvers in yaml_values.Safe.yaml_implicit_resolvers.items()
}
_Loader.add_implicit_resolver(
    "tag:yaml.org,2002:float",
    re.compile(r"^[-+]?([0-9]+\.[0-9]*|\.[0-9]+|[0-9]+(?=[eE]))([eE][-+]?[0-9]+)?$|^[-+]?\.(inf|Inf|INF)$|^\.(nan|NaN|NAN)$"),
    list("-+0123456789."),
)
_Loader.add_implicit_resolver(
    "tag:yaml.org,2002:int", re.compile(r"^[-+]?(0|[1-9][0-9]*|0[0-7]+|0x[0-9a-fA-F]+)$"), list("-+0123456789")
)


def parse(name: str, text: str) -> list[Any]:
    """Return the values of all documents in `text`; an empty document is None. Raises SpecError (LM005 to LM007, LM016)."""
    loader = None
    try:
        _refuse_deep_nesting(name, text)
        loader = _Loader(text)
        values, nodes = [], []
        while loader.check_node():
            nodes.append(loader.get_node())
            _check(name, text, nodes[-1])
            values.append(_construct(name, text, loader, nodes[-1]))
        _remember(text, nodes)
    except yaml.constructor.ConstructorError as problem:
        raise _needless(name, text, problem.problem_mark, str(problem.problem)) from None
    except yaml.MarkedYAMLError as problem:
        words = " ".join(part for part in (problem.context, problem.problem) if part)
        mark = problem.problem_mark or problem.context_mark
        raise syntax.error("LM005", name, text, words, *_place(mark), language="YAML") from None
    except (yaml.YAMLError, ValueError) as problem:
        reason = (str(problem).splitlines() or [type(problem).__name__])[0].split(";")[0]
        raise syntax.error("LM005", name, text, reason, language="YAML") from None
    finally:
        if loader is not None:
            loader.dispose()
    return values


def _construct(name: str, text: str, loader: Any, node: yaml.Node) -> Any:
    try:
        return yaml_values.construct(node, loader)
    except (AttributeError, IndexError, KeyError):  # PyYAML's own, for a tag that does not fit its text
        raise _needless(name, text, node.start_mark, "a tag that does not fit its value") from None


def values(text: str) -> list[tuple[tuple[int, int], tuple[int, int]]]:
    """Return where each scalar of a YAML text starts and ends: line and column, from 1. Raises yaml.YAMLError."""
    tokens = yaml.scan(text.replace("\t", " "), Loader=_Loader)
    scalars = [token for token in tokens if isinstance(token, yaml.ScalarToken)]
    return [
        ((token.start_mark.line + 1, token.start_mark.column + 1), (token.end_mark.line + 1, token.end_mark.column + 1))
        for token in scalars
    ]


def locate(text: str, index: int, path: Path) -> tuple[int, int]:
    """Return line and column, from 1, of `path` in document `index` of `text`, or of its nearest parent; (0, 0) if unknown."""
    found = _find(text, index, path)
    return (found[0].line + 1, found[0].column + 1) if found else (0, 0)


def written(text: str, index: int, path: Path) -> str:
    """Return the plain value at `path` as it is written in document `index` of `text`."""
    found = _find(text, index, path)
    return str(found[1].value) if found and isinstance(found[1], yaml.ScalarNode) else ""


def _find(text: str, index: int, path: Path) -> tuple[yaml.Mark, yaml.Node] | None:
    """Return place and node of `path`, or of its nearest parent that is there."""
    try:
        node = _compose(text)[index]
    except (yaml.YAMLError, IndexError):
        return None
    mark = node.start_mark
    for segment in path:
        step = _step(node, segment)
        if step is None:
            break
        mark, node = step
    return mark, node


_composed: tuple[str, list[yaml.Node]] | None = None


def _remember(text: str, nodes: list[yaml.Node]) -> None:
    """Keep the nodes of a text that was just read: what is found in it has a place there."""
    global _composed  # noqa: PLW0603 - a cache of one entry, by content
    if "<<" not in text:  # merging changes nodes
        _composed = (text, nodes)


def _compose(text: str) -> list[yaml.Node]:
    """Compose `text`, remembering the last one: the findings of one file come together."""
    global _composed  # noqa: PLW0603 - a cache of one entry, by content
    if _composed is None or _composed[0] != text:
        # A JSON text may be indented with tabs, which YAML forbids; a space keeps every column.
        _composed = (text, list(yaml.compose_all(text.replace("\t", " "), Loader=_Loader)))
    return _composed[1]


def _step(node: yaml.Node, segment: str | int) -> tuple[yaml.Mark, yaml.Node] | None:
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            if key.value == str(segment):
                return key.start_mark, value
    if isinstance(node, yaml.SequenceNode) and isinstance(segment, int) and segment < len(node.value):
        return node.value[segment].start_mark, node.value[segment]
    return None


def _refuse_deep_nesting(name: str, text: str) -> None:
    if _deepest_possible(text) <= MAX_DEPTH:
        return
    depth = 0
    for event in yaml.parse(text, Loader=_Loader):
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
            if depth > MAX_DEPTH:
                raise _located("LM007", name, event.start_mark, problem="is nested too deeply")
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1


def _deepest_possible(text: str) -> int:
    """Return a depth that `text` can't exceed, without parsing it.

    Of collections without brackets, one inside another begins further to the right, or at the same column where a list is the
    value of a map; so there are at most two of them for each column in which a line can begin one.
    """
    column = max((len(line) - len(line.lstrip(_BEFORE)) for line in text.splitlines()), default=0)
    return text.count("[") + text.count("{") + 2 * (column + 2)


def _check(name: str, text: str, root: yaml.Node) -> None:
    """Refuse duplicate keys, keys that are not text, and documents that expand exponentially."""
    sizes: dict[int, int] = {}

    def size(node: yaml.Node) -> int:
        if node.tag.removeprefix("tag:yaml.org,2002:") not in _TAGS:
            raise _needless(name, text, node.start_mark, f"the tag {node.tag}")
        known = sizes.get(id(node))
        if known is not None:
            return known
        sizes[id(node)] = MAX_NODES + 1  # an alias back to a parent finds this
        children = node.value if isinstance(node, yaml.CollectionNode) else []
        if isinstance(node, yaml.MappingNode):
            _check_keys(name, text, node)
            children = [part for pair in node.value for part in pair]
        total = 1 + sum(size(child) for child in children)
        if total > MAX_NODES:
            raise _located("LM007", name, node.start_mark, problem="grows without bound when its aliases are expanded")
        sizes[id(node)] = total
        return total

    size(root)


def _check_keys(name: str, text: str, node: yaml.MappingNode) -> None:
    seen = set()
    for key, _ in node.value:
        if not isinstance(key, yaml.ScalarNode):
            raise _needless(name, text, key.start_mark, "a key must be text")
        if key.value in seen:
            raise _located("LM006", name, key.start_mark, key=key.value)
        if key.tag not in ("tag:yaml.org,2002:str", "tag:yaml.org,2002:merge"):
            raise _located("LM013", name, key.start_mark, key=key.value)
        seen.add(key.value)


def _needless(name: str, text: str, mark: Any, problem: str) -> SpecError:
    return syntax.error("LM016", name, text, problem, *_place(mark))


def _located(code: str, name: str, mark: Any, **values: Any) -> SpecError:
    line, column = _place(mark)
    return findings.error(code, file=name, line=line, column=column, **values)


def _place(mark: Any) -> tuple[int, int]:
    return (mark.line + 1, mark.column + 1) if mark else (0, 0)
