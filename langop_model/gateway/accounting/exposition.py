"""GET /metrics: the text of Prometheus and of OpenMetrics.

https://prometheus.io/docs/instrumenting/exposition_formats/ and
https://github.com/prometheus/OpenMetrics/blob/main/specification/OpenMetrics.md
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Collection, Mapping
from itertools import accumulate
from typing import Any, Generic, cast

from langop_model.gateway.accounting.registry import (
    SEPARATOR,
    Child,
    Definition,
    Distribution,
    Family,
    Histogram,
    MetricType,
    Registry,
    Totals,
    Value,
    combined,
)

TEXT = "text/plain; version=0.0.4; charset=utf-8"
OPENMETRICS = "application/openmetrics-text; version=1.0.0; charset=utf-8"
LABELS = b"\0"  # where the labels go in the lines of a series; no text of a label has this character


def content_type(accept: str) -> str:
    """Return the media type for a request's Accept header: OpenMetrics for who asks for it, text for all others."""
    return OPENMETRICS if "application/openmetrics-text" in accept.lower() else TEXT


class Exposition:
    """The text of a registry's metrics, with the numbers of all workers. Lines are kept from scrape to scrape.

    Of other models than `models` nothing is shown: workers that served a previous configuration have counted them.
    """

    def __init__(self, registry: Registry, models: Collection[str]) -> None:
        self.registry = registry
        self.models = {*models, ""}
        self._families: dict[tuple[str, bool], _Values | _Histograms] = {}

    def text(self, others: Totals, media_type: str = TEXT) -> bytes:
        """Return all metrics: those of the registry, each of its series from 0 on, with what `others` have counted."""
        is_open = media_type == OPENMETRICS
        parts: list[bytes] = []
        for name, family in self.registry.families.items():
            shown = self._families.get((name, is_open))
            if shown is None:
                shown = self._families[name, is_open] = _lines_of(family, self.models, is_open)
            shown.update(others.get(name, {}))
            if shown.lines:
                parts.append(shown.header)
                parts += shown.lines
        if is_open:
            parts.append(b"# EOF\n")
        return b"".join(parts)


def _lines_of(family: Family[Value] | Family[Distribution], models: Collection[str], is_open: bool) -> _Values | _Histograms:
    if family.definition.kind is MetricType.HISTOGRAM:
        return _Histograms(cast("Family[Distribution]", family), models, is_open)
    return _Values(cast("Family[Value]", family), models, is_open)


class _Lines(ABC, Generic[Child]):
    """The lines of one metric in one of the two formats. Only those whose numbers have changed are written again."""

    def __init__(self, family: Family[Child], models: Collection[str], is_open: bool) -> None:
        self.family: Family[Child] = family
        self.definition = family.definition
        self.models = models
        self.is_open = is_open
        self.header = _header(self.definition, is_open).encode()
        self.template = self._template()
        self.seen = 0  # series of the family that have been looked at
        self.unknown: Child = family.new("")  # in `series` for those that only others have
        # For each series that is shown, at its place: its counter, its labels as text, its numbers, and its lines.
        self.series: list[Child] = []
        self.labels: list[bytes] = []
        self.numbers: list[Any] = []
        self.lines: list[bytes] = []
        self.places: dict[str, int] = {}  # by labels as in a snapshot

    def update(self, others: Mapping[str, Any]) -> None:
        """Add the series that are new, and write the lines whose numbers have changed."""
        if len(self.family.children) > self.seen:
            children = list(self.family.children.values())
            for child in children[self.seen :]:
                self._show(child.key, child)
            self.seen = len(children)
        now = self._read()
        for key, theirs in others.items():
            if key not in self.places and self._show(key, self.unknown):
                now.append(theirs)
            elif key in self.places:
                place = self.places[key]
                is_known = self.series[place] is not self.unknown
                now[place] = combined(self.definition, now[place], theirs) if is_known else theirs
        for place, (number, last) in enumerate(zip(now, self.numbers, strict=True)):
            if number != last:
                self.lines[place] = self._written(self.labels[place], number)
        self.numbers = now

    def _show(self, key: str, child: Child) -> bool:
        """Give a series a place, unless it belongs to a model that is not shown."""
        if key in self.places:
            self.series[self.places[key]] = child
            return True
        if self.definition.labels[:1] == ("model",) and key.partition(SEPARATOR)[0] not in self.models:
            return False
        self.places[key] = len(self.lines)
        self.series.append(child)
        self.labels.append(_label_text(self.definition, key).encode())
        self.numbers.append(None)
        self.lines.append(b"")
        return True

    @abstractmethod
    def _template(self) -> bytes:
        """Return the lines of one series, with places for labels and numbers."""

    @abstractmethod
    def _read(self) -> list[Any]:
        """Return the numbers of each of `series`, in the form of a snapshot."""

    @abstractmethod
    def _written(self, labels: bytes, number: Any) -> bytes:
        """Return the lines of one series."""


