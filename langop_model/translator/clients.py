"""No redirect of a provider is followed: it would carry the deployment's key to another host.

LiteLLM keeps its HTTP clients in a cache that is a public setting, and takes one for OpenAI's client from another.
"""

from __future__ import annotations

from typing import Any

import httpx
import litellm

from langop_model.translator import exchanges


def install() -> None:
    """Turn redirects off in every client that LiteLLM makes from now on."""
    kept = type(litellm.in_memory_llm_clients_cache)

    class WithoutRedirects(kept):  # type: ignore[valid-type, misc]
        """LiteLLM's cache of clients: one that comes in follows no redirect any more."""

        def set_cache(self, key: str, value: Any, **more: Any) -> Any:
            _stay(value)
            return super().set_cache(key, value, **more)

        async def async_set_cache(self, key: str, value: Any, **more: Any) -> Any:
            _stay(value)
            return await super().async_set_cache(key, value, **more)

    litellm.in_memory_llm_clients_cache = WithoutRedirects()
    for handler in (litellm.module_level_aclient, litellm.module_level_client):
        _stay(handler)
    litellm.aclient_session = litellm.module_level_aclient.client


def _stay(kept: Any) -> None:
    client = kept if isinstance(kept, httpx.AsyncClient | httpx.Client) else getattr(kept, "client", None)
    if not isinstance(client, httpx.AsyncClient | httpx.Client):
        return
    client.follow_redirects = False
    hook = exchanges.note_async if isinstance(client, httpx.AsyncClient) else exchanges.note
    hooks = client.event_hooks
    if hook not in hooks["response"]:
        client.event_hooks = {**hooks, "response": [*hooks["response"], hook]}
