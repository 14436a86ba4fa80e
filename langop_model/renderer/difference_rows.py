"""What the change of one value means: the rows of schema/changes.json, and the words that they give it."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from typing import Any

from jinja2 import UndefinedError

from langop_model.contract.references import REFERENCE
from langop_model.renderer import nested, parameters, quantities, sentences, wording
from langop_model.renderer.findings import dotted
from langop_model.resources import load_json

ABSENT = object()
HIDDEN = "(value hidden)"
PLACEHOLDER = "not-needed"  # the key where a provider needs none


class Severity(StrEnum):
    """What a difference does to people who use the model, the gravest first."""

    BREAKS = "breaks"
    CHANGES = "changes"
    COSMETIC = "cosmetic"


@dataclass(frozen=True, slots=True)
class Difference:
    """One difference in behaviour: `text` is a sentence without a full stop, `place` where it is in the configuration.

    `model` is the name of the model as the newer side knows it; empty for the gateway as a whole. `before` and `after` are the
    values, None where there was none, and for what is more than a value.
    """

    model: str
    severity: Severity
    text: str
    place: str = ""
    before: Any = None
    after: Any = None


def flat(value: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Yield the leaves of nested objects with their paths. A list is a leaf, and so is an empty object."""
    if isinstance(value, dict) and value:
        for key, item in value.items():
            yield from flat(item, (*path, str(key)))
    else:
        yield path, value


