"""What differs between the deployments of two versions of a model: their parameters for LiteLLM, and what is known of them."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass, field, replace
from typing import Any

from langop_model.contract.references import REFERENCE
from langop_model.renderer import difference_endpoints
from langop_model.renderer.configuration_models import ConfiguredModel, mapping
from langop_model.renderer.difference_rows import Difference, Rows

_PARTS = {"parameters": "litellm_params", "information": "model_info"}


@dataclass(slots=True)
class _Seen:
    """One difference, and the endpoints that have it."""

    difference: Difference
    endpoints: list[str] = field(default_factory=list)


def compare(one: ConfiguredModel, other: ConfiguredModel, explained: Collection[str]) -> Iterator[Difference]:
    """Yield what differs between deployments: once where all have it, else for each endpoint.

    `explained` are places of the section whose difference is said already.
    """
    seen: dict[tuple[str, str], _Seen] = {}
    count = 0
    for label, before, after in _pairs(one, other):
        count += 1
        for part, member in _PARTS.items():
            was = _beside_defaults(one, mapping(before.get(member)))
            will = _beside_defaults(other, mapping(after.get(member)))
            for each in Rows(part, other.group).compare(was, will, explained):
                if "keys" in explained and _is_reference(each.before) and _is_reference(each.after):
                    continue  # where the credential is read from is said
                seen.setdefault((each.place, each.text), _Seen(each)).endpoints.append(label)
    for entry in seen.values():
        if len(entry.endpoints) == count:
            yield entry.difference
        else:
            for label in entry.endpoints:
                yield replace(entry.difference, text=f"endpoint {label}: {entry.difference.text}")


def _pairs(one: ConfiguredModel, other: ConfiguredModel) -> Iterator[tuple[str, dict[str, Any], dict[str, Any]]]:
    """Yield the deployments of the same endpoint on both sides, with what people call it."""
    pairs, _, _ = difference_endpoints.match(one.endpoints, other.endpoints)
    for was, will in pairs:
        before, after = one.deployments.get(str(was.get("id"))), other.deployments.get(str(will.get("id")))
        if before is not None and after is not None:
            yield difference_endpoints.label(will), before, after


def _beside_defaults(model: ConfiguredModel, values: dict[str, Any]) -> dict[str, Any]:
    """Return parameters without those that the section's defaults hold with the same value: they are said there."""
    defaults = mapping(model.section.get("defaults"))
    return {name: value for name, value in values.items() if name not in defaults or defaults[name] != value}


def _is_reference(value: Any) -> bool:
    return isinstance(value, str) and value.startswith(REFERENCE)
