"""LiteLLM's callbacks that a configuration names by hand: `callbacks`, `success_callback` and `failure_callback`.

Metrics, traces and the request log are the gateway's own; LiteLLM's callbacks for them are not set up here.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import litellm

from langop_model.translator.settings import CALLBACK_LISTS

_GATEWAYS_OWN = frozenset({"prometheus", "otel"})


class InvalidCallbackError(ValueError):
    """A callback that can't be set up."""


def named(settings: Mapping[str, Any]) -> dict[str, list[str]]:
    """Return the callbacks of `litellm_settings` that are LiteLLM's business, by the list that they are in."""
    found = {name: [str(each) for each in settings.get(name) or []] for name in CALLBACK_LISTS}
    return {name: kept for name, each in found.items() if (kept := [one for one in each if one not in _GATEWAYS_OWN])}


def install(settings: Mapping[str, Any], folder: Path | None = None) -> bool:
    """Set the callbacks of `litellm_settings` up, and return whether there are any.

    A name with dots is an object in a module, which may be a file in `folder`, where the configuration is.

    Raises InvalidCallbackError.
    """
    lists = named(settings)
    made: dict[str, Any] = {}
    for name, callbacks in lists.items():
        setattr(litellm, name, [*getattr(litellm, name), *(_made(each, folder, made) for each in callbacks)])
    return bool(lists)


def _made(name: str, folder: Path | None, made: dict[str, Any]) -> Any:
    if name not in made:
        made[name] = _generic_api() if name == "generic_api" else _object(name, folder) if "." in name else name
    return made[name]


def _generic_api() -> Any:
    """Return an instance: the name alone sends nothing."""
    from litellm.integrations.generic_api.generic_api_callback import GenericAPILogger

    try:
        return GenericAPILogger()
    except ValueError as problem:
        raise InvalidCallbackError(f"generic_api: {problem}") from None


def _object(name: str, folder: Path | None) -> Any:
    module, _, attribute = name.rpartition(".")
    if folder is not None and str(folder) not in sys.path:
        sys.path.append(str(folder))
    try:
        return getattr(importlib.import_module(module), attribute)
    except (ImportError, AttributeError) as problem:
        raise InvalidCallbackError(f"{name}: {problem}") from None
