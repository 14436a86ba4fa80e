"""Counters, gauges and histograms of one process, and how those of several workers add up to one truth.

Not prometheus_client: with 500 models its text takes over 100 times the CPU of this one, an observation 6 times; several
processes need a folder of files that outlives them. Its parsers check this text in the tests.
"""

from __future__ import annotations

import json
import time
from bisect import bisect_left
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from operator import add
from typing import Any, Generic, TypeVar, cast

import orjson

SEPARATOR = "\x1f"  # between the values of labels in a snapshot
Totals = dict[str, dict[str, Any]]
# Of a histogram in a snapshot: the sum of its values, the number in each bucket, and the exemplars by their buckets.
Histogram = list[Any]


class MetricType(StrEnum):
    """The types of the exposition format."""

    COUNTER = "counter"
    GAUGE = "gauge"
    HISTOGRAM = "histogram"


class Merge(StrEnum):
    """What a gauge of several workers is: they each have a part of it, or each know the whole."""

    SUM = "sum"
    MAX = "max"
    MIN = "min"


@dataclass(frozen=True, slots=True)
class Definition:
    """A metric: its name without `_total`, what it means, and its labels.

    `replaces` are the metrics of LiteLLM's proxy whose figures it has, each with the labels that select
    them, empty for all.
    """

    name: str
    kind: MetricType
    help: str
    labels: tuple[str, ...] = ()
    unit: str = ""
    buckets: tuple[float, ...] = ()
    merge: Merge = Merge.SUM
    replaces: tuple[tuple[str, str], ...] = ()

    @property
    def series(self) -> str:
        """The name that a query uses; a histogram's has `_bucket`, `_sum` or `_count` behind it."""
        return f"{self.name}_total" if self.kind is MetricType.COUNTER else self.name

    @property
    def is_shared_knowledge(self) -> bool:
        """Whether each worker knows the whole of it, so that it does not add up."""
        return self.kind is MetricType.GAUGE and self.merge is not Merge.SUM


class Value:
    """A counter or a gauge with one set of labels."""

    __slots__ = ("key", "value")

    def __init__(self, key: str = "") -> None:
        self.key = key
        self.value: float = 0

    def inc(self, by: float = 1) -> None:
        self.value += by

    def dec(self, by: float = 1) -> None:
        """Take from a gauge."""
        self.value -= by

    def set(self, value: float) -> None:
        """Set a gauge, or a counter that something else counts."""
        self.value = value


class Distribution:
    """A histogram with one set of labels: how many values each bucket has, not added up, and the last trace in each."""

    __slots__ = ("bounds", "count", "counts", "exemplars", "key", "sum")

    def __init__(self, bounds: tuple[float, ...], key: str = "") -> None:
        self.key = key
        self.bounds = bounds
        self.counts = [0] * (len(bounds) + 1)
        self.count = 0
        self.sum: float = 0
        self.exemplars: dict[int, tuple[str, float, float]] | None = None

    def observe(self, value: float, trace_id: str = "") -> None:
        """Count a value; `trace_id` names a request that took as long."""
        bucket = bisect_left(self.bounds, value)
        self.counts[bucket] += 1
        self.count += 1
        self.sum += value
        if trace_id:
            if self.exemplars is None:
                self.exemplars = {}
            self.exemplars[bucket] = (trace_id, value, round(time.time(), 3))

    def state(self) -> Histogram:
        """Return what a snapshot says of it, until the next value."""
        exemplars = {str(bucket): each for bucket, each in self.exemplars.items()} if self.exemplars else None
        return [self.sum, self.counts, exemplars]


Child = TypeVar("Child", Value, Distribution)


