"""Whether a JSON Schema accepts a value: yes or no, the same as jsonschema says, without importing it.

jsonschema words errors, and most specifications have none. Importing it takes longer than all the rest of a command, and
importing jsonschema-rs (0.61) 2.5 times as long as starting Python; this takes nothing.
tests/unit/renderer/test_verdict.py compares the verdicts about thousands of changed specifications and configurations.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

Format = Callable[[object], bool]
"""Whether a value has a format; a ValueError means that it has not."""

_Keyword = Callable[["Checker", Any, Any, Any], bool]  # of the checker, the rule, the value, and the part that holds the rule
_Rule = tuple[_Keyword, Any]

# Keywords that refuse nothing; those that start with x- are this project's own.
_ANNOTATIONS = frozenset({"$comment", "$defs", "$id", "$schema", "default", "description", "examples", "title"})


class Checker:
    """Checks values against `schema` (JSON Schema 2020-12), or against parts of it.

    `formats` are the formats that are checked, by name; any other says nothing. Raises NotImplementedError for a keyword that
    has no function here, when a value reaches it: no schema of this project has one (a test).
    """

    def __init__(self, schema: Any, formats: Mapping[str, Format] | None = None) -> None:
        self.schema = schema
        self.formats = formats or {}
        self._rules: dict[int, list[_Rule]] = {}  # by the identity of a part: it lives as long as the schema

    def accepts(self, value: Any, part: Any = None) -> bool:
        """Whether the schema, or a `part` of it, accepts `value`."""
        part = self.schema if part is None else part
        if isinstance(part, bool):
            return part
        rules = self._rules.get(id(part))
        if rules is None:
            rules = self._rules[id(part)] = [_rule(name, rule) for name, rule in part.items() if not _says_nothing(name)]
        for check, rule in rules:  # noqa: SIM110 - twice as fast as all()
            if not check(self, rule, value, part):
                return False
        return True


def _says_nothing(keyword: str) -> bool:
    return keyword in _ANNOTATIONS or keyword.startswith("x-")


def _rule(keyword: str, rule: Any) -> _Rule:
    check = _KEYWORDS.get(keyword)
    if check is None:
        raise NotImplementedError(f"no verdict about the keyword {keyword}")
    return check, rule


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_integer(value: Any) -> bool:
    return (isinstance(value, int) and not isinstance(value, bool)) or (isinstance(value, float) and value.is_integer())


_TYPES: dict[str, Callable[[Any], bool]] = {
    "array": lambda value: isinstance(value, list),
    "boolean": lambda value: isinstance(value, bool),
    "integer": _is_integer,
    "null": lambda value: value is None,
    "number": _is_number,
    "object": lambda value: isinstance(value, dict),
    "string": lambda value: isinstance(value, str),
}


def _type(_: Checker, rule: str | list[str], value: Any, __: Any) -> bool:
    return _TYPES[rule](value) if isinstance(rule, str) else any(_TYPES[name](value) for name in rule)


def _equal(one: Any, other: Any) -> bool:
    """JSON's equality: true is not 1, and 1 is 1.0. Values of an enum are no lists and no objects here (a test)."""
    return isinstance(one, bool) == isinstance(other, bool) and bool(one == other)


def _enum(_: Checker, rule: list[Any], value: Any, __: Any) -> bool:
    return value in rule and any(_equal(each, value) for each in rule)


def _const(_: Checker, rule: Any, value: Any, __: Any) -> bool:
    return _equal(rule, value)


def _bound(holds: Callable[[Any, Any], bool]) -> _Keyword:
    return lambda _, rule, value, __: not _is_number(value) or holds(value, rule)


def _size(kind: type[list[Any]] | type[str] | type[dict[str, Any]], holds: Callable[[int, int], bool]) -> _Keyword:
    return lambda _, rule, value, __: not isinstance(value, kind) or holds(len(value), rule)


