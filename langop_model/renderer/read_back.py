"""A rendered text is read back as YAML: once for each shape, which is the text without the values that a template wrote.

Thousands of specifications have few shapes: their texts differ in names and numbers. A shape that is seen again is read with
marks in place of the values, and the values, each of which is YAML on one line (yaml_emit.to_flow_yaml), are read by
themselves; put together they are what the whole text says. Where that is not certain the whole text is read, and so it is the
first time. tests/unit/renderer/test_read_back.py compares both.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Sequence
from typing import Any

import yaml

from langop_model.renderer import yaml_values
from langop_model.renderer.written import Comment, Written

_MARK = "written-"  # and a number, and a hyphen
_LONGEST = 2000  # letters of a value: what is remembered stays small
_LONGEST_KEY = 150  # letters of a key: YAML reads none of more than 1,024, and a letter may be written as six
_AS_IT_IS = frozenset({str, int, float, bool, type(None)})  # kinds of values that can't be changed, and are no places
_MOST_SHAPES, _MOST_VALUES = 200, 2000

Shape = tuple[str | type[str], ...]  # of the pieces of a text: the template's own, and the kind of each value


class _Place(int):
    """Where a value belongs: its number in the text."""


class _Object(tuple[tuple[Any, Any], ...]):
    """The members of an object: keys and values, which may be places."""

    __slots__ = ()


class _UnclearError(Exception):
    """A text can't be put together from its shape and its values for certain."""


_shapes: OrderedDict[Shape, Any] = OrderedDict()  # to what they hold; None for one that was seen once, or is unclear
_values: dict[str, Any] = {}


def load(pieces: Sequence[str]) -> Any:
    """Return what YAML reads in the text that `pieces` are together. Raises yaml.YAMLError."""
    shape: Shape = tuple([piece if type(piece) is str else type(piece) for piece in pieces])
    if shape not in _shapes:
        if len(_shapes) >= _MOST_SHAPES:
            _shapes.popitem(last=False)
        _shapes[shape] = None
        return yaml_values.load("".join(pieces))
    _shapes.move_to_end(shape)
    try:
        held = _shapes[shape]
        if held is None:
            held = _shapes[shape] = _held(shape)
        return _filled(held, _read(pieces))
    except _UnclearError:
        return yaml_values.load("".join(pieces))


def _held(shape: Shape) -> Any:
    """Return what a shape holds, with places for values. Raises _UnclearError, and yaml.YAMLError."""
    if any(isinstance(piece, str) and _MARK in piece for piece in shape):
        raise _UnclearError
    numbers: dict[str, int] = {}
    parts = []
    for piece in shape:
        if isinstance(piece, str):
            parts.append(piece)
        else:
            mark = f"{_MARK}{len(parts)}-"
            parts.append(mark)
            if piece is not Comment:
                numbers[mark] = len(numbers)
    return _with_places(yaml_values.load("".join(parts)), numbers)


def _with_places(value: Any, numbers: dict[str, int]) -> Any:
    if isinstance(value, dict):
        pairs = ((_with_places(key, numbers), _with_places(item, numbers)) for key, item in value.items())
        return _Object(pairs)
    if isinstance(value, list):
        return [_with_places(item, numbers) for item in value]
    if not isinstance(value, str) or _MARK not in value:
        return value
    if value not in numbers:  # a value that is a part of a text, or a comment that is none
        raise _UnclearError
    return _Place(numbers[value])


def _read(pieces: Iterable[str]) -> list[Any]:
    """Return the values among the pieces. Raises _UnclearError."""
    texts = [piece for piece in pieces if type(piece) is Written]
    unknown = [text for text in dict.fromkeys(texts) if text not in _values]
    if unknown:
        if len(_values) + len(unknown) > _MOST_VALUES:
            _values.clear()
            unknown = list(dict.fromkeys(texts))
        _values.update(_understood(unknown))
    return [_values[text] for text in texts]


def _understood(texts: Sequence[str]) -> dict[str, Any]:
    """Return each text with the value that it is to YAML, as the value of a key. Raises _UnclearError."""
    if any(len(text) > _LONGEST for text in texts):
        raise _UnclearError
    simple: dict[str, Any] = {}
    others = []
    for text in map(str.__str__, texts):
        try:
            simple[text] = yaml_values.simple(text)
        except ValueError:
            others.append(text)
    return simple | _understood_together(others) if others else simple


def _understood_together(texts: Sequence[str]) -> dict[str, Any]:
    try:
        found = yaml_values.load("".join(f"v{number}: {text}\n" for number, text in enumerate(texts)))
    except yaml.YAMLError:
        raise _UnclearError from None
    if list(found) != [f"v{number}" for number in range(len(texts))]:
        raise _UnclearError
    return dict(zip(texts, found.values(), strict=True))


def _filled(held: Any, values: Sequence[Any]) -> Any:
    """Return what a text says: nothing of it is shared with what another one says."""
    kind = type(held)
    if kind in _AS_IT_IS:
        return held
    if kind is _Place:
        value = values[held]
        return value if type(value) in _AS_IT_IS else _copied(value)
    if kind is list:
        return [_filled(item, values) for item in held]
    filled = {}
    for key, item in held:
        kind = type(item)
        # A call for each of a hundred members would take longer than all the rest.
        if kind is _Place and type(values[item]) in _AS_IT_IS:
            item = values[item]  # noqa: PLW2901
        elif kind not in _AS_IT_IS:
            item = _filled(item, values)  # noqa: PLW2901
        filled[key if type(key) is str else _key(key, values)] = item
    return filled


def _key(held: Any, values: Sequence[Any]) -> Any:
    """Return a key. Raises _UnclearError."""
    if type(held) is not _Place:
        return held
    key = values[held]
    if not isinstance(key, str) or len(key) > _LONGEST_KEY:
        raise _UnclearError
    return key


def _copied(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: item if type(item) in _AS_IT_IS else _copied(item) for key, item in value.items()}
    return [_copied(item) for item in value] if isinstance(value, list) else value
