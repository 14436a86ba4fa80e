"""Values to YAML text that reads back as exactly that value: nothing a specification says can break out of its place."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from types import MappingProxyType
from typing import Any

# Texts that may stand without quotes: they start with a letter or "/", and hold nothing that YAML gives a meaning to.
_PLAIN = re.compile(r"[A-Za-z/](?:[A-Za-z0-9_./@-]|:(?=[A-Za-z0-9_./@-]))*")
_RESERVED = frozenset({"y", "n", "yes", "no", "on", "off", "true", "false", "null"})
_encoded = json.JSONEncoder(ensure_ascii=False).encode  # json.dumps makes an encoder for each call
# What JSON leaves as it is and YAML does not read back, or reads as a line break.
_UNPRINTABLE = "[\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]"
_ODD_NUMBER = "[0-9]e[-+]"  # 1e-05, or something else: JSON writes it in another way than YAML
_LONGEST_KEY = 1000  # letters of a key in quotes that YAML reads without a mark before it


def to_flow_yaml(value: Any) -> str:
    """Return `value` (JSON's types) as YAML on one line."""
    emit = _EMITTERS.get(type(value))
    if emit is not None:
        return emit(value)
    return _text(value) if isinstance(value, str) else _in_parts(value)


def _text(value: str) -> str:
    return value if _PLAIN.fullmatch(value) and value.lower() not in _RESERVED else _quoted(value)


def _flow(value: Any) -> str:
    """Return `value` with quotes around each text: as JSON, which YAML reads, where nothing in it is an exception to that."""
    try:
        text = _encoded(value)
    except TypeError:
        return _in_parts(value)
    is_odd = ("e-" in text or "e+" in text) and re.search(_ODD_NUMBER, text)  # the search alone takes longer than all the rest
    plain = len(text) <= _LONGEST_KEY and text.isprintable() and not is_odd
    return text if plain else _in_parts(value)


def _in_parts(value: Any) -> str:  # noqa: PLR0911 - one for each type
    if isinstance(value, str):
        return _quoted(value)
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return _float(value)
    if isinstance(value, int):
        return str(value)
    if isinstance(value, dict | MappingProxyType):
        return "{" + ", ".join(f"{_key(str(key))}: {_flow(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(_flow(item) for item in value) + "]"
    raise TypeError(f"a {type(value).__name__} has no place in a configuration")


def _key(text: str) -> str:
    """YAML reads a key of more than 1,024 characters only where a question mark announces it."""
    quoted = _quoted(text)
    return f"? {quoted} " if len(quoted) > _LONGEST_KEY else quoted


def _quoted(text: str) -> str:
    encoded = _encoded(text)
    return encoded if encoded.isprintable() else re.sub(_UNPRINTABLE, lambda match: f"\\u{ord(match[0]):04x}", encoded)


def _float(value: float) -> str:
    """PyYAML reads 1e-05 as text: a float needs its point."""
    text = repr(value)
    return text.replace("e", ".0e") if "e" in text and "." not in text else text


# Of the types themselves; what is derived from one of them is looked at more closely.
_EMITTERS: dict[type, Callable[[Any], str]] = {str: _text, int: str, float: _float, dict: _flow, list: _flow}
