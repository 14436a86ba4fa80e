"""Which model groups a client means: by name, by an alias, by a name that several groups share, or by a wildcard."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from langop_model.contract.settings import WILDCARD, Endpoint, Group
from langop_model.contract.strategy import Strategy
from langop_model.gateway.routing.endpoints import Endpoints


class SharedName:
    """A name that groups share. One of them is chosen as an endpoint of one group would be, the others come next."""

    def __init__(self, groups: Sequence[Group], strategy: str = Strategy.ROUND_ROBIN) -> None:
        members = tuple(Endpoint(group.name, weight=group.weight, priority=group.priority) for group in groups)
        self.members = Endpoints(Group("", "", members, strategy=strategy))

    def next(self, endpoints: Mapping[str, Endpoints]) -> tuple[str, ...]:
        """Return the groups in the order in which the next request tries them; `endpoints` are those of each group."""
        for state in self.members.states:
            known = endpoints.get(state.endpoint.id)
            if known is not None:
                state.in_flight = sum(each.in_flight for each in known.states)
                latencies = [each.latency for each in known.states if each.latency is not None]
                state.latency = sum(latencies) / len(latencies) if latencies else None
        chosen = self.members.choose()
        assert chosen is not None  # noqa: S101 - there is one at least
        states = self.members.states
        first = states.index(chosen)
        ordered = sorted(states[first:] + states[:first], key=lambda each: (each is not chosen, each.endpoint.priority))
        return tuple(state.endpoint.id for state in ordered)


@dataclass(slots=True)
class Resolved:
    """The groups that serve a request, in order, and the model that the first one is asked for; never changed.

    `model` is the name that the client asked for; of a wildcard, what follows the group's own name.
    """

    groups: tuple[str, ...]
    model: str


class GroupNames:
    """Every name that clients may ask for. `endpoints` are those of each group, where requests are served."""

    def __init__(
        self,
        groups: Mapping[str, Group],
        aliases: Mapping[str, str],
        shared: Mapping[str, Sequence[str]],
        strategy: str = Strategy.ROUND_ROBIN,
    ) -> None:
        self.endpoints: Mapping[str, Endpoints] = {}
        public = [name for name, group in groups.items() if not group.internal]
        self._direct = {name: Resolved((name,), name) for name in public if not name.endswith(WILDCARD)}
        self._direct |= {alias: Resolved((group,), alias) for alias, group in aliases.items() if group in groups}
        served = {name: [groups[member] for member in members if member in groups] for name, members in shared.items()}
        self._shared = {name: SharedName(members, strategy) for name, members in served.items() if members}
        # The longest prefix first: it is the most specific one.
        wildcards = [name for name in public if name.endswith(WILDCARD)]
        self._prefixes = [(name.removesuffix("*"), name) for name in sorted(wildcards, key=len, reverse=True)]

    def resolve(self, model: str) -> Resolved | None:
        """Return the groups that a client means with `model`; None where it is not served."""
        shared = self._shared.get(model)
        if shared is not None:
            return Resolved(shared.next(self.endpoints), model)
        found = self._direct.get(model)
        if found is not None:
            return found
        for prefix, name in self._prefixes:
            if model.startswith(prefix) and len(model) > len(prefix):
                return Resolved((name,), model.removeprefix(prefix))
        return None

    def listed(self) -> list[str]:
        """Return the names for GET /v1/models, without duplicates: those of resources and models, and the wildcards."""
        return list(dict.fromkeys([*self._direct, *self._shared, *(name for _, name in self._prefixes)]))