_PREFIXES = re.compile(r"\^\(([A-Za-z0-9_|-]+)\)/\.")


@cache
def _search(pattern: str) -> Callable[[str], Any]:
    """Return a function that says whether a text matches `pattern`.

    One of many prefixes, as the names of LiteLLM's models have, is looked up: compiling 200 branches takes longer than a
    whole rendering.
    """
    prefixes = _PREFIXES.fullmatch(pattern)
    if prefixes is None:
        return re.compile(pattern).search
    known = frozenset(prefixes[1].split("|"))
    return lambda text: text.partition("/")[0] in known and text.partition("/")[2][:1] not in ("", "\n")


def _pattern(_: Checker, rule: str, value: Any, __: Any) -> bool:
    return not isinstance(value, str) or bool(_search(rule)(value))


def _format(checker: Checker, rule: str, value: Any, _: Any) -> bool:
    check = checker.formats.get(rule)
    try:
        return check is None or check(value)
    except ValueError:
        return False


def _properties(checker: Checker, rule: dict[str, Any], value: Any, _: Any) -> bool:
    """Walk the value, not the rule: LiteLLM's parameters are 500, a deployment has ten."""
    if isinstance(value, dict):
        for name, item in value.items():
            if name in rule and not checker.accepts(item, rule[name]):
                return False
    return True


def _additional_properties(checker: Checker, rule: Any, value: Any, part: Any) -> bool:
    if not isinstance(value, dict):
        return True
    known = part.get("properties", {})
    if rule is False:
        return bool(known.keys() >= value.keys())
    return all(checker.accepts(item, rule) for name, item in value.items() if name not in known)


def _property_names(checker: Checker, rule: Any, value: Any, _: Any) -> bool:
    return not isinstance(value, dict) or all(checker.accepts(name, rule) for name in value)


def _required(_: Checker, rule: list[str], value: Any, __: Any) -> bool:
    return not isinstance(value, dict) or all(name in value for name in rule)


def _items(checker: Checker, rule: Any, value: Any, _: Any) -> bool:
    return not isinstance(value, list) or all(checker.accepts(item, rule) for item in value)


def _all_of(checker: Checker, rule: list[Any], value: Any, _: Any) -> bool:
    return all(checker.accepts(value, part) for part in rule)


def _any_of(checker: Checker, rule: list[Any], value: Any, _: Any) -> bool:
    return any(checker.accepts(value, part) for part in rule)


def _not(checker: Checker, rule: Any, value: Any, _: Any) -> bool:
    return not checker.accepts(value, rule)


def _ref(checker: Checker, rule: str, value: Any, _: Any) -> bool:
    """A reference inside the schema: #/$defs/labelSelector."""
    part = checker.schema
    for name in rule.removeprefix("#/").split("/"):
        part = part[name]
    return checker.accepts(value, part)


_KEYWORDS: dict[str, _Keyword] = {
    "$ref": _ref,
    "additionalProperties": _additional_properties,
    "allOf": _all_of,
    "anyOf": _any_of,
    "const": _const,
    "enum": _enum,
    "exclusiveMaximum": _bound(lambda value, rule: value < rule),
    "exclusiveMinimum": _bound(lambda value, rule: value > rule),
    "format": _format,
    "items": _items,
    "maxItems": _size(list, lambda size, rule: size <= rule),
    "maxLength": _size(str, lambda size, rule: size <= rule),
    "maxProperties": _size(dict, lambda size, rule: size <= rule),
    "maximum": _bound(lambda value, rule: value <= rule),
    "minItems": _size(list, lambda size, rule: size >= rule),
    "minLength": _size(str, lambda size, rule: size >= rule),
    "minProperties": _size(dict, lambda size, rule: size >= rule),
    "minimum": _bound(lambda value, rule: value >= rule),
    "not": _not,
    "pattern": _pattern,
    "properties": _properties,
    "propertyNames": _property_names,
    "required": _required,
    "type": _type,
}
