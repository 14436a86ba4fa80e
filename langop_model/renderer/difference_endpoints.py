"""What differs between the endpoints of two models: matched by URL and not by position, with their shares of the requests."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction
from typing import Any

from langop_model.renderer import quantities
from langop_model.renderer.difference_rows import Difference, Severity

_NUMBERED = r"endpoint-\d+"
_BY_LOAD = {"least-connections": "the fewest requests in flight", "latency-based": "the shortest latency"}
Endpoint = Mapping[str, Any]
Pair = tuple[Endpoint, Endpoint]


def match(old: Sequence[Endpoint], new: Sequence[Endpoint]) -> tuple[list[Pair], list[Endpoint], list[Endpoint]]:
    """Return the pairs of endpoints that are the same, those of `old` that are gone, and those of `new` that were added.

    The same URL and id, then the same URL, then the same id; a single one on either side is the same one, moved.
    """
    pairs: list[Pair] = []
    left, right = list(old), list(new)
    for names in (("url", "id"), ("url",), ("id",)):
        for was in list(left):
            same = [will for will in right if all(was.get(name) == will.get(name) for name in names) and was.get(names[0])]
            if same:
                pairs.append((was, same[0]))
                left = [each for each in left if each is not was]
                right = [each for each in right if each is not same[0]]
    if len(old) == len(new) == 1 and left:
        return [(left[0], right[0])], [], []
    return pairs, left, right


def label(endpoint: Endpoint) -> str:
    """Return what people call an endpoint: its region where it has one, else its URL."""
    name = str(endpoint.get("id", ""))
    name = name.partition("/")[2] or name  # a region may have a / of its own
    return str(endpoint.get("url") or name) if not name or re.fullmatch(_NUMBERED, name) else name


def shares(endpoints: Sequence[Endpoint], strategy: str) -> list[Fraction | None]:
    """Return the part of the requests that each endpoint gets while all are up; None where load or latency decides.

    Those with the lowest priority number get all requests; the others get none until these are down or have used their share.
    """
    first = min((_priority(endpoint) for endpoint in endpoints), default=0)
    serving = [endpoint for endpoint in endpoints if _priority(endpoint) == first]
    weights = [int(endpoint.get("weight", 1)) if strategy == "weighted" else 1 for endpoint in serving]
    parts = {id(endpoint): part for endpoint, part in zip(serving, quantities.shares(weights), strict=True)}
    by_load = strategy in _BY_LOAD and len(serving) > 1
    return [None if by_load and id(each) in parts else parts.get(id(each), Fraction(0)) for each in endpoints]


def words(part: Fraction | None, strategy: str) -> str:
    """Return a share in words."""
    if part is None:
        return f"requests by {_BY_LOAD[strategy]}"
    return (
        quantities.part_of_requests(part)
        if part
        else "requests only while those of a lower priority number are down or used up"
    )


def compare(model: str, old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[Difference]:
    """Yield what differs between the endpoints of two sections of a model."""
    sides = [_Side(section) for section in (old, new)]
    pairs, removed, added = match(sides[0].endpoints, sides[1].endpoints)
    texts = [f"endpoint {label(each)} added: {sides[1].words(each)}" for each in added]
    texts += [f"endpoint {label(each)} removed: it had {sides[0].words(each)}" for each in removed]
    yield from (Difference(model, Severity.CHANGES, text, "endpoints") for text in texts)
    for one, other in pairs:
        for severity, text in _of_pair(one, other, *sides):
            yield Difference(model, severity, text, "endpoints")
    same = not added and not removed
    if same and sides[0].strategy != sides[1].strategy and len(pairs) > 1:
        text = f"loadBalancing.strategy {sides[0].strategy} → {sides[1].strategy}"
        yield Difference(model, Severity.CHANGES, text, "endpoints")
    positions = _positions(pairs, *sides)
    if same and sides[1].strategy == "round-robin" and positions != sorted(positions):
        yield Difference(model, Severity.COSMETIC, "endpoints take their turns in another order", "endpoints")


class _Side:
    """The endpoints of one section, with their shares."""

    def __init__(self, section: Mapping[str, Any]) -> None:
        found = section.get("endpoints")
        self.endpoints: list[Endpoint] = [each for each in found if isinstance(each, dict)] if isinstance(found, list) else []
        self.strategy = str(section.get("strategy", "random"))
        limits = section.get("limits")
        self.limit = limits.get("requests_per_minute") if isinstance(limits, dict) else None
        parts = shares(self.endpoints, self.strategy)
        self._parts = {id(each): part for each, part in zip(self.endpoints, parts, strict=True)}

    def part(self, endpoint: Endpoint) -> Fraction | None:
        return self._parts[id(endpoint)]

    def words(self, endpoint: Endpoint) -> str:
        return words(self.part(endpoint), self.strategy)


def _of_pair(one: Endpoint, other: Endpoint, old: _Side, new: _Side) -> Iterator[tuple[Severity, str]]:
    """Yield what differs between two versions of one endpoint."""
    name = label(other)
    if one.get("url") != other.get("url"):
        yield Severity.CHANGES, _moved(one, other, name)
    elif label(one) != name:
        yield Severity.COSMETIC, f"endpoint {label(one)} is called {name} in metrics and logs"
    shown = [old.words(one), new.words(other)]
    weights = [one.get("weight", 1), other.get("weight", 1)]
    if shown[0] != shown[1]:
        yield Severity.CHANGES, f"endpoint {name}: {shown[0]} → {shown[1]}"
    elif _priority(one) != _priority(other):
        severity = Severity.COSMETIC if old.part(one) == 1 else Severity.CHANGES
        yield severity, f"endpoint {name}: priority {_priority(one)} → {_priority(other)}"
    elif weights[0] != weights[1]:
        yield Severity.COSMETIC if old.part(one) else Severity.CHANGES, f"endpoint {name}: weight {weights[0]} → {weights[1]}"
    limits = [one.get("requests_per_minute"), other.get("requests_per_minute")]
    if limits[0] != limits[1] and old.limit == new.limit:
        yield Severity.CHANGES, f"endpoint {name}: {_limit(limits[0])} → {_limit(limits[1])}"


def _positions(pairs: list[Pair], old: _Side, new: _Side) -> list[int]:
    """Return where the endpoints of the new side are in the old one."""
    before = {id(other): old.endpoints.index(one) for one, other in pairs}
    return [before[id(each)] for each in new.endpoints if id(each) in before]


def _moved(one: Endpoint, other: Endpoint, name: str) -> str:
    urls = [each.get("url") or "the provider's own address" for each in (one, other)]
    numbered = name == other.get("url") or not other.get("url")
    return (
        f"requests go to {urls[1]} instead of {urls[0]}" if numbered else f"endpoint {name} moves from {urls[0]} to {urls[1]}"
    )


def _priority(endpoint: Endpoint) -> int:
    value = endpoint.get("priority", 0)
    return value if isinstance(value, int) else 0


def _limit(value: Any) -> str:
    return "no share of the limit" if value is None else f"{quantities.counted(value, 'request')} a minute"
