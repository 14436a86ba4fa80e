"""What the processes that share a redis tell each other about endpoints: which are down, and how much of a share is used up.

Each process says it once a second, and hears what the others say: no request waits for redis, and what it goes by may be two
seconds old. That an endpoint is down holds as long as a process says so, unless the endpoint has meanwhile answered here.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from langop_model.gateway.limits.shared import Shared
from langop_model.gateway.routing.endpoints import Endpoints, Heard

BELIEVED = 5.0  # seconds that a word holds, unless it is said again
DOWN = "down"


class Exchange:
    """The exchange about the endpoints of all models of one Kubernetes namespace."""

    def __init__(self, shared: Shared, namespace: str, models: Sequence[Endpoints]) -> None:
        self.shared = shared
        self.key = f"langop:{namespace}:endpoints"
        self.models = models
        self.said: set[str] = set()
        shared.members.append(self)

    async def beat(self, remembers: bool) -> None:  # noqa: ARG002 - everything is said each time
        """Say what is known here, and hear what is known elsewhere. Raises Lost."""
        words = self._words()
        pairs = [part for word, seconds in words.items() for part in (word, round(seconds * 1000))]
        over = sorted(self.said - words.keys())
        answer = await self.shared.run("exchange", [self.key], [self.shared.process, len(words), *pairs, *over])
        self.said = set(words)
        self._hear(dict(zip(answer[::2], answer[1::2], strict=True)))

    def _words(self) -> dict[str, float]:
        """Return each word, `down NAME` or `COUNT NAME`, and for how many seconds it holds."""
        words = {}
        for endpoints in self.models:
            words.update({f"{DOWN} {name}": seconds for name, seconds in endpoints.found_down(BELIEVED).items()})
            words.update({f"{count} {name}": BELIEVED for name, count in endpoints.counted().items()})
        return words

    def _hear(self, words: dict[str, int]) -> None:
        """Understand words, each behind the process that says it, and with the milliseconds that it holds."""
        heard: defaultdict[str, Heard] = defaultdict(Heard)
        for entry, milliseconds in words.items():
            process, what, name = entry.split(" ", 2)
            if process == self.shared.process:
                continue
            if what == DOWN:
                heard[name].down[process] = milliseconds / 1000
            else:
                heard[name].calls += int(what)
        for endpoints in self.models:
            endpoints.hear(heard)
