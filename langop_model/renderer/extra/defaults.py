"""Fields of a spec that its author left to the gateway, filled with what the extra configuration says."""

from __future__ import annotations

import copy
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from langop_model.renderer import nested, specification
from langop_model.renderer.extra.refusals import finding
from langop_model.renderer.extra.wanted import Extra
from langop_model.renderer.findings import Finding


def fill(spec: dict[str, Any], names: Iterable[str], extra: Extra, *, bare: bool) -> dict[str, Any]:
    """Return `spec`, of a model that answers to `names`, with the defaults of `extra` in the fields that it does not state.

    The spec is left as it is. What was taken is noted in `extra.used`.
    """
    filled = copy.deepcopy(spec)
    own, done = set(names), set()
    wanted = [default for default in extra.defaults if not default.models or default.models & own]
    for default in sorted(wanted, key=lambda each: each.within):  # an object that others make is there before it is filled
        if default.within and not isinstance(nested.at(filled, default.field[:-1]), dict):
            continue
        if default.field in done or _states(spec, default.field, bare=bare):
            continue
        done.add(default.field)  # the first one wins
        nested.put(filled, default.field, default.value)
        extra.used.add(default.path)
    return filled


def unused(extra: Extra) -> Iterator[Finding]:
    """Yield a finding for each default that no model took: every one says it itself, or has not the object that it fills."""
    said: set[tuple[Any, ...]] = set()
    for default in extra.defaults:
        if default.path not in extra.used and default.path not in said:
            said.add(default.path)
            yield finding("LM752", default.path, target=".".join(("spec", *default.field)))


def _states(spec: dict[str, Any], field: Sequence[str], *, bare: bool) -> bool:
    """Whether the author of `spec` has said something about `field`.

    In a bare spec the API server has filled in defaults, and Go has omitted what is false: a top-level value that equals its
    default may be nobody's, and a boolean (or a number with x-omitted) that is absent from an object is false (or that number).
    """
    value: Any = spec
    for depth, name in enumerate(field):
        if not isinstance(value, dict):
            return True
        if name not in value:
            last = depth == len(field) - 1
            return bare and last and depth > 0 and "x-omitted" in specification.node_of(field)
        value = value[name]
    return not (bare and len(field) == 1 and value == specification.node_of(field).get("default"))
