"""The samples in the text of /metrics, as prometheus_client reads them."""

from __future__ import annotations

from prometheus_client.parser import text_string_to_metric_families as read_text


def samples(text: bytes) -> dict[tuple[str, frozenset[tuple[str, str]]], float]:
    """Return the value of every sample by its name and labels."""
    found = {}
    for family in read_text(text.decode()):
        for sample in family.samples:
            found[sample.name, frozenset(sample.labels.items())] = sample.value
    return found


def value(text: bytes, name: str, **labels: str) -> float | None:
    """Return the value of one sample; None where there is none."""
    return samples(text).get((name, frozenset(labels.items())))
