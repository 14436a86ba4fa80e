"""LiteLLM's HTTP clients: over a session of aiohttp on which no stray answer reaches another caller, and without redirects.

A redirect would carry the deployment's key to another host. LiteLLM keeps its clients in a cache that is a public setting, lets
them share a session that it is given, and takes one for OpenAI's client from another.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import httpx
import litellm

from langop_model.gateway.upstreams import client_request
from langop_model.translator import exchanges

if TYPE_CHECKING:
    import aiohttp


async def install() -> aiohttp.ClientSession:
    """Set up every client that LiteLLM makes from now on, in the event loop that they serve.

    Returns the session that they share: it is to be closed in the end.
    """
    session = client_request.new_session()
    kept = type(litellm.in_memory_llm_clients_cache)

    class Clients(kept):  # type: ignore[valid-type, misc]
        """LiteLLM's cache of clients, which sets up each that comes in."""

        def set_cache(self, key: str, value: Any, **more: Any) -> Any:
            _set_up(value, session)
            return super().set_cache(key, value, **more)

        async def async_set_cache(self, key: str, value: Any, **more: Any) -> Any:
            _set_up(value, session)
            return await super().async_set_cache(key, value, **more)

    litellm.in_memory_llm_clients_cache = Clients()
    for handler in (litellm.module_level_aclient, litellm.module_level_client):
        _set_up(handler, session)
    litellm.aclient_session = litellm.module_level_aclient.client
    return session


def _set_up(kept: Any, session: aiohttp.ClientSession) -> None:
    if isinstance(kept, litellm.AsyncHTTPHandler):
        kept.client = kept.create_client(kept.timeout, kept.event_hooks, kept.ssl_verify, session)
    client = kept if isinstance(kept, httpx.AsyncClient | httpx.Client) else getattr(kept, "client", None)
    if not isinstance(client, httpx.AsyncClient | httpx.Client):
        return
    client.follow_redirects = False
    waits = isinstance(client, httpx.AsyncClient)
    before, after = (exchanges.complete_async, exchanges.note_async) if waits else (exchanges.complete, exchanges.note)
    hooks = client.event_hooks
    if after not in hooks["response"]:
        client.event_hooks = {"request": [*hooks["request"], before], "response": [*hooks["response"], after]}
