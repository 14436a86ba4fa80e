"""GET /metrics: the text of Prometheus and of OpenMetrics.

https://prometheus.io/docs/instrumenting/exposition_formats/ and
https://github.com/prometheus/OpenMetrics/blob/main/specification/OpenMetrics.md
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from itertools import accumulate
from typing import Any

from langop_model.gateway.accounting.registry import SEPARATOR, Definition, MetricType, Registry, Totals

TEXT = "text/plain; version=0.0.4; charset=utf-8"
OPENMETRICS = "application/openmetrics-text; version=1.0.0; charset=utf-8"
LABELS, NUMBER = "\0", "\1"  # where the labels and the numbers go in the lines of a histogram


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
        self._families: dict[tuple[str, bool], _Family] = {}

    def text(self, totals: Totals, media_type: str = TEXT) -> bytes:
        """Return all metrics. Each series that the registry knows is there, at 0 where `totals` has nothing."""
        is_open = media_type == OPENMETRICS
        parts: list[bytes] = []
        for name, family in self.registry.families.items():
            shown = self._families.get((name, is_open))
            if shown is None:
                shown = self._families[name, is_open] = _Family(family.definition, self.models, is_open)
            if shown.known != len(family.children):
                shown.known = len(family.children)
                shown.add(family.keys())
            shown.update(totals.get(name, {}))
            if shown.lines:
                parts.append(shown.header)
                parts += shown.lines
        if is_open:
            parts.append(b"# EOF\n")
        return b"".join(parts)


class _Family:
    """The lines of one metric in one of the two formats. Only those whose numbers have changed are written again."""

    def __init__(self, definition: Definition, models: Collection[str], is_open: bool) -> None:
        self.definition = definition
        self.models = models
        self.is_open = is_open
        self.header = _header(definition, is_open).encode()
        self.known = -1  # series of the registry that were added
        self.lines: list[bytes] = []  # of each series, a histogram's together
        # Of the series in `lines`, by their labels in a snapshot; -1 for one that is not shown.
        self.places: dict[str, int] = {}
        self.labels: list[str] = []  # as text
        self.numbers: dict[str, Any] = {}  # what the lines of the series that are not 0 say: a histogram's sum and count
        self.is_histogram = definition.kind is MetricType.HISTOGRAM
        self.pieces = _pieces(definition) if self.is_histogram else []
        self.nothing: Any = [0, [0] * (len(definition.buckets) + 1), None] if self.is_histogram else 0

    def add(self, keys: Iterable[str]) -> None:
        """Let the series with these labels be shown from now on."""
        for key in keys:
            if key in self.places:
                continue
            self.places[key] = -1
            if self.definition.labels[:1] != ("model",) or key.partition(SEPARATOR)[0] in self.models:
                self.places[key] = len(self.lines)
                self.labels.append(_label_text(self.definition, key))
                self.lines.append(self._written(self.labels[-1], self.nothing))

    def update(self, found: Mapping[str, Any]) -> None:
        """Write the lines whose numbers have changed. What is not in `found` is 0."""
        numbers = self.numbers
        for key, value in found.items():
            number = (value[0], sum(value[1])) if self.is_histogram else value
            if numbers.get(key) != number:
                numbers[key] = number
                self._write(key, value)
        if len(numbers) > len(found):
            for key in numbers.keys() - found.keys():
                del numbers[key]
                self._write(key, self.nothing)

    def _write(self, key: str, value: Any) -> None:
        if key not in self.places:
            self.add((key,))
        place = self.places[key]
        if place >= 0:
            self.lines[place] = self._written(self.labels[place], value)

    def _written(self, labels: str, value: Any) -> bytes:
        """Return the lines of one series."""
        if self.is_histogram:
            return self._histogram(labels, value).encode()
        series = self.definition.series
        return (f"{series}{{{labels}}} {value}\n" if labels else f"{series} {value}\n").encode()

    def _histogram(self, labels: str, value: Sequence[Any]) -> str:
        total, counts, exemplars = value
        numbers: Iterable[Any] = accumulate(counts)
        if exemplars and self.is_open:
            numbers = (_with_exemplar(number, exemplars.get(str(at))) for at, number in enumerate(numbers))
        pieces = self.pieces.copy()
        pieces[1::4] = [labels] * (len(counts) + 2)
        pieces[3::4] = map(str, (*numbers, sum(counts), total))
        return "".join(pieces)


def _pieces(definition: Definition) -> list[str]:
    """Return the lines of one series of a histogram in pieces: from 1 on every fourth is for labels, from 3 on for a number.

    Joining them takes a third of the time of formatting a text.
    """
    name, comma = definition.name, "," if definition.labels else ""
    bounds = [repr(float(bound)) for bound in definition.buckets] + ["+Inf"]
    plain = f"{{{LABELS}}}" if definition.labels else LABELS
    buckets = "".join(f'{name}_bucket{{{LABELS}{comma}le="{bound}"}} {NUMBER}\n' for bound in bounds)
    first, *rest = f"{buckets}{name}_count{plain} {NUMBER}\n{name}_sum{plain} {NUMBER}\n".split(LABELS)
    pieces = [first]
    for part in rest:
        before, after = part.split(NUMBER)
        pieces += ["", before, "", after]
    return pieces


def _with_exemplar(number: int, exemplar: list[Any] | None) -> str:
    if exemplar is None:
        return str(number)
    trace_id, value, at = exemplar
    return f'{number} # {{trace_id="{trace_id}"}} {value} {at}'


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
