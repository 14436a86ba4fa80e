"""Chat completions for OpenAI's protocol are prepared without a thread: a fifteenth of a request's CPU.

LiteLLM prepares each one in a thread, because some of its providers fetch a token there. This protocol needs none.

tests/litellm/test_executor.py fails when a new LiteLLM hands something else over, or waits for something there.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

PROVIDER = "openai"


def install() -> None:
    """Give the running event loop the executor, which is LiteLLM's for all that it names none for."""
    asyncio.get_running_loop().set_default_executor(Executor())


class Executor(ThreadPoolExecutor):
    """An executor that has threads for everything but the preparing of a chat completion for OpenAI's protocol."""

    def submit(self, function: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Any:
        """Return the future result of a call; of the preparing, one of the running event loop, which is there already."""
        if not _prepares_for_openai(function):
            return super().submit(function, *args, **kwargs)
        result = asyncio.get_running_loop().create_future()
        try:
            result.set_result(function(*args, **kwargs))
        except Exception as problem:  # noqa: BLE001 - it belongs to whoever waits for the result
            result.set_exception(problem)
        return result


def _prepares_for_openai(function: Any) -> bool:
    """Whether this is what litellm.acompletion hands over: `partial(context.run, partial(completion, **parameters))`."""
    from litellm.main import completion

    inner = function.args[0] if isinstance(function, partial) and function.args else None
    if not isinstance(inner, partial) or inner.func is not completion:
        return False
    provider = inner.keywords.get("custom_llm_provider") or str(inner.keywords.get("model")).partition("/")[0]
    return bool(provider == PROVIDER)
