"""A model group as this process serves it: its limits, its endpoints, and how each is asked."""

from __future__ import annotations

from dataclasses import dataclass

from langop_model.contract.settings import Group
from langop_model.gateway.caching.response_cache import ResponseCache
from langop_model.gateway.limits.admission import Admission
from langop_model.gateway.routing.endpoints import Endpoints
from langop_model.gateway.upstreams.base import Route, Upstream


@dataclass(slots=True)
class GroupRuntime:
    """What the attempts of one group share; `cache` is None where the specification asks for none."""

    group: Group
    admission: Admission
    endpoints: Endpoints
    relay: Upstream
    translation: Upstream
    cache: ResponseCache | None = None

    def upstream(self, route: Route, *, translated: bool) -> Upstream:
        """Return how a request goes out: relayed where the provider speaks the client's protocol on this route."""
        own = self.group.upstream
        if translated or own is None or route not in own.routes:
            return self.translation
        return self.relay
