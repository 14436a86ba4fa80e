"""Which of the configuration's `litellm_settings` the translator sets in LiteLLM's module: those that its SDK reads.

schema/extra-configuration.json says so (`reader: translator`): nobody but its author writes them into a configuration. The
gateway does the others itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

from langop_model.resources import load_json

SECTION = "litellm_settings."


@cache
def names() -> frozenset[str]:
    """Return the names of the settings."""
    rows = load_json("extra-configuration.json")["rows"]
    keys = [key for row in rows if row.get("reader") == "translator" for key in row["keys"]]
    return frozenset(key.removeprefix(SECTION) for key in keys if key.startswith(SECTION))


def of(litellm_settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return the translator's part of a configuration's `litellm_settings`."""
    return {name: value for name, value in litellm_settings.items() if name in names()}
