"""schema/import.json: what each of its members means is in its own comment."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from langop_model.renderer import catalogue
from langop_model.resources import load_json


@dataclass(frozen=True, slots=True)
class Target:
    """Where a parameter of an entry goes: a field of the spec, and what is different there."""

    field: str
    convert: str = ""
    differs: str = ""
    member: str = ""


def data() -> dict[str, Any]:
    """Return the file."""
    read: dict[str, Any] = load_json("import.json")
    return read


@cache
def targets() -> Mapping[str, Target]:
    """Return the target of each parameter that has a field of its own."""
    rows = data()["parameters"]
    return {
        key: Target(**{name: value for name, value in row.items() if name != "keys"}) for row in rows for key in row["keys"]
    }


def provider_of(model: str) -> tuple[str, str]:
    """Return LiteLLM's name of the provider that `model` of an entry means, and the model's own name.

    The provider is empty where neither a prefix nor the name says it.
    """
    prefix, slash, rest = model.partition("/")
    if slash and (prefix in catalogue.litellm_names() or prefix in catalogue.refusals()):
        return prefix, rest
    known = next((row["provider"] for row in data()["providers"] if re.match(row["match"], model)), "")
    return known, model


def is_no_key(value: str) -> bool:
    """Whether the text of an api_key says that there is none."""
    return value.strip().lower() in data()["no_keys"]


@cache
def _forms() -> re.Pattern[str]:
    return re.compile("|".join(f"(?:{form})" for form in data()["secrets"]))


def looks_secret(value: str) -> bool:
    """Whether a text has the form of a key, wherever it is written."""
    return bool(_forms().search(value))
