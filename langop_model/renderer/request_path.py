"""The path of a request through one model, as a picture: names, cache, limits, endpoints, retries, fallbacks by cause.

The order is the gateway's, and tests/unit/gateway/routing/test_request_path.py compares it with a request that is served: an
answer from the cache counts towards no limit, every attempt asks for admission, and no retry asks the cache.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from langop_model.renderer import difference_endpoints, quantities
from langop_model.renderer.model_facts import ModelFacts

SHOWN = 6  # names, endpoints and fallbacks; more are counted


@dataclass(frozen=True, slots=True)
class Node:
    """One box: its `stage` (names, cache, limits, endpoint, retries, fallback) and what is written in it, line by line."""

    id: str
    stage: str
    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Edge:
    """A way from one box to another; `label` says which requests take it. `fails`: only those that failed take it."""

    source: str
    target: str
    label: str = ""
    fails: bool = False


@dataclass(frozen=True, slots=True)
class RequestPath:
    """The picture: boxes in columns from left to right, and the ways between them."""

    columns: tuple[tuple[Node, ...], ...]
    edges: tuple[Edge, ...]

    @property
    def nodes(self) -> list[Node]:
        """All boxes, from left to right."""
        return [node for column in self.columns for node in column]


def of(facts: ModelFacts) -> RequestPath:
    """Return the picture of a model."""
    section = facts.section
    columns: list[tuple[Node, ...]] = [(Node("names", "names", ("clients ask for", *_first(facts.names))),)]
    limits = _limits(facts)
    columns += [(node,) for node in (_cache(section), limits) if node is not None]
    edges = [Edge(one[0].id, other[0].id, _way(one[0])) for one, other in pairwise(columns)]
    last = columns[-1][0]
    endpoints, ways = _endpoints(facts)
    columns.append(tuple(endpoints))
    edges += [Edge(last.id, node.id, way if way else _way(last)) for node, way in zip(endpoints, ways, strict=True)]
    failing: list[Node] = endpoints
    retries = _retries(section)
    if retries is not None:
        columns.append((retries,))
        fails = "all fail" if len(facts.section["endpoints"]) > 1 else "fails"
        edges += [Edge(node.id, retries.id, fails, fails=True) for node in failing]
        edges += [Edge(retries.id, node.id, "again", fails=True) for node in ([limits] if limits else endpoints)]
        failing = [retries]
    fallbacks = _fallbacks(facts)
    if fallbacks:
        columns.append(tuple(node for node, _ in fallbacks))
        edges += [Edge(source.id, node.id, cause, fails=True) for source in failing for node, cause in fallbacks]
    return RequestPath(tuple(columns), tuple(edges))


def _first(words: Sequence[str]) -> list[str]:
    more = [f"and {len(words) - SHOWN} more"] if len(words) > SHOWN else []
    return [*words[:SHOWN], *more]


def _way(source: Node) -> str:
    return "not kept" if source.stage == "cache" else ""


def _cache(section: Mapping[str, Any]) -> Node | None:
    caching = section.get("caching")
    if caching is None:
        return None
    ttl = f"for {quantities.duration(caching['ttl'])}" if "ttl" in caching else "as long as there is space"
    return Node("cache", "cache", (f"cache in {caching['backend']}", ttl))


def _limits(facts: ModelFacts) -> Node | None:
    limits = facts.section.get("limits")
    if limits is None:
        return None
    words = {
        "requests_per_minute": ("request", "a minute"),
        "tokens_per_minute": ("token", "a minute"),
        "concurrent_requests": ("request", "at a time"),
    }
    lines = [f"{quantities.counted(limits[name], noun)} {unit}" for name, (noun, unit) in words.items() if name in limits]
    then = "a fallback" if facts.falls_back_when_full else "429"
    return Node("limits", "limits", ("limits", *lines, f"else waits up to {quantities.duration(limits['wait'])}, then {then}"))


def _endpoints(facts: ModelFacts) -> tuple[list[Node], list[str]]:
    """Return a box for each endpoint, and what is said of the way there."""
    every = facts.section["endpoints"]
    strategy = facts.section.get("strategy", "random")
    parts = difference_endpoints.shares(every, strategy)
    several = len(every) > 1
    priorities = len({endpoint.get("priority", 0) for endpoint in every}) > 1
    nodes, ways = [], []
    for index, (endpoint, part) in enumerate(zip(every[:SHOWN], parts, strict=False)):
        lines = [difference_endpoints.label(endpoint)]
        if endpoint.get("url") and endpoint["url"] not in lines:
            lines.append(str(endpoint["url"]))
        if "requests_per_minute" in endpoint and several:
            lines.append(f"{quantities.counted(endpoint['requests_per_minute'], 'request')} a minute")
        if priorities:
            lines.append(f"priority {endpoint.get('priority', 0)}")
        nodes.append(Node(f"endpoint{index}", "endpoint", tuple(lines)))
        share = strategy if part is None else quantities.percent(float(part)) if part else "if the others are down"
        ways.append(share if several else "")
    if len(every) > SHOWN:
        nodes.append(Node("endpoints", "endpoint", (f"and {len(every) - SHOWN} more endpoints",)))
        ways.append(strategy)
    return nodes, ways


def _retries(section: Mapping[str, Any]) -> Node | None:
    policy = section.get("retries")
    if policy is None:
        return None
    waits = quantities.waits(policy["initial_backoff"], policy["multiplier"], policy["max_backoff"], policy["attempts"])
    shown = [quantities.duration(each) for each in waits]
    after = ", ".join(shown if len(shown) <= 4 else [*shown[:3], "…", shown[-1]])
    codes = [str(each) for each in policy["status_codes"]]
    on = ", ".join(codes if len(codes) <= 4 else [*codes[:4], f"and {len(codes) - 4} more"])
    return Node(
        "retries",
        "retries",
        (
            f"{quantities.number(policy['attempts'])} {'retry' if policy['attempts'] == 1 else 'retries'}",
            f"after {after}",
            f"on {on}",
        ),
    )


def _fallbacks(facts: ModelFacts) -> list[tuple[Node, str]]:
    found = []
    for index, fallback in enumerate(facts.fallbacks[:SHOWN]):
        cause = "any error" if "error" in fallback.conditions else quantities.listed(fallback.conditions, "or")
        found.append((Node(f"fallback{index}", "fallback", (f"fallback {index + 1}", fallback.ref)), cause))
    if len(facts.fallbacks) > SHOWN:
        found.append((Node("fallbacks", "fallback", (f"and {len(facts.fallbacks) - SHOWN} more fallbacks",)), ""))
    return found
