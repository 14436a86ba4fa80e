"""A model group as this process serves it: its limits, its endpoints, and how each is asked."""

from __future__ import annotations

from dataclasses import dataclass, field

from langop_model.contract.settings import Group
from langop_model.gateway.caching.response_cache import ResponseCache
from langop_model.gateway.limits.admission import Admission
from langop_model.gateway.routing.endpoints import Endpoints
from langop_model.gateway.upstreams.base import Route, Upstream
from langop_model.gateway.upstreams.parameters import Parameters


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

    def upstream(self, route: Route, *, translated: bool) -> Upstream:
        """Return how a request goes out: relayed where the provider speaks the client's protocol on this route.

        Raises UpstreamError for a route that the provider does not serve.
        """
        self.parameters.check_route(route)
        own = self.group.upstream
        if translated or own is None or route not in own.routes:
            return self.translation
        return self.relay
