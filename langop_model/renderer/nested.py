"""Values inside of objects and lists, by their path."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any


def at(value: Any, path: Iterable[str | int], absent: Any = None) -> Any:
    """Return what is at `path` in `value`: keys of objects, and indices of lists. `absent` where there is nothing."""
    for segment in path:
        inside = segment in value if isinstance(value, dict) else isinstance(value, list) and segment in range(len(value))
        if not inside:
            return absent
        value = value[segment]
    return value


def put(value: dict[str, Any], path: Sequence[str], leaf: Any) -> None:
    """Set what is at `path` in `value`, and make the objects on the way that are missing."""
    for name in path[:-1]:
        value = value.setdefault(name, {})
    value[path[-1]] = leaf
