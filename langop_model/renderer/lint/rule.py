"""What a lint rule is."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from langop_model.renderer.findings import Path
from langop_model.renderer.manifest import Resource
from langop_model.renderer.plan import Model
from langop_model.renderer.record import Record


class Problem(Record):
    """A place that a rule finds: the `path` of a field, and the `values` of the rule's text in schema/findings.json."""

    path: Path
    values: Mapping[str, Any]


class FileProblem(Record):
    """A place in a file: a field of one of its resources, or a line and column, from 1, where there is no field."""

    resource: Resource
    path: Path
    values: Mapping[str, Any]
    place: tuple[int, int] | None = None


Rule = Callable[[Model], Iterable[Problem]]
FileRule = Callable[[Sequence[Resource]], Iterable[FileProblem]]


def problem(*path: str | int, **values: Any) -> Problem:
    """Return a Problem."""
    return Problem(path, values)


def stated(model: Model, *path: str) -> bool:
    """Whether the author of a specification wrote the field at spec.`path`, as opposed to its default."""
    value: Any = model.user_spec
    for name in path:
        if not isinstance(value, dict) or name not in value:
            return False
        value = value[name]
    return True
