"""Which endpoints are down: what one process has found out, the others know a moment later.

Each process says once a second what it has found, and hears what the others have: no request waits for redis. A verdict of
another process holds as long as that process says so, unless the endpoint has meanwhile answered here.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from langop_model.gateway.endpoints import Endpoints
from langop_model.gateway.shared import Shared

BELIEVED = 5.0  # seconds that the word of a process on a failed check holds, unless it says so again


class Verdicts:
    """The exchange for the endpoints of all models of one Kubernetes namespace."""

    def __init__(self, shared: Shared, namespace: str, models: Sequence[Endpoints]) -> None:
        self.shared = shared
        self.key = f"langop:{namespace}:down"
        self.models = models
        self.said: set[str] = set()
        shared.members.append(self)

    async def beat(self, remembers: bool) -> None:  # noqa: ARG002 - everything is said each time
        """Say what is down, and hear it. Raises Lost."""
        own = {name: seconds for endpoints in self.models for name, seconds in endpoints.found_down(BELIEVED).items()}
        pairs = [part for name, seconds in own.items() for part in (name, round(seconds * 1000))]
        over = sorted(self.said - own.keys())
        answer = await self.shared.run("verdicts", [self.key], [self.shared.process, len(own), *pairs, *over])
        self.said = set(own)
        heard: defaultdict[str, dict[str, float]] = defaultdict(dict)
        for entry, milliseconds in zip(answer[::2], answer[1::2], strict=True):
            process, _, name = entry.partition(" ")
            if process != self.shared.process:
                heard[name][process] = milliseconds / 1000
        for endpoints in self.models:
            endpoints.hear(heard)
