"""GET /metrics: the text of Prometheus and of OpenMetrics.

https://prometheus.io/docs/instrumenting/exposition_formats/ and
https://github.com/prometheus/OpenMetrics/blob/main/specification/OpenMetrics.md
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Collection, Sequence
from itertools import accumulate
from typing import Generic, cast

from langop_model.gateway.accounting.registry import (
    SEPARATOR,
    Child,
    Definition,
    Distribution,
    Family,
    MetricType,
    Registry,
    Value,
)
from langop_model.gateway.accounting.snapshots import (
    SERIES,
    Counted,
    Snapshot,
    absent,
    add_to,
    as_json,
    join_exemplars,
)

TEXT = "text/plain; version=0.0.4; charset=utf-8"
OPENMETRICS = "application/openmetrics-text; version=1.0.0; charset=utf-8"
# Where the labels and a number go in the lines of a series; no text of a label has these characters.
LABELS, NUMBER = "\0", "\1"


def content_type(accept: str) -> str:
    """Return the media type for a request's Accept header: OpenMetrics for who asks for it, text for all others."""
    return OPENMETRICS if "application/openmetrics-text" in accept.lower() else TEXT


class Exposition:
    """The text of a registry's metrics, with the numbers of all workers. A metric's lines are kept from scrape to scrape.

    Of other models than `models` nothing is shown: workers that served a previous configuration have counted them.
    """

    def __init__(self, registry: Registry, models: Collection[str]) -> None:
        self.registry = registry
        self.models = {*models, ""}
        self._families: dict[tuple[str, bool], _Values | _Histograms] = {}

    def text(self, others: Sequence[Snapshot], media_type: str = TEXT) -> bytes:
        """Return all metrics: those of the registry, each of its series from 0 on, with what `others` have counted.

        A metric of theirs that has no definition here is skipped: a worker of another version may be running during an
        upgrade.
        """
        is_open = media_type == OPENMETRICS
        parts: list[bytes] = []
        for name, family in self.registry.families.items():
            lines = self._families.get((name, is_open))
            if lines is None:
                lines = self._families[name, is_open] = _lines_of(family, self.models, is_open)
            parts.append(lines.text([snapshot[name] for snapshot in others if name in snapshot]))
        if is_open:
            parts.append(b"# EOF\n")
        return b"".join(parts)


def _lines_of(family: Family[Value] | Family[Distribution], models: Collection[str], is_open: bool) -> _Values | _Histograms:
    if family.definition.kind is MetricType.HISTOGRAM:
        return _Histograms(cast("Family[Distribution]", family), models, is_open)
    return _Values(cast("Family[Value]", family), models, is_open)


class _Lines(ABC, Generic[Child]):
    """The lines of one metric in one of the two formats. They are written again when one of its numbers has changed.

    All numbers take their places in one template at once. Where each of 500 models has counted something, that takes half the
    CPU of writing the lines of each series on their own.
    """

    def __init__(self, family: Family[Child], models: Collection[str], is_open: bool) -> None:
        self.family: Family[Child] = family
        self.definition = family.definition
        self.models = models
        self.is_open = is_open
        self.of_series = self._of_series()
        self.template = _template(_header(self.definition, is_open))  # of all lines
        self.seen = 0  # series of the family that have been looked at
        self.unknown: Child = family.new("")  # in `series` for those that only others have
        self.series: list[Child] = []  # those that are shown, in the order of the lines
        self.places: dict[str, int] = {}  # in `series`, by their keys
        self.foreign: set[int] = set()  # places of those that only others have
        self.known: set[str] = set()  # others' series at the last scrape
        self.shown: object = None  # what `lines` are made of
        self.lines = b""

    def text(self, others: Sequence[Counted]) -> bytes:
        """Return the lines; none of a metric without series."""
        self._add_new(others)
        own = self.family.numbers(self.series)
        shown = (own, others)
        if shown != self.shown and self.series:
            texts = self._texts(self._combined(own, others), others)
            self.lines = self.template % tuple(texts)
            self.shown = shown
        return self.lines

    def _add_new(self, others: Sequence[Counted]) -> None:
        """Give the series that are new their lines."""
        new: list[str] = []
        if len(self.family.children) > self.seen:
            children = list(self.family.children.values())
            new += [child.key for child in children[self.seen :] if self._show(child.key, child)]
            self.seen = len(children)
        for counted in others:
            if counted.series not in self.known:
                keys = counted.series.split(SERIES)
                new += [key for key in keys if key not in self.places and self._show(key, self.unknown)]
        self.known = {counted.series for counted in others}
        if new:
            self.template += b"".join(
                _template(self.of_series.replace(LABELS, _label_text(self.definition, key))) for key in new
            )

    def _show(self, key: str, child: Child) -> bool:
        """Give a series a place, unless it belongs to a model that is not shown. Return whether it needs lines."""
        if key in self.places:
            self.series[self.places[key]] = child
            self.foreign.discard(self.places[key])
            return False
        if self.definition.labels[:1] == ("model",) and key.partition(SEPARATOR)[0] not in self.models:
            return False
        self.places[key] = len(self.series)
        if child is self.unknown:
            self.foreign.add(len(self.series))
        self.series.append(child)
        return True

    def _combined(self, own: list[float], others: Sequence[Counted]) -> list[float]:
        """Return the numbers of all workers, in the order of `series`."""
        numbers = own.copy()
        for counted in others:
            add_to(numbers, self.places, counted, self.definition)
        return numbers

    @abstractmethod
    def _of_series(self) -> str:
        """Return the lines of one series, with places for labels and numbers."""

    @abstractmethod
    def _texts(self, numbers: list[float], others: Sequence[Counted]) -> list[bytes]:
        """Return what takes the places in the template."""


