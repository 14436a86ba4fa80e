"""Whether a JSON Schema accepts a value: yes or no, the same as jsonschema says, without importing it.

jsonschema words errors, and most specifications have none. Importing it takes longer than all the rest of a command, and
importing jsonschema-rs (0.61) 2.5 times as long as starting Python; this takes nothing.
tests/unit/renderer/test_verdict.py compares the verdicts about thousands of changed specifications and configurations.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

Format = Callable[[object], bool]
"""Whether a value has a format; a ValueError means that it has not."""

Verdict = Callable[[Any], bool]
"""Whether a value is accepted."""

_Keyword = Callable[["Checker", Any, Mapping[str, Any]], Verdict]  # of the checker, the rule, and the part that holds the rule

# Keywords that refuse nothing; those that start with x- are this project's own.
_ANNOTATIONS = frozenset({"$comment", "$defs", "$id", "$schema", "default", "description", "examples", "title"})


class Checker:
    """Checks values against `schema` (JSON Schema 2020-12), or against parts of it.

    `formats` are the formats that are checked, by name; any other says nothing. Raises NotImplementedError for a keyword that
    has no function here, when a value reaches it: no schema of this project has one (a test). A part becomes a function when
    the first value reaches it: most of LiteLLM's parameters are in no configuration. The rules in `x-strict` of a part count as
    if they stood beside it, in place of those of the same name.
    """

    def __init__(self, schema: Any, formats: Mapping[str, Format] | None = None) -> None:
        self.schema = schema
        self.formats = formats or {}
        self._verdicts: dict[int, Verdict] = {}  # by the identity of a part: it lives as long as the schema

    def accepts(self, value: Any, part: Any = None) -> bool:
        """Whether the schema, or a `part` of it, accepts `value`."""
        return self.verdict(self.schema if part is None else part)(value)

    def verdict(self, part: Any) -> Verdict:
        """Return the function that says whether a part of the schema accepts a value."""
        if isinstance(part, bool):
            return _anything if part else _nothing
        found = self._verdicts.get(id(part))
        if found is None:
            found = self._verdicts[id(part)] = self._made(part)
        return found

    def _made(self, part: Mapping[str, Any]) -> Verdict:
        part = {**part, **part["x-strict"]} if "x-strict" in part else part
        checks = [_rule(name)(self, rule, part) for name, rule in part.items() if not _says_nothing(name)]
        return _all([check for check in checks if check is not _anything])


def _anything(_: Any) -> bool:
    return True


def _nothing(_: Any) -> bool:
    return False


def _all(checks: Sequence[Verdict]) -> Verdict:
    if len(checks) < 2:
        return checks[0] if checks else _anything

    def check_all(value: Any) -> bool:
        for check in checks:  # noqa: SIM110 - twice as fast as all()
            if not check(value):
                return False
        return True

    return check_all


def _any(checks: Sequence[Verdict]) -> Verdict:
    def check_any(value: Any) -> bool:
        for check in checks:  # noqa: SIM110 - twice as fast as any()
            if check(value):
                return True
        return False

    return check_any


def _says_nothing(keyword: str) -> bool:
    return keyword in _ANNOTATIONS or keyword.startswith("x-")


def _rule(keyword: str) -> _Keyword:
    rule = _KEYWORDS.get(keyword)
    if rule is None:
        raise NotImplementedError(f"no verdict about the keyword {keyword}")
    return rule


def _is_number(value: Any) -> bool:
    kind = type(value)  # of JSON, which has no classes derived from its own; a bool is none of these
    return kind is int or kind is float


def _is_integer(value: Any) -> bool:
    kind = type(value)
    return kind is int or (kind is float and value.is_integer())


_TYPES: dict[str, Verdict] = {
    "array": lambda value: isinstance(value, list),
    "boolean": lambda value: isinstance(value, bool),
    "integer": _is_integer,
    "null": lambda value: value is None,
    "number": _is_number,
    "object": lambda value: isinstance(value, dict),
    "string": lambda value: isinstance(value, str),
}


def _type(_: Checker, rule: str | list[str], __: Any) -> Verdict:
    if isinstance(rule, str):
        return _TYPES[rule]
    return _any([_TYPES[name] for name in rule])


def _equal(one: Any, other: Any) -> bool:
    """JSON's equality: true is not 1, and 1 is 1.0. Values of an enum are no lists and no objects here (a test)."""
    return isinstance(one, bool) == isinstance(other, bool) and bool(one == other)


def _enum(_: Checker, rule: list[Any], __: Any) -> Verdict:
    texts, others = (
        frozenset(each for each in rule if isinstance(each, str)),
        [each for each in rule if not isinstance(each, str)],
    )

    def check(value: Any) -> bool:
        return value in texts if isinstance(value, str) else any(_equal(each, value) for each in others)

    return check


