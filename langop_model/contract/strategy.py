"""How an endpoint is chosen. The renderer asks for it too, which needs nothing else of the settings."""

from __future__ import annotations

from enum import StrEnum


class Strategy(StrEnum):
    """How an endpoint is chosen: the values of spec.loadBalancing.strategy."""

    LATENCY_BASED = "latency-based"
    LEAST_CONNECTIONS = "least-connections"
    RANDOM = "random"
    ROUND_ROBIN = "round-robin"
    WEIGHTED = "weighted"
