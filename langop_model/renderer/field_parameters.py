"""Parameters that mean what a field of the spec means: spec.params.rpm is spec.rateLimits.requestsPerMinute.

Today's operator has no such fields, and its params come before all others. Which name means which field is `x-fields` of
schema/languagemodel.schema.json.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from langop_model.renderer import durations, nested, parameters, specification
from langop_model.renderer.findings import Findings, Path, dotted

MEANT = "x-fields"


def as_fields(spec: dict[str, Any], found: Findings) -> dict[str, Any]:
    """Return the valid `spec` with the fields that its parameters mean in place of these; `spec` is left as it is.

    spec.params comes before spec.configuration.additionalParameters, and both before the field: what is not used is named
    (LM415), and so is what a parameter became (LM140). Records an error (LM208) for a value that its field does not accept.
    """
    stated = [*_stated(spec, parameters.VALUES), *_stated(spec, parameters.TEXTS)]
    if not stated:
        return spec
    import copy  # the library takes a hundredth of a start, and few specifications come by here

    moved = copy.deepcopy(spec)
    by: dict[str, Path] = {}
    for path, field, convert in stated:
        container = nested.at(moved, path[1:-1])
        value = container.pop(path[-1])
        if field in by:
            found.add("LM415", *path, by=dotted(by[field]))
            continue
        value = _value(path, field, value, convert, found)
        if value is None:
            continue
        by[field] = path
        target = field.split(".")
        if nested.at(spec, target) is not None:
            found.add("LM415", "spec", *target, by=dotted(path))
        found.add("LM140", *path, target=f"spec.{field}")
        nested.put(moved, target, value)
    return moved


def _stated(spec: Mapping[str, Any], path: Path) -> Iterator[tuple[Path, str, str]]:
    """Yield path, field and conversion of each parameter at `path` that means a field, in the order in which they win."""
    values = nested.at(spec, path[1:])
    for name, meant in _meant().items():
        if isinstance(values, dict) and name in values:
            yield (*path, name), meant["field"], meant.get("convert", "")


def _meant() -> dict[str, dict[str, str]]:
    meant: dict[str, dict[str, str]] = specification.node_of(("params",))[MEANT]
    return meant


def _value(path: Path, field: str, value: Any, convert: str, found: Findings) -> Any:
    """Return the value of the field that a parameter means; None, with a finding, for one that it does not accept."""
    if path[:-1] == parameters.TEXTS:
        value = parameters.said_in(value, str(path[-1]))
    if convert == "seconds" and (isinstance(value, bool) or not isinstance(value, int | float)):
        found.add("LM208", *path, value=parameters.shown(value), allowed="a number of seconds")
        return None
    converted = durations.in_go(value) if convert == "seconds" else value
    errors = specification.errors_of(field.split("."), converted)
    if not errors:
        return converted
    found.add("LM208", *path, value=parameters.shown(value), allowed=_allowed(field, errors[0]))
    return None


def _allowed(field: str, error: Any) -> str:
    """Return what the field accepts, in the words of the rule that `error` says is broken."""
    node = specification.node_of(field.split("."))
    if error.validator == "type":
        return {"integer": "an integer", "string": "a text"}[node["type"]]
    bounds = [f"{word} {node[key]}" for key, word in (("minimum", "at least"), ("maximum", "at most")) if key in node]
    return str(node["x-allowed"]) if "x-allowed" in node else " and ".join(bounds)
