"""GET /metrics: the text of Prometheus and of OpenMetrics.

https://prometheus.io/docs/instrumenting/exposition_formats/ and
https://github.com/prometheus/OpenMetrics/blob/main/specification/OpenMetrics.md
"""

from __future__ import annotations

from collections.abc import Collection
from itertools import accumulate
from typing import Any

from langop_model.gateway.accounting.registry import SEPARATOR, Definition, Kind, Registry, Totals

TEXT = "text/plain; version=0.0.4; charset=utf-8"
OPENMETRICS = "application/openmetrics-text; version=1.0.0; charset=utf-8"
LABELS = "\0"  # where the labels go in the lines of a metric


def content_type(accept: str) -> str:
    """Return the media type for a request's Accept header: OpenMetrics for who asks for it, text for all others."""
    return OPENMETRICS if "application/openmetrics-text" in accept.lower() else TEXT


class Exposition:
    """The text of a registry's metrics, with the numbers of all workers. What it prepares is kept from scrape to scrape.

    Of other models than `models` nothing is shown: workers that served a former configuration have counted them.
    """

    def __init__(self, registry: Registry, models: Collection[str]) -> None:
        self.registry = registry
        self.models = {*models, ""}
        self._labels: dict[str, dict[str, str]] = {}

    def text(self, totals: Totals, media_type: str = TEXT) -> bytes:
        """Return all metrics. Each series that the registry knows is there, at 0 where `totals` has nothing."""
        is_open = media_type == OPENMETRICS
        parts: list[str] = []
        for name, family in self.registry.families.items():
            found = totals.get(name, {})
            known = self._labels.setdefault(name, {})
            keys = found.keys() | family.keys() if len(known) < len(family.children) else found.keys()
            for key in keys - known.keys():
                if self._is_shown(family.definition, key):
                    known[key] = _label_text(family.definition, key)
            if known:
                parts.append(_header(family.definition, is_open))
                parts.extend(_samples(family.definition, known, found, is_open))
        if is_open:
            parts.append("# EOF\n")
        return "".join(parts).encode()

    def _is_shown(self, definition: Definition, key: str) -> bool:
        return definition.labels[:1] != ("model",) or key.partition(SEPARATOR)[0] in self.models


def _samples(definition: Definition, known: dict[str, str], found: dict[str, Any], is_open: bool) -> list[str]:
    if definition.kind is not Kind.HISTOGRAM:
        name, get = definition.series, found.get
        if not definition.labels:
            return [f"{name} {get('', 0)}\n"]
        return [f"{name}{{{text}}} {get(key, 0)}\n" for key, text in known.items()]
    lines = _lines(definition)
    unused = (lines % ((0,) * (len(definition.buckets) + 3))).split(LABELS)
    samples = []
    for key, text in known.items():
        value = found.get(key)
        if value is None:
            samples.append(text.join(unused))
            continue
        total, counts, exemplars = value
        numbers: list[Any] = list(accumulate(counts))
        observed = numbers[-1]
        if exemplars and is_open:
            numbers = [_with_exemplar(number, exemplars.get(str(at))) for at, number in enumerate(numbers)]
        samples.append((lines % (*numbers, observed, total)).replace(LABELS, text))
    return samples


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
