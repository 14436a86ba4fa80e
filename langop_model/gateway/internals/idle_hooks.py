"""LiteLLM's hooks that have nothing to do here: they keep the limits and budgets of virtual keys, which need a database.

LiteLLM registers them always, and asks each of them several times in a request: a tenth of its CPU. The one place that takes
them out of LiteLLM's lists; tests/litellm/test_direct.py fails when a new LiteLLM moves them.
"""

from __future__ import annotations

from typing import Any

from langop_model.gateway.internals import litellm_proxy

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


def leave_out() -> None:
    """Take the idle hooks out, unless a key may have limits: from a database, or from a configuration's own `custom_auth`."""
    if not (litellm_proxy.has_own_auth() or litellm_proxy.has_database()):
        remove()


def remove() -> None:
    """Take the idle hooks out of LiteLLM's lists."""
    import litellm

    for name in LISTS:
        callbacks: list[Any] = getattr(litellm, name)
        callbacks[:] = [callback for callback in callbacks if type(callback).__name__ not in IDLE]
