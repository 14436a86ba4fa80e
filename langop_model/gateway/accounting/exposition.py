"""GET /metrics: the text of Prometheus and of OpenMetrics.

https://prometheus.io/docs/instrumenting/exposition_formats/ and
https://github.com/prometheus/OpenMetrics/blob/main/specification/OpenMetrics.md
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from itertools import accumulate
from typing import Any

from langop_model.gateway.accounting.registry import SEPARATOR, Definition, MetricType, Registry, Totals

TEXT = "text/plain; version=0.0.4; charset=utf-8"
OPENMETRICS = "application/openmetrics-text; version=1.0.0; charset=utf-8"
LABELS = "\0"  # where the labels go in the lines of a metric


def content_type(accept: str) -> str:
    """Return the media type for a request's Accept header: OpenMetrics for who asks for it, text for all others."""
    return OPENMETRICS if "application/openmetrics-text" in accept.lower() else TEXT


class Exposition:
    """The text of a registry's metrics, with the numbers of all workers. What it prepares is kept from scrape to scrape.

    Of other models than `models` nothing is shown: workers that served a previous configuration have counted them.
    """

    def __init__(self, registry: Registry, models: Collection[str]) -> None:
        self.registry = registry
        self.models = {*models, ""}
        self._families: dict[str, _Family] = {}

    def text(self, totals: Totals, media_type: str = TEXT) -> bytes:
        """Return all metrics. Each series that the registry knows is there, at 0 where `totals` has nothing."""
        is_open = media_type == OPENMETRICS
        parts: list[str] = []
        for name, family in self.registry.families.items():
            shown = self._families.get(name)
            if shown is None:
                shown = self._families[name] = _Family(family.definition, self.models)
            found = totals.get(name, {})
            shown.add(found.keys() | family.keys() if len(shown.labels) < len(family.children) else found.keys())
            if shown.labels:
                parts.append(_header(family.definition, is_open))
                parts.extend(shown.samples(found, is_open))
        if is_open:
            parts.append("# EOF\n")
        return "".join(parts).encode()


class _Family:
    """The series of one metric. Most are 0 at most scrapes: their lines are made once."""

    def __init__(self, definition: Definition, models: Collection[str]) -> None:
        self.definition = definition
        self.models = models
        self.labels: dict[str, str] = {}  # as text, by their values in a snapshot
        self.unused: dict[str, str] = {}  # the lines of each at 0
        self.shown: dict[str, tuple[float, int, str]] = {}  # the lines of a histogram, its sum and count at the last scrape
        self.lines = _lines(definition) if definition.kind is MetricType.HISTOGRAM else ""
        self.at_zero = (self.lines % ((0,) * (len(definition.buckets) + 3))).split(LABELS) if self.lines else []

    def add(self, keys: AbstractSet[str]) -> None:
        """Let the series with these labels be shown from now on."""
        for key in keys - self.labels.keys():
            if self.definition.labels[:1] != ("model",) or key.partition(SEPARATOR)[0] in self.models:
                text = self.labels[key] = _label_text(self.definition, key)
                self.unused[key] = text.join(self.at_zero) if self.lines else self._line(text, 0)

    def samples(self, found: Mapping[str, Any], is_open: bool) -> Iterable[str]:
        """Return the lines of all, with the numbers of those that were `found` in the totals."""
        if not found:
            return self.unused.values()
        samples = self.unused.copy()
        for key, value in found.items():
            text = self.labels.get(key)
            if text is not None:
                samples[key] = self._histogram(text, value, is_open) if self.lines else self._line(text, value)
        return samples.values()

    def _line(self, text: str, value: float) -> str:
        return f"{self.definition.series}{{{text}}} {value}\n" if text else f"{self.definition.series} {value}\n"

    def _histogram(self, text: str, value: Sequence[Any], is_open: bool) -> str:
        total, counts, exemplars = value
        observed = sum(counts)
        if exemplars and is_open:
            numbers = [_with_exemplar(number, exemplars.get(str(at))) for at, number in enumerate(accumulate(counts))]
            return (self.lines % (*numbers, observed, total)).replace(LABELS, text)
        shown = self.shown.get(text)
        if shown is None or shown[:2] != (total, observed):
            lines = (self.lines % (*accumulate(counts), observed, total)).replace(LABELS, text)
            shown = self.shown[text] = (total, observed, lines)
        return shown[2]


def _lines(definition: Definition) -> str:
    """Return the lines of one set of labels of a histogram, with %s for the numbers and a mark for the labels."""
    name, comma, labels = definition.name, "," if definition.labels else "", LABELS if definition.labels else ""
    bounds = [repr(float(bound)) for bound in definition.buckets] + ["+Inf"]
    buckets = "".join(f'{name}_bucket{{{labels}{comma}le="{bound}"}} %s\n' for bound in bounds)
    plain = f"{{{labels}}}" if labels else ""
    return f"{buckets}{name}_count{plain} %s\n{name}_sum{plain} %s\n"


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
