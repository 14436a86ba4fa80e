"""What differs between two configurations, by places that people recognise."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from langop_model.renderer.findings import Path, dotted
from langop_model.renderer.source import walk

_ABSENT = object()


@dataclass(frozen=True, slots=True)
class Change:
    """One place that differs. `before` or `after` is None where the place was not there; see `added` and `removed`."""

    place: str
    before: Any
    after: Any
    added: bool = False
    removed: bool = False

    def __str__(self) -> str:
        if self.added:
            return f"+ {self.place}: {self.after}"
        if self.removed:
            return f"- {self.place}: {self.before}"
        return f"~ {self.place}: {self.before} -> {self.after}"


def compare(before: dict[str, Any], after: dict[str, Any]) -> Iterator[Change]:
    """Yield every place in which two configurations differ, in the order of the file."""
    old, new = dict(_places(before)), dict(_places(after))
    for place in [*old, *(place for place in new if place not in old)]:
        was, will = old.get(place, _ABSENT), new.get(place, _ABSENT)
        if was is _ABSENT:
            yield Change(place, None, will, added=True)
        elif will is _ABSENT:
            yield Change(place, was, None, removed=True)
        elif was != will or type(was) is not type(will):
            yield Change(place, was, will)


def _places(config: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    """Yield place and value; a deployment is known by its id, not by its position."""
    for path, value in walk(config):
        yield dotted(_recognisable(config, path)), value


def _recognisable(config: dict[str, Any], path: Path) -> Path:
    if path[:1] == ("model_list",) and len(path) > 2 and isinstance(path[1], int):
        entry = config["model_list"][path[1]]
        info = entry.get("model_info") if isinstance(entry, dict) else None
        identity = info.get("id", path[1]) if isinstance(info, dict) else path[1]
        return (f"model_list[{identity}]", *path[2:])
    return path