class _Values(_Lines[Value]):
    """The lines of a counter or a gauge."""

    def _template(self) -> bytes:
        return f"{self.definition.series}{_braces(self.definition)} %b\n".encode()

    def _read(self) -> list[float]:
        return [child.value for child in self.series]

    def _written(self, labels: bytes, number: float) -> bytes:
        return (self.template % str(number).encode()).replace(LABELS, labels)


class _Histograms(_Lines[Distribution]):
    """The lines of a histogram."""

    def _template(self) -> bytes:
        """Bytes, in which numbers and labels take their places, cost half of joining the pieces of a text."""
        name, labels = self.definition.name, f"{LABELS.decode()}," if self.definition.labels else ""
        bounds = [repr(float(bound)) for bound in self.definition.buckets] + ["+Inf"]
        buckets = "".join(f'{name}_bucket{{{labels}le="{bound}"}} %d\n' for bound in bounds)
        plain = _braces(self.definition)
        return f"{buckets}{name}_count{plain} %d\n{name}_sum{plain} %b\n".encode()

    def _read(self) -> list[Histogram]:
        return [child.state() for child in self.series]

    def _written(self, labels: bytes, number: Histogram) -> bytes:
        total, counts, exemplars = number
        counts = [*accumulate(counts)]
        count, total_text = counts[-1], str(total).encode()
        if exemplars and self.is_open:
            template = self.template.replace(b"%d", b"%b", len(counts))
            with_exemplars = [_with_exemplar(each, exemplars.get(str(at))) for at, each in enumerate(counts)]
            return (template % (*with_exemplars, count, total_text)).replace(LABELS, labels)
        return (self.template % (*counts, count, total_text)).replace(LABELS, labels)


def _braces(definition: Definition) -> str:
    return f"{{{LABELS.decode()}}}" if definition.labels else ""


def _with_exemplar(number: int, exemplar: list[Any] | None) -> bytes:
    if exemplar is None:
        return b"%d" % number
    trace_id, value, at = exemplar
    return f'{number} # {{trace_id="{trace_id}"}} {value} {at}'.encode()


def _header(definition: Definition, is_open: bool) -> str:
    name = definition.name if is_open else definition.series
    unit = f"# UNIT {name} {definition.unit}\n" if is_open and definition.unit and name.endswith(f"_{definition.unit}") else ""
    return f"# HELP {name} {_escaped(definition.help, quote=is_open)}\n# TYPE {name} {definition.kind}\n{unit}"


def _label_text(definition: Definition, key: str) -> str:
    values = key.split(SEPARATOR) if definition.labels else []
    return ",".join(f'{name}="{_escaped(value)}"' for name, value in zip(definition.labels, values, strict=True))


def _escaped(value: str, *, quote: bool = True) -> str:
    value = value.replace("\\", "\\\\").replace("\n", "\\n").replace("\0", "")
    return value.replace('"', '\\"') if quote else value
