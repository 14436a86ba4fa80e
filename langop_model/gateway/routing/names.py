"""Which model group a client means: by its name, an alias, a name that several groups share, or one that stands for any."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from contextvars import ContextVar

ANY = "/*"  # the end of a group's name that serves whatever its provider has: <resource>/*

others: ContextVar[tuple[str, ...]] = ContextVar("langop_others", default=())
"""The groups that share the name which the present request asked for, beside the one that was chosen."""


class InTurn:
    """A name that several groups have: a request gets one of them, in turn."""

    def __init__(self, groups: Sequence[str]) -> None:
        self.groups = tuple(groups)
        self.turns: Iterator[int] = itertools.cycle(range(len(self.groups)))

    def next(self) -> tuple[str, ...]:
        """Return the groups in the order in which the next request shall try them."""
        first = next(self.turns)
        return self.groups[first:] + self.groups[:first]


def any_group(model: str, groups: Mapping[str, object]) -> str | None:
    """Return the group that serves any model and means `model`: `fast/gpt-4o` is for `fast/*`. The longest name wins."""
    fitting = [name for name in groups if name.endswith(ANY) and model.startswith(name[:-1])]
    return max(fitting, key=len, default=None)


def upstream_model(template: str, group: str, model: str) -> str:
    """Return the provider's model for `model`, which a client asked of `group`: `openai/*` becomes openai/gpt-4o."""
    return template.removesuffix("*") + model.removeprefix(group[:-1]) if group.endswith(ANY) else template
