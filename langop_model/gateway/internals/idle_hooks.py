"""LiteLLM's hooks that have nothing to do here: they keep the limits and budgets of virtual keys, which need a database.

LiteLLM registers them always, and asks each of them several times in a request: a tenth of its CPU. The one place that takes
them out of LiteLLM's lists; tests/litellm/test_direct.py fails when a new LiteLLM moves them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from langop_model.gateway.internals import litellm_proxy
from langop_model.gateway.scope import App, Message, Receive, Send

# Their classes, and what each would need. What is not named here stays: ResponsesIDSecurity keeps callers apart,
# SkillsInjectionHook refuses skills, what a configuration names as a callback is its own.
IDLE = {
    "_PROXY_MaxParallelRequestsHandler_v3": "limits of a key, a user or a team",
    "_PROXY_VirtualKeyModelMaxBudgetLimiter": "budgets of a key",
    "_PROXY_CacheControlCheck": "what a key may do with the cache",
    "_PROXY_MaxIterationsHandler": "limits of an agent that is registered at LiteLLM",
    "_PROXY_MaxBudgetPerSessionHandler": "budgets of such an agent",
    "PromptCacheObserver": "a router that sends questions to where their beginning is cached",
}
LISTS = ("callbacks", "success_callback", "_async_success_callback", "failure_callback", "_async_failure_callback")


class WithoutIdleHooks:
    """ASGI middleware: once LiteLLM has started, takes the idle hooks out where they `may` go."""

    def __init__(self, app: App, may: Callable[[], bool]) -> None:
        self.app = app
        self.may = may

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        await self.app(scope, receive, self._after_start(send) if scope["type"] == "lifespan" else send)

    def _after_start(self, send: Send) -> Send:
        async def observed_send(message: Message) -> None:
            if message["type"] == "lifespan.startup.complete" and self.may():
                remove()
            await send(message)

        return observed_send


def may_go() -> bool:
    """Whether no key has limits: they come from a database, or from a configuration's own `custom_auth`."""
    return not (litellm_proxy.has_own_auth() or litellm_proxy.has_database())


def remove() -> None:
    """Take the idle hooks out of LiteLLM's lists."""
    import litellm

    for name in LISTS:
        callbacks: list[Any] = getattr(litellm, name)
        callbacks[:] = [callback for callback in callbacks if type(callback).__name__ not in IDLE]
