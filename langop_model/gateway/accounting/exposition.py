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
    as_json,
    combiner,
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

    def text(self, others: Totals, media_type: str = TEXT) -> bytes:
        """Return all metrics: those of the registry, each of its series from 0 on, with what `others` have counted."""
        is_open = media_type == OPENMETRICS
        parts: list[bytes] = []
        for name, family in self.registry.families.items():
            lines = self._families.get((name, is_open))
            if lines is None:
                lines = self._families[name, is_open] = _lines_of(family, self.models, is_open)
            parts.append(lines.text(others.get(name, {})))
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
        self.places: dict[str, int] = {}  # in `series`, by labels as in a snapshot
        self.shown: object = None  # what `lines` are made of
        self.lines = b""

    def text(self, others: Mapping[str, Any]) -> bytes:
        """Return the lines; none of a metric without series."""
        self._add_new(others)
        shown = (self._versions(), others)
        if shown != self.shown and self.series:
            self.lines = self.template % tuple(self._texts(self._combined(others)))
            self.shown = shown
        return self.lines

    def _add_new(self, others: Mapping[str, Any]) -> None:
        """Give the series that are new their lines."""
        new: list[str] = []
        if len(self.family.children) > self.seen:
            children = list(self.family.children.values())
            new += [child.key for child in children[self.seen :] if self._show(child.key, child)]
            self.seen = len(children)
        if not others.keys() <= self.places.keys():
            new += [key for key in others if key not in self.places and self._show(key, self.unknown)]
        if new:
            self.template += b"".join(
                _template(self.of_series.replace(LABELS, _label_text(self.definition, key))) for key in new
            )

    def _show(self, key: str, child: Child) -> bool:
        """Give a series a place, unless it belongs to a model that is not shown. Return whether it needs lines."""
        if key in self.places:
            self.series[self.places[key]] = child
            self.shown = None  # what others have counted is added from now on
            return False
        if self.definition.labels[:1] == ("model",) and key.partition(SEPARATOR)[0] not in self.models:
            return False
        self.places[key] = len(self.series)
        self.series.append(child)
        return True

    def _combined(self, others: Mapping[str, Any]) -> list[Any]:
        """Return the numbers of each of `series`, in the form of a snapshot, of all workers."""
        numbers = self._read()
        combine = combiner(self.definition)
        for key, theirs in others.items():
            place = self.places.get(key)
            if place is not None:
                numbers[place] = theirs if self.series[place] is self.unknown else combine(numbers[place], theirs)
        return numbers

    @abstractmethod
    def _of_series(self) -> str:
        """Return the lines of one series, with places for labels and numbers."""

    @abstractmethod
    def _versions(self) -> list[Any]:
        """Return for each of `series` what is another number whenever it has changed."""

    @abstractmethod
    def _read(self) -> list[Any]:
        """Return the numbers of each of `series`, in the form of a snapshot."""

    @abstractmethod
    def _texts(self, numbers: list[Any]) -> list[bytes]:
        """Return what takes the places in the template."""


class _Values(_Lines[Value]):
    """The lines of a counter or a gauge."""

    def _of_series(self) -> str:
        return f"{self.definition.series}{_braces(self.definition)} {NUMBER}\n"

    def _versions(self) -> list[float]:
        return [child.value for child in self.series]

    def _read(self) -> list[float]:
        return self._versions()

    def _texts(self, numbers: list[float]) -> list[bytes]:
        return _each_as_text(numbers)


class _Histograms(_Lines[Distribution]):
    """The lines of a histogram."""

    def _of_series(self) -> str:
        name, labels = self.definition.name, f"{LABELS}," if self.definition.labels else ""
        bounds = [repr(float(bound)) for bound in self.definition.buckets] + ["+Inf"]
        buckets = "".join(f'{name}_bucket{{{labels}le="{bound}"}} {NUMBER}\n' for bound in bounds)
        plain = _braces(self.definition)
        return f"{buckets}{name}_count{plain} {NUMBER}\n{name}_sum{plain} {NUMBER}\n"

    def _versions(self) -> list[int]:
        return [child.count for child in self.series]

    def _read(self) -> list[Histogram]:
        return [child.state() for child in self.series]

    def _texts(self, numbers: list[Histogram]) -> list[bytes]:
        flat: list[float] = []
        for total, counts, _ in numbers:
            flat += accumulate(counts)
            flat += (flat[-1], total)
        texts = _each_as_text(flat)
        if self.is_open:
            width = len(self.definition.buckets) + 3  # of a series: its buckets and +Inf, count and sum
            for place, (_, _, exemplars) in enumerate(numbers):
                for bucket, exemplar in (exemplars or {}).items():
                    texts[place * width + int(bucket)] += _exemplar(*exemplar)
        return texts


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
