"""Which of the configuration's `litellm_settings` the translator sets in LiteLLM's module: those that its SDK reads.

schema/extra-configuration.json says so (`reader: translator`): nobody but its author writes them into a configuration. The
gateway does the others itself.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

from langop_model.resources import load_json

SECTION = "litellm_settings."
REFERENCE = "os.environ/"  # what begins so is the name of a variable


@cache
def names() -> frozenset[str]:
    """Return the names of the settings."""
    rows = load_json("extra-configuration.json")["rows"]
    keys = [key for row in rows if row.get("reader") == "translator" for key in row["keys"]]
    return frozenset(key.removeprefix(SECTION) for key in keys if key.startswith(SECTION))


def of(litellm_settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return the translator's part of a configuration's `litellm_settings`."""
    return {name: value for name, value in litellm_settings.items() if name in names()}


def variables(value: Any) -> Iterator[str]:
    """Yield the names of the variables that a setting refers to, at any depth."""
    if isinstance(value, str) and value.startswith(REFERENCE):
        yield value.removeprefix(REFERENCE)
    elif isinstance(value, Mapping):
        for inner in value.values():
            yield from variables(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from variables(inner)


def resolved(value: Any, environment: Mapping[str, str]) -> Any:
    """Return a setting with the values of the variables that it refers to; one that is not set is empty."""
    if isinstance(value, str) and value.startswith(REFERENCE):
        return environment.get(value.removeprefix(REFERENCE), "")
    if isinstance(value, Mapping):
        return {name: resolved(inner, environment) for name, inner in value.items()}
    return [resolved(inner, environment) for inner in value] if isinstance(value, list) else value
