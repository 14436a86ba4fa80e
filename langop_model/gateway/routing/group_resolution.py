"""Which model groups a client means: by name, by an alias, by a name that several groups share, or by a wildcard."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from langop_model.contract.settings import WILDCARD, Group


class RoundRobinGroups:
    """A name that several groups share: each request starts with the next one."""

    def __init__(self, groups: Sequence[str]) -> None:
        self.groups = tuple(groups)
        self.turns: Iterator[int] = itertools.cycle(range(len(self.groups)))

    def next(self) -> tuple[str, ...]:
        """Return the groups in the order in which the next request tries them."""
        first = next(self.turns)
        return self.groups[first:] + self.groups[:first]


@dataclass(frozen=True, slots=True)
class Resolved:
    """The groups that serve a request, in order, and the model that the first one is asked for.

    `model` is the name that the client asked for; of a wildcard, what follows the group's own name.
    """

    groups: tuple[str, ...]
    model: str


class GroupNames:
    """Every name that clients may ask for."""

    def __init__(self, groups: Mapping[str, Group], aliases: Mapping[str, str], shared: Mapping[str, Sequence[str]]) -> None:
        public = [name for name, group in groups.items() if not group.internal]
        self._direct = {name: (name,) for name in public if not name.endswith(WILDCARD)}
        self._direct |= {alias: (group,) for alias, group in aliases.items() if group in groups}
        self._shared = {name: RoundRobinGroups(members) for name, members in shared.items()}
        # The longest prefix first: it is the most specific one.
        wildcards = [name for name in public if name.endswith(WILDCARD)]
        self._prefixes = [(name.removesuffix("*"), name) for name in sorted(wildcards, key=len, reverse=True)]
        self._aliases = dict(aliases)

    def resolve(self, model: str) -> Resolved | None:
        """Return the groups that a client means with `model`; None where it is not served."""
        shared = self._shared.get(model)
        if shared is not None:
            return Resolved(shared.next(), model)
        found = self._direct.get(model)
        if found is not None:
            return Resolved(found, model)
        for prefix, name in self._prefixes:
            if model.startswith(prefix) and len(model) > len(prefix):
                return Resolved((name,), model.removeprefix(prefix))
        return None

    def listed(self) -> list[str]:
        """Return the names for GET /v1/models, without duplicates: those of resources and models, and the wildcards."""
        return list(dict.fromkeys([*self._direct, *self._shared, *(name for _, name in self._prefixes)]))
