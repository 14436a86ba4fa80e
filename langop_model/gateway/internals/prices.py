"""Prices of the LanguageModel are all that its endpoints have: spec.costTracking."""

from __future__ import annotations

from typing import Any

from litellm.router import Router

INHERITED = ("_inherit_builtin_cache_pricing", "_inherit_builtin_service_tier_pricing")


def install() -> None:
    """Keep LiteLLM from adding prices of its own list to a deployment that states a price.

    It would add those of cached tokens, long questions and service tiers: a model whose cost tracking is disabled would cost
    something, and one with prices in another currency would mix them.
    """
    for name in INHERITED:
        setattr(Router, name, staticmethod(_nothing))


def _nothing(*_: Any, **__: Any) -> None:
    pass