def _const(_: Checker, rule: Any, __: Any) -> Verdict:
    return lambda value: _equal(rule, value)


def _bound(holds: Callable[[Any, Any], bool]) -> _Keyword:
    return lambda _, rule, __: lambda value: not _is_number(value) or holds(value, rule)


def _size(kind: type[list[Any]] | type[str] | type[dict[str, Any]], holds: Callable[[int, int], bool]) -> _Keyword:
    return lambda _, rule, __: lambda value: not isinstance(value, kind) or holds(len(value), rule)


_PREFIXES = re.compile(r"\^\(([A-Za-z0-9_|-]+)\)/\.")


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


def _pattern(_: Checker, rule: str, __: Any) -> Verdict:
    search: Callable[[str], Any] | None = None

    def check(value: Any) -> bool:
        nonlocal search
        if not isinstance(value, str):
            return True
        if search is None:  # the first text: a pattern takes longer to compile than to match
            search = _search(rule)
        return bool(search(value))

    return check


def _format(checker: Checker, rule: str, _: Any) -> Verdict:
    has_format = checker.formats.get(rule)
    if has_format is None:
        return _anything

    def check(value: Any) -> bool:
        try:
            return has_format(value)
        except ValueError:
            return False

    return check


def _properties(checker: Checker, rule: dict[str, Any], part: Mapping[str, Any]) -> Verdict:
    """Walk the value, not the rule, and once: LiteLLM's parameters are 500, a deployment has ten."""
    of_others = checker.verdict(part.get("additionalProperties", True))
    verdicts: dict[str, Verdict] = {}

    def check(value: Any) -> bool:
        if not isinstance(value, dict):
            return True
        for name, item in value.items():
            accepts = verdicts.get(name)
            if accepts is None:
                accepts = of_others
                if name in rule:
                    accepts = verdicts[name] = checker.verdict(rule[name])
            if not accepts(item):
                return False
        return True

    return check


def _additional_properties(checker: Checker, rule: Any, part: Mapping[str, Any]) -> Verdict:
    if "properties" in part:
        return _anything  # what is not among them is seen there
    accepts = checker.verdict(rule)
    return lambda value: not isinstance(value, dict) or all(map(accepts, value.values()))


def _property_names(checker: Checker, rule: Any, _: Any) -> Verdict:
    accepts = checker.verdict(rule)
    return lambda value: not isinstance(value, dict) or all(map(accepts, value))


def _required(_: Checker, rule: list[str], __: Any) -> Verdict:
    wanted = frozenset(rule)
    return lambda value: not isinstance(value, dict) or bool(wanted <= value.keys())


def _items(checker: Checker, rule: Any, _: Any) -> Verdict:
    accepts = checker.verdict(rule)
    return lambda value: not isinstance(value, list) or all(map(accepts, value))


def _all_of(checker: Checker, rule: list[Any], _: Any) -> Verdict:
    return _all([checker.verdict(part) for part in rule])


def _any_of(checker: Checker, rule: list[Any], _: Any) -> Verdict:
    return _any([checker.verdict(part) for part in rule])


def _not(checker: Checker, rule: Any, _: Any) -> Verdict:
    accepts = checker.verdict(rule)
    return lambda value: not accepts(value)


def _ref(checker: Checker, rule: str, _: Any) -> Verdict:
    """A reference inside the schema: #/$defs/labelSelector. It may lead back to where it stands."""
    part = checker.schema
    for name in rule.removeprefix("#/").split("/"):
        part = part[name]

    def check(value: Any) -> bool:
        return checker.accepts(value, part)

    return check


_KEYWORDS: dict[str, _Keyword] = {
    "$ref": _ref,
    "additionalProperties": _additional_properties,
    "allOf": _all_of,
    "anyOf": _any_of,
    "const": _const,
    "enum": _enum,
    "exclusiveMaximum": _bound(operator.lt),
    "exclusiveMinimum": _bound(operator.gt),
    "format": _format,
    "items": _items,
    "maxItems": _size(list, operator.le),
    "maxLength": _size(str, operator.le),
    "maxProperties": _size(dict, operator.le),
    "maximum": _bound(operator.le),
    "minItems": _size(list, operator.ge),
    "minLength": _size(str, operator.ge),
    "minProperties": _size(dict, operator.ge),
    "minimum": _bound(operator.ge),
    "not": _not,
    "pattern": _pattern,
    "properties": _properties,
    "propertyNames": _property_names,
    "required": _required,
    "type": _type,
}
