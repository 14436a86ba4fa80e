"""Values of a configuration that are in a variable of the process: os.environ/NAME, as LiteLLM writes it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

REFERENCE = "os.environ/"  # what begins so is the name of a variable


def variables(value: Any) -> Iterator[str]:
    """Yield the names of the variables that a value refers to, at any depth."""
    if isinstance(value, str) and value.startswith(REFERENCE):
        yield value.removeprefix(REFERENCE)
    elif isinstance(value, Mapping):
        for inner in value.values():
            yield from variables(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from variables(inner)


def resolved(value: Any, variable: Callable[[str], Any]) -> Any:
    """Return a value with `variable(name)` in place of each reference, at any depth."""
    if value is None or isinstance(value, str):
        return variable(value.removeprefix(REFERENCE)) if value and value.startswith(REFERENCE) else value
    if isinstance(value, Mapping):
        return {name: resolved(inner, variable) for name, inner in value.items()}
    return [resolved(inner, variable) for inner in value] if isinstance(value, list) else value
