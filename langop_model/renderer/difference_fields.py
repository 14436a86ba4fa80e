"""What differs between specifications and not between the configurations that they become.

Some fields are another component's business, such as egress: a change of them is none of the gateway. Others say the same in
another way, or have no effect.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from langop_model.renderer import quantities, specification
from langop_model.renderer.difference_rows import Difference, Severity
from langop_model.renderer.findings import Path, dotted
from langop_model.renderer.source import walk

SHOWN = 5  # fields that say the same in another way; more are counted


def compare(before: Mapping[str, Any], after: Mapping[str, Any], model: str, *, behaves: bool) -> Iterator[Difference]:
    """Yield what differs between two specs beside behaviour; `behaves`: whether their configurations differ for the model."""
    elsewhere: list[Path] = []
    others: list[Path] = []
    old, new = dict(walk(before, ("spec",))), dict(walk(after, ("spec",)))
    for path in dict.fromkeys([*old, *new]):
        if path not in old or path not in new or old[path] != new[path]:
            owner = _elsewhere(path)
            (elsewhere if owner else others).append(owner or path)
    for path in dict.fromkeys(elsewhere):
        place = dotted(path)
        text = f"{place.removeprefix('spec.')} changed, which the operator reads and the gateway does not"
        yield Difference(model, Severity.CHANGES, text, place)
    if others and not behaves:
        names = [dotted(path) for path in others]
        more = [f"{len(names) - SHOWN} more"] if len(names) > SHOWN else []
        text = f"written differently, with the same effect: {quantities.listed([*names[:SHOWN], *more])}"
        yield Difference(model, Severity.COSMETIC, text, names[0])


def _elsewhere(path: Path) -> Path:
    """Return the field that holds the one at `path` and is another component's business; an empty path for none."""
    node: Any = specification.schema()
    for length, segment in enumerate(path, 1):
        node = node.get("items", {}) if isinstance(segment, int) else node.get("properties", {}).get(segment, {})
        if str(node.get("x-fidelity", "")) == "elsewhere":
            return path[:length]
    return ()
