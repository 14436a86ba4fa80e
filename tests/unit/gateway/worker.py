"""A worker's groups, without its server, and what they are configured with."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

from langop_model.contract.settings import Endpoint, Group, HealthCheck
from langop_model.gateway.accounting.gauges import Gauges
from langop_model.gateway.accounting.metrics import Metrics
from langop_model.gateway.configuration import Configuration
from langop_model.gateway.routing.endpoints import Endpoints
from langop_model.gateway.routing.runtime import GroupRuntime
from langop_model.gateway.shared_state import SharedState
from tests.unit.gateway.clock import Clock
from tests.unit.gateway.samples import value

ENDPOINT = {"model": "m", "endpoint": "m/0", "region": ""}
CONFIGURATION = replace(Configuration.of({"callback_settings": {"langop": {"models": {}}}}), fingerprint="4f297c4b6b5a")
CHECK = HealthCheck(10, 5, 2, 1)


class Worker:
    """A worker's groups, without its server."""

    def __init__(self, **fields: Any) -> None:
        self.clock = Clock()
        self.group = Group("m", "m", (Endpoint("m/0"), Endpoint("m/1")), **fields)
        self.shared = SharedState({})
        self.runtime = GroupRuntime(
            self.group,
            self.shared.admission(self.group),
            Endpoints(self.group, self.clock),
            None,  # type: ignore[arg-type]
            None,  # type: ignore[arg-type]
            self.shared.cache(self.group),
        )
        self.metrics = Metrics([self.group])
        self.gauges = Gauges(self.metrics, [self.runtime], self.shared)
        self.state = self.runtime.endpoints.states[0]

    def shown(self, name: str, **labels: str) -> float | None:
        """Return a gauge as a scrape shows it."""
        asyncio.run(self.gauges.read_shared())
        return value(self.metrics.text(), name, **labels)

    def down_because(self) -> set[str]:
        """Return the reasons that are shown for the first endpoint."""
        reasons = ("health_check", "failures", "peer")
        return {each for each in reasons if self.shown("langop_endpoint_down", **ENDPOINT, reason=each)}
