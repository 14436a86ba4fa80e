"""Values of a YAML text as PyYAML's safe loader gives them, in less than half its time.

Most nodes are maps and lists of texts, and most plain texts, such as `true`, `300` or the name of a setting, come again and
again. So PyYAML is asked once what kind of value a plain text is, and once for the value of one that is no text.
"""

from __future__ import annotations

import json
import re
from typing import Any

import yaml

_TAG = "tag:yaml.org,2002:"
_TEXT, _MAP, _LIST = f"{_TAG}str", f"{_TAG}map", f"{_TAG}seq"
_PLAIN = frozenset(f"{_TAG}{name}" for name in ("bool", "float", "int", "null"))  # values that nothing can change
_LONGEST, _MOST = 40, 5000  # letters of a text that is remembered, and texts: memory stays flat
_WORD = re.compile("[A-Za-z][A-Za-z0-9_./-]*")
_JSON = re.compile(r'[\[{"][ !-\[\]-~]*')  # in ASCII, without a backslash
_EXPONENT = re.compile("[0-9.][eE]")
_LONGEST_JSON = 1000  # letters: a key of more than 1,024 is none to YAML
_values: dict[tuple[str, str], Any] = {}  # by tag and text

Safe: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class Remembering(Safe):  # type: ignore[misc]
    """PyYAML's safe loader, which tries some ten patterns at each plain text; this one does so once for each."""

    _tags: dict[str, str] = {}  # noqa: RUF012 - what is remembered, for all its instances

    def __init_subclass__(cls) -> None:
        """Let a loader with patterns of its own remember for itself."""
        cls._tags = {}

    def resolve(self, kind: type[yaml.Node], value: Any, implicit: Any) -> str:
        """Return the tag of a node that states none."""
        if kind is not yaml.ScalarNode:
            return _MAP if kind is yaml.MappingNode else _LIST
        if not implicit[0]:
            return _TEXT  # in quotes
        tag = self._tags.get(value)
        if tag is None:
            tag = str(super().resolve(kind, value, implicit))
            if len(value) <= _LONGEST and len(self._tags) < _MOST:
                self._tags[value] = tag
        return tag


def simple(text: str) -> Any:
    """Return what YAML reads in a text on one line where a value is expected, of the two forms that are plainly so.

    The one is a word: a plain scalar without anything that has a meaning in YAML (1.1, 9.1.3), unless PyYAML's patterns take it
    for another type. The other is JSON without escapes, and without numbers that YAML reads as texts, such as 1e5. Raises
    ValueError for any other text.
    """
    if _WORD.fullmatch(text):
        if any(pattern.match(text) for _, pattern in Safe.yaml_implicit_resolvers.get(text[0], ())):
            raise ValueError(text)
        return text
    if len(text) > _LONGEST_JSON or not _JSON.fullmatch(text) or _EXPONENT.search(text):
        raise ValueError(text)
    return _json(text)


def _refuse(constant: str) -> Any:
    raise ValueError(constant)  # NaN, which YAML reads as a text


_json = json.JSONDecoder(parse_constant=_refuse).decode


def load(text: str, loader: Any = Remembering) -> Any:
    """Return what `yaml.safe_load(text)` returns, or what another safe `loader` does. Raises yaml.YAMLError as it does."""
    reading = loader(text)
    try:
        node = reading.get_single_node()
        return None if node is None else construct(node, reading)
    finally:
        reading.dispose()


def construct(node: Any, loader: Any) -> Any:
    """Return the value of a node that `loader` has read: anything but maps, lists and plain values is the loader's business."""
    tag, kind = node.tag, type(node)
    if kind is yaml.ScalarNode:
        if tag == _TEXT:
            return node.value
        if tag in _PLAIN:
            return _plain(node, loader)
    elif kind is yaml.MappingNode:
        if tag == _MAP:
            pairs = node.value
            for key, _ in pairs:
                if key.tag != _TEXT:
                    break
            else:
                return {key.value: construct(value, loader) for key, value in pairs}
    elif tag == _LIST:
        return [construct(item, loader) for item in node.value]
    return loader.construct_object(node, deep=True)


def _plain(node: yaml.ScalarNode, loader: Any) -> Any:
    said = (node.tag, node.value)
    if said in _values:
        return _values[said]
    value = loader.construct_object(node, deep=True)
    if len(node.value) <= _LONGEST and len(_values) < _MOST:
        _values[said] = value
    return value
