"""Counters, gauges and histograms of one process; snapshots.py adds up those of several workers.

Not prometheus_client: with 500 models its text takes over 100 times the CPU of this one, an observation 6 times; several
processes need a folder of files that outlives them. Its parsers check this text in the tests.
"""

from __future__ import annotations

import time
from bisect import bisect_left
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Generic, TypeVar

SEPARATOR = "\x1f"  # between the values of labels in the key of a series
Exemplars = dict[str, tuple[str, float, float]]  # by the number of the bucket: trace, value, seconds since 1970


NONE: Exemplars = {}


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

    @property
    def width(self) -> int:
        """How many numbers a series has: a histogram's those of its buckets and of +Inf, and the sum of its values."""
        return len(self.buckets) + 2 if self.kind is MetricType.HISTOGRAM else 1


class Value:
    """A counter or a gauge with one set of labels. What each request changes is changed in `value`: a call takes longer."""

    __slots__ = ("key", "value")

    def __init__(self, key: str = "") -> None:
        self.key = key
        self.value: float = 0

    def inc(self, by: float = 1) -> None:
        self.value += by

    def set(self, value: float) -> None:
        """Set a gauge, or a counter that something else counts."""
        self.value = value

    @staticmethod
    def numbers(children: Iterable[Value]) -> list[float]:
        """Return the numbers of `children`, one of each."""
        return [child.value for child in children]


class Distribution:
    """A histogram with one set of labels: how many values each bucket has, not added up, and the last trace in each."""

    __slots__ = ("bounds", "counts", "exemplars", "key", "sum")

    def __init__(self, bounds: tuple[float, ...], key: str = "") -> None:
        self.key = key
        self.bounds = bounds
        self.counts = [0] * (len(bounds) + 1)
        self.sum: float = 0
        self.exemplars: Exemplars = NONE

    def observe(self, value: float, trace_id: str = "") -> None:
        """Count a value; `trace_id` names a request that took as long."""
        bucket = bisect_left(self.bounds, value)
        self.counts[bucket] += 1
        self.sum += value
        if trace_id:
            self.exemplars = {**self.exemplars, str(bucket): (trace_id, value, round(time.time(), 3))}

    @staticmethod
    def numbers(children: Iterable[Distribution]) -> list[float]:
        """Return the numbers of `children`, one after the other: those of its buckets, and the sum, of each."""
        flat: list[float] = []
        for child in children:
            flat += child.counts
            flat.append(child.sum)
        return flat


Child = TypeVar("Child", Value, Distribution)


class Family(Generic[Child]):
    """A metric with all its sets of labels. Those that are asked for are there from then on, at 0.

    `new` makes the one with a key, `numbers` are those of several in a row.
    """

    __slots__ = ("children", "definition", "new", "numbers")

    def __init__(
        self, definition: Definition, new: Callable[[str], Child], numbers: Callable[[Iterable[Child]], list[float]]
    ) -> None:
        self.definition = definition
        self.new: Callable[[str], Child] = new
        self.numbers: Callable[[Iterable[Child]], list[float]] = numbers
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
        family = Family(definition, Value, Value.numbers)
        self.families[definition.name] = family
        return family

    def histogram(self, definition: Definition) -> Family[Distribution]:
        family = Family(definition, lambda key: Distribution(definition.buckets, key), Distribution.numbers)
        self.families[definition.name] = family
        return family
