"""Models that LiteLLM's list lacks are added to it, next to free: what an answer costs is the front's business.

For each call LiteLLM looks a model's entry up to compute a cost. Entries that it has found it remembers; for one that is
missing it searches its whole list again, several times for each call: a third of the call's time.
"""

from __future__ import annotations

import litellm

MAX_MODELS = 1000  # clients choose the names of a group that serves any model
PRICES = (
    "input_cost_per_token",
    "output_cost_per_token",
    "cache_read_input_token_cost",
    "cache_creation_input_token_cost",
)
NEXT_TO_NOTHING = 1e-12  # USD for a token; LiteLLM looks for the reason of each cost that is 0

_seen: set[tuple[str, str]] = set()


def add(name: str, provider: str) -> None:
    """Add a provider's model unless it is known, by its own name or by a pattern of LiteLLM's. Looks once for each."""
    if (name, provider) in _seen or len(_seen) >= MAX_MODELS:
        return
    _seen.add((name, provider))
    try:
        litellm.get_model_info(name, provider)
    except Exception:  # noqa: BLE001 - LiteLLM raises a plain one for a model that it does not know
        entry = {"litellm_provider": provider, "mode": "chat", **dict.fromkeys(PRICES, NEXT_TO_NOTHING)}
        litellm.register_model({f"{provider}/{name}": entry}, persist_across_reloads=False)
