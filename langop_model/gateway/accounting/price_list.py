"""Rows of LiteLLM's price list, read from its file: LiteLLM is not imported, and the list is never whole in memory.

Parsed whole, its 4,242 rows take 27 MiB; one after another, only those that a gateway serves stay.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from json import JSONDecoder
from pathlib import Path
from typing import Any

import orjson

FILE = "model_prices_and_context_window_backup.json"
WHITESPACE = " \t\r\n"
NO_PRICES = frozenset({"sample_spec", "fallback_generalizations"})
KEPT = frozenset({"litellm_provider", "mode", "tiered_pricing", "off_peak_pricing"})


def path() -> Path | None:
    """Return the price list of the LiteLLM that is installed; None without one."""
    found = importlib.util.find_spec("litellm")
    for folder in (found.submodule_search_locations or ()) if found is not None else ():
        file = Path(folder) / FILE
        if file.is_file():
            return file
    return None


@dataclass(frozen=True, slots=True)
class Wanted:
    """Rows that are read: by their `names`, by the model after their last slash, and all of some `providers`.

    A picture's price has its size and quality in front of the model: `hd/1024-x-1792/dall-e-3`.
    """

    names: frozenset[str]
    models: frozenset[str] = frozenset()
    providers: frozenset[str] = frozenset()

    def has(self, name: str, provider: str) -> bool:
        """Whether a row is one of them."""
        if name in self.names or name.rpartition("/")[2] in self.models:
            return True
        return any(speaks_for(provider, each) for each in self.providers)


def speaks_for(listed: str, provider: str) -> bool:
    """Whether a row of the provider `listed` has prices of `provider`.

    The list has several names for one provider: `bedrock_converse`, `vertex_ai-language-models`, `text-completion-openai`.
    """
    return listed == provider or listed.startswith((f"{provider}_", f"{provider}-")) or listed.endswith(f"-{provider}")


def rows(file: Path, wanted: Wanted) -> dict[str, bytes]:
    """Return the wanted rows, each as JSON of its prices: a fifth of the memory of objects."""
    if not (wanted.names or wanted.models or wanted.providers):
        return {}
    return {
        name: orjson.dumps(prices(row))
        for name, row in entries(file.read_text(encoding="utf-8"))
        if isinstance(row, dict) and name not in NO_PRICES and wanted.has(name, str(row.get("litellm_provider")))
    }


def prices(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return what has to do with prices in a row of the list, or in the parameters of a deployment."""
    return {name: value for name, value in row.items() if is_price(name) or name in KEPT or "_uplift_multiplier" in name}


def is_price(name: str) -> bool:
    """Whether a member's value is a price."""
    return "_cost" in name or name.startswith("cost_per_")


def entries(text: str) -> Iterator[tuple[str, Any]]:
    """Yield name and value of the members of a JSON object one at a time. Raises ValueError for anything else."""
    decode = JSONDecoder().raw_decode
    at = _next(text, 0)
    if text[at : at + 1] != "{":
        raise ValueError("not a JSON object")
    at = _next(text, at + 1)
    while text[at : at + 1] == '"':
        name, at = decode(text, at)
        at = _next(text, at)
        if text[at : at + 1] != ":":
            raise ValueError(f"no value for {name!r}")
        value, at = decode(text, _next(text, at + 1))
        yield name, value
        at = _next(text, at)
        if text[at : at + 1] == ",":
            at = _next(text, at + 1)
    if text[at : at + 1] != "}":
        raise ValueError("a JSON object without its end")


def _next(text: str, at: int) -> int:
    while text[at : at + 1] in WHITESPACE and at < len(text):
        at += 1
    return at