class _Values(_Lines[Value]):
    """The lines of a counter or a gauge."""

    def __init__(self, family: Family[Value], models: Collection[str], is_open: bool) -> None:
        super().__init__(family, models, is_open)
        self.unknown.value = absent(self.definition)

    def _combined(self, own: list[float], others: Sequence[Counted]) -> list[float]:
        numbers = super()._combined(own, others)
        for place in self.foreign:
            if math.isinf(numbers[place]):  # the worker that had it has ended
                numbers[place] = 0
        return numbers

    def _of_series(self) -> str:
        return f"{self.definition.series}{_braces(self.definition)} {NUMBER}\n"

    def _texts(self, numbers: list[float], _: Sequence[Counted]) -> list[bytes]:
        return _each_as_text(numbers)


class _Histograms(_Lines[Distribution]):
    """The lines of a histogram."""

    def _of_series(self) -> str:
        name, labels = self.definition.name, f"{LABELS}," if self.definition.labels else ""
        bounds = [repr(float(bound)) for bound in self.definition.buckets] + ["+Inf"]
        buckets = "".join(f'{name}_bucket{{{labels}le="{bound}"}} {NUMBER}\n' for bound in bounds)
        plain = _braces(self.definition)
        return f"{buckets}{name}_count{plain} {NUMBER}\n{name}_sum{plain} {NUMBER}\n"

    def _texts(self, numbers: list[float], others: Sequence[Counted]) -> list[bytes]:
        width = self.definition.width
        flat: list[float] = []
        for start in range(0, len(numbers), width):
            flat += accumulate(numbers[start : start + width - 1])
            flat += (flat[-1], numbers[start + width - 1])
        texts = _each_as_text(flat)
        if self.is_open:
            self._add_exemplars(texts, others)
        return texts

    def _add_exemplars(self, texts: list[bytes], others: Sequence[Counted]) -> None:
        own = Counted("", [], {child.key: child.exemplars for child in self.series if child.exemplars})
        for key, exemplars in join_exemplars([own, *others]).items():
            if key in self.places:
                start = self.places[key] * (self.definition.width + 1)  # buckets and +Inf, count and sum
                for bucket, exemplar in exemplars.items():
                    texts[start + int(bucket)] += _exemplar(*exemplar)


def _each_as_text(numbers: list[float]) -> list[bytes]:
    """Return the text of each number. As one JSON text that is then split they take a third of the time."""
    return as_json(numbers)[1:-1].split(b",")


def _template(text: str) -> bytes:
    """Return a text with places for numbers as a template for `%`."""
    return text.encode().replace(b"%", b"%%").replace(NUMBER.encode(), b"%b")


def _braces(definition: Definition) -> str:
    return f"{{{LABELS}}}" if definition.labels else ""


def _exemplar(trace_id: str, value: float, at: float) -> bytes:
    return f' # {{trace_id="{trace_id}"}} {value} {at}'.encode()


def _header(definition: Definition, is_open: bool) -> str:
    name = definition.name if is_open else definition.series
    unit = f"# UNIT {name} {definition.unit}\n" if is_open and definition.unit and name.endswith(f"_{definition.unit}") else ""
    return f"# HELP {name} {_escaped(definition.help, quote=is_open)}\n# TYPE {name} {definition.kind}\n{unit}"


def _label_text(definition: Definition, key: str) -> str:
    values = key.split(SEPARATOR) if definition.labels else []
    return ",".join(f'{name}="{_escaped(value)}"' for name, value in zip(definition.labels, values, strict=True))


def _escaped(value: str, *, quote: bool = True) -> str:
    value = value.replace("\\", "\\\\").replace("\n", "\\n").replace(LABELS, "").replace(NUMBER, "")
    return value.replace('"', '\\"') if quote else value