class Family(Generic[Child]):
    """A metric with all its sets of labels. Those that are asked for are there from then on, at 0."""

    __slots__ = ("children", "definition", "new")

    def __init__(self, definition: Definition, new: Callable[[str], Child]) -> None:
        self.definition = definition
        self.new: Callable[[str], Child] = new
        self.children: dict[tuple[str, ...], Child] = {}

    def labels(self, *values: str) -> Child:
        """Return the one with these values, in the order of the definition. Raises ValueError for a wrong number of them."""
        found = self.children.get(values)
        if found is None:
            if len(values) != len(self.definition.labels):
                raise ValueError(f"{self.definition.name} has the labels {self.definition.labels}, not {len(values)}")
            found = self.children[values] = self.new(SEPARATOR.join(values))
        return found


class Registry:
    """All metrics of one process."""

    def __init__(self) -> None:
        self.families: dict[str, Family[Value] | Family[Distribution]] = {}

    def value(self, definition: Definition) -> Family[Value]:
        """Add a counter or a gauge."""
        family = Family(definition, Value)
        self.families[definition.name] = family
        return family

    def histogram(self, definition: Definition) -> Family[Distribution]:
        family = Family(definition, lambda key: Distribution(definition.buckets, key))
        self.families[definition.name] = family
        return family

    def totals(self) -> Totals:
        """Return what was counted: by metric and labels a number, or sum, counts and exemplars of a histogram.

        What is 0 is omitted, but for gauges whose 0 means something to the others.
        """
        return {name: found for name, family in self.families.items() if (found := _of(family))}

    def snapshot(self) -> bytes:
        """Return the totals as JSON, for another process."""
        return as_json(self.totals())


def merge(
    snapshots: Iterable[bytes],
    definitions: Mapping[str, Definition],
    served: str = "",
    configuration: Collection[str] | None = None,
) -> Totals:
    """Return the sum of the snapshots of workers.

    `served` names the metric whose labels say which configuration a worker serves. One that serves another than
    `configuration`, because it finishes its last requests after a change, adds what it counts: what it knows of limits and
    endpoints is outdated. A metric that has no definition here is skipped: a worker of another version may be running during
    an upgrade.
    """
    totals: Totals = {}
    for snapshot in snapshots:
        added = orjson.loads(snapshot)
        is_outdated = configuration is not None and not set(configuration).issuperset(added.get(served, ()))
        for name, found in added.items():
            definition = definitions.get(name)
            if definition is None or (is_outdated and definition.is_shared_knowledge):
                continue
            mine = totals.setdefault(name, found)
            if mine is not found:
                combine = combiner(definition)
                mine.update({key: combine(mine[key], value) if key in mine else value for key, value in found.items()})
    return totals


def retire(base: bytes | None, snapshot: bytes, definitions: dict[str, Definition]) -> bytes:
    """Return `base`, what ended workers have counted, with the last snapshot of one more; its gauges ended with it."""
    totals = merge([snapshot, base] if base else [snapshot], definitions)
    return as_json({name: found for name, found in totals.items() if definitions[name].kind is not MetricType.GAUGE})


def as_json(figures: Any) -> bytes:
    """Return figures as JSON. A sum of tokens may be an integer of more than the 64 bits that orjson writes."""
    try:
        return orjson.dumps(figures)
    except TypeError:
        return json.dumps(figures, separators=(",", ":")).encode()


def _of(family: Family[Value] | Family[Distribution]) -> dict[str, Any]:
    definition = family.definition
    children = list(family.children.values())  # a scrape may be answered while a request adds a series
    if definition.kind is MetricType.HISTOGRAM:
        return {child.key: child.state() for child in cast("list[Distribution]", children) if child.count}
    keeps_zero = definition.is_shared_knowledge
    values = cast("list[Value]", children)
    return {child.key: child.value for child in values if keeps_zero or child.value}


def combiner(definition: Definition) -> Callable[[Any, Any], Any]:
    """Return what makes one number of two workers' numbers of a series."""
    if definition.kind is MetricType.HISTOGRAM:
        return _added
    if definition.is_shared_knowledge:
        return max if definition.merge is Merge.MAX else min
    return add


def _added(one: Histogram, other: Histogram) -> Histogram:
    exemplars = {**(one[2] or {}), **(other[2] or {})} if one[2] or other[2] else None
    return [one[0] + other[0], [*map(add, one[1], other[1])], exemplars]
