"""A model group as this process serves it: its limits, its endpoints, and how each is asked."""

from __future__ import annotations

from dataclasses import dataclass, field

from langop_model.contract.settings import Group
from langop_model.gateway.caching.response_cache import ResponseCache
from langop_model.gateway.limits.admission import Admission
from langop_model.gateway.routing.endpoints import Endpoints
from langop_model.gateway.upstreams.base import Upstream
from langop_model.gateway.upstreams.parameters import Parameters, Prepared


@dataclass(slots=True)
class GroupRuntime:
    """What the attempts of one group share; `cache` is None where the specification asks for none."""

    group: Group
    admission: Admission
    endpoints: Endpoints
    relay: Upstream
    translation: Upstream
    cache: ResponseCache | None = None
    parameters: Parameters = field(init=False)

    def __post_init__(self) -> None:
        """Make what prepares the requests of the group."""
        self.parameters = Parameters(self.group)

    def upstream(self, prepared: Prepared) -> Upstream:
        """Return how a request goes out: relayed where the provider speaks the client's protocol."""
        return self.translation if prepared.is_translated else self.relay