@dataclass(slots=True)
class Rows:
    """The rows of one `part` of the table, for a `model`; `prefix` is said before each sentence."""

    part: str
    model: str = ""
    prefix: str = ""

    def compare(self, before: Mapping[str, Any], after: Mapping[str, Any], explained: Collection[str]) -> Iterator[Difference]:
        """Yield what differs between two objects. `explained` are places of differences that are said elsewhere."""
        changed = list(self._changed(before, after))
        said = {*explained, *(".".join(path) for path, _, _ in changed)}
        said |= {".".join(path[:length]) for path, _, _ in changed for length in range(1, len(path))}
        for path, was, will in changed:
            row, key = self._row(path)
            if not any(place in said for place in row.get("follows", ())):
                yield self._difference(row, key, path, was, will)

    def _changed(self, before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[tuple[tuple[str, ...], Any, Any]]:
        """Yield path, old and new value. An object that is on one side only counts as one value where it has a row."""
        old, new = dict(self._leaves(before, after)), dict(self._leaves(after, before))
        for path in [*old, *(path for path in new if path not in old)]:
            meant = self._row(path)[0].get("absent_value", ABSENT)
            was, will = old.get(path, meant), new.get(path, meant)
            if was is ABSENT or will is ABSENT or was != will or type(was) is not type(will):
                yield path, was, will

    def _leaves(self, value: Mapping[str, Any], other: Mapping[str, Any]) -> Iterator[tuple[tuple[str, ...], Any]]:
        whole: dict[tuple[str, ...], Any] = {}
        for path, leaf in flat(dict(value)):
            for length in range(1, len(path)):
                row, _ = self._row(path[:length])
                gone = ("added" in row or "removed" in row) and nested.at(other, path[:length], ABSENT) is ABSENT
                if gone or row.get("whole"):
                    whole[path[:length]] = nested.at(value, path[:length], ABSENT)
                    break
            else:
                if path:
                    whole[path] = leaf
        yield from whole.items()

    def _row(self, path: tuple[str, ...]) -> tuple[dict[str, Any], str]:
        """Return the row of a place, and what its * is. One that the table does not know is called by its place."""
        return _find(self.part, path)

    def _difference(self, row: Mapping[str, Any], key: str, path: tuple[str, ...], was: Any, will: Any) -> Difference:
        place = dotted(path)
        was, will = _without_secrets(was, path[-1]), _without_secrets(will, path[-1])
        direction = _direction(row, was, will)
        values = {
            "before": None if was is ABSENT else was,
            "after": None if will is ABSENT else will,
            "key": key,
            "left": _left(was, will),
        }
        severity = row.get("severity", Severity.CHANGES)
        if isinstance(severity, dict):
            severity = severity.get(direction, Severity.CHANGES)
        text = self._text(row, key, direction, values, (was, will))
        return Difference(self.model, Severity(severity), self.prefix + text, place, values["before"], values["after"])

    def _text(self, row: Mapping[str, Any], key: str, direction: str, values: Mapping[str, Any], both: tuple[Any, Any]) -> str:
        sentence = row.get(direction) if direction in ("added", "removed") else None
        if sentence or "changed" in row:
            with contextlib.suppress(UndefinedError, TypeError, ValueError):  # what no renderer writes
                return sentences.fill(sentence or row["changed"], values)
        name = sentences.fill(row["name"], {"key": key})
        was, will = (
            row.get("absent", "none") if value is ABSENT else _worded(value, row.get("unit", "value")) for value in both
        )
        remark = row.get(direction, row.get("other", ""))
        return f"{name} {was} → {will}" + (f" ({sentences.fill(remark, values)})" if remark else "")


@cache
def _rows(part: str) -> dict[tuple[str, ...], dict[str, Any]]:
    table: dict[str, dict[str, Any]] = load_json("changes.json")[part]
    return {tuple(place.split(".")): row for place, row in table.items()}


@cache
def _find(part: str, path: tuple[str, ...]) -> tuple[dict[str, Any], str]:
    for pattern, row in _rows(part).items():
        if pattern[-1] == "**":
            stem = pattern[:-1]
            if len(path) > len(stem) and path[: len(stem)] == stem:
                return row, ".".join(path[len(stem) :])
        elif len(pattern) == len(path) and all(name in ("*", segment) for name, segment in zip(pattern, path, strict=True)):
            return row, next((segment for name, segment in zip(pattern, path, strict=True) if name == "*"), "")
    return {"name": "{{ key }}", "unit": "value"}, dotted(path)


def _without_secrets(value: Any, name: str) -> Any:
    """Return a value of the member `name` without what may be a secret: one that is written by hand may hold it."""
    if isinstance(value, dict):
        return {key: _without_secrets(item, str(key)) for key, item in value.items()}
    if not isinstance(value, str) or value == PLACEHOLDER or not parameters.credential().search(name):
        return value
    return value if value.startswith(REFERENCE) else HIDDEN


def _size(value: Any, row: Mapping[str, Any]) -> float | None:
    """Return a number that can be compared; absence is infinite where the row says so, and 0 else."""
    if value is ABSENT:
        return math.inf if row.get("absent_is") == "infinite" else None
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def _direction(row: Mapping[str, Any], was: Any, will: Any) -> str:
    if row.get("unit") == "list" and "changed" in row:
        old, new = ([] if value is ABSENT or not isinstance(value, list) else value for value in (was, will))
        return "gone" if any(item not in new for item in old) else "new" if any(item not in old for item in new) else "order"
    old_size, new_size = _size(was, row), _size(will, row)
    if old_size is not None and new_size is not None and ("less" in row or "more" in row):
        return "less" if new_size < old_size else "more"
    return "added" if was is ABSENT else "removed" if will is ABSENT else "other"


def _left(was: Any, will: Any) -> float:
    """Return which part of a full load a lower limit does not admit; 0 where that can't be said."""
    numbers = all(isinstance(value, int | float) and not isinstance(value, bool) for value in (was, will))
    return 1 - will / was if numbers and was > 0 and 0 <= will < was else 0.0


def _worded(value: Any, unit: str) -> str:
    if unit == "duration":
        return quantities.duration(value)
    if unit == "number":
        return quantities.number(value)
    if unit == "megabytes":
        return f"{quantities.number(value)} MB"
    if unit == "price" and isinstance(value, int | float):
        return f"{quantities.number(round(value * 1000, 9))} USD for 1,000 tokens"
    if unit == "list" and isinstance(value, list):
        return wording.shortened(quantities.listed(value)) if value else "none"
    return wording.shortened(value) if isinstance(value, str) and value else wording.shown(value)
