"""What the processes that share a redis report about endpoints: which are down, and how much of a share is used up.

Each process reports once a second and reads the reports of its peers, so no request waits for redis, and what it goes by may
be two seconds old. An endpoint is down as long as a process reports it, unless it has meanwhile answered here.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import TYPE_CHECKING

from langop_model.gateway.routing.endpoints import Endpoints, PeerReport

if TYPE_CHECKING:  # redis takes 12 MB and a tenth of a second to import
    from langop_model.gateway.limits.redis_connection import RedisConnection

REPORT_TTL = 5.0  # seconds that a report holds unless it is repeated
DOWN = "down"


class PeerReports:
    """The reports about the endpoints of all models of one Kubernetes namespace."""

    def __init__(self, redis: RedisConnection, namespace: str, models: Sequence[Endpoints]) -> None:
        self.redis = redis
        self.key = f"langop:{namespace}:endpoints"
        self.models = models
        self.reported: set[str] = set()
        redis.listeners.append(self)

    async def beat(self, has_state: bool) -> None:  # noqa: ARG002 - everything is reported each time
        """Report what is known here, and read what peers report. Raises RedisUnavailableError."""
        entries = self._entries()
        pairs = [part for entry, seconds in entries.items() for part in (entry, round(seconds * 1000))]
        over = sorted(self.reported - entries.keys())
        answer = await self.redis.run("report", [self.key], [self.redis.process, len(entries), *pairs, *over])
        self.reported = set(entries)
        self._merge({entry.decode(): milliseconds for entry, milliseconds in zip(answer[::2], answer[1::2], strict=True)})

    def _entries(self) -> dict[str, float]:
        """Return each entry, `down NAME` or `COUNT NAME`, and for how many seconds it holds."""
        entries = {}
        for endpoints in self.models:
            entries.update({f"{DOWN} {name}": seconds for name, seconds in endpoints.found_down(REPORT_TTL).items()})
            entries.update({f"{count} {name}": REPORT_TTL for name, count in endpoints.counted().items()})
        return entries

    def _merge(self, entries: dict[str, int]) -> None:
        """Read entries, each after the process that reports it, with the milliseconds that it holds."""
        reports: defaultdict[str, PeerReport] = defaultdict(PeerReport)
        for entry, milliseconds in entries.items():
            process, what, name = entry.split(" ", 2)
            if process == self.redis.process:
                continue
            if what == DOWN:
                reports[name].down[process] = milliseconds / 1000
            else:
                reports[name].calls += int(what)
        for endpoints in self.models:
            endpoints.merge(reports)
