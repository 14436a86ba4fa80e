"""LiteLLM's chat completion without what `litellm.acompletion` does around it: its log, its cost, its cache and its retries.

All of that is the gateway's business here, nobody reads LiteLLM's, and it is a third of the CPU of a call (of embeddings it is
next to nothing). LiteLLM serves `completion(..., acompletion=True)` as it serves `acompletion(...)`. The object that a call is
logged in comes with the call, as from LiteLLM's proxy.
"""

from __future__ import annotations

import asyncio
import datetime
import uuid
from typing import Any

import litellm
from litellm.main import completion
from litellm.utils import Rules, function_setup

_RULES = Rules()


async def complete(**arguments: Any) -> Any:
    """Ask for a chat completion, whole or as a stream. Raises what `litellm.acompletion` raises.

    Callbacks see nothing of it: a call that they shall see, without `no-log`, goes all the way.
    """
    if not arguments.get("no-log"):
        return await litellm.acompletion(**arguments)
    named = {**arguments, "litellm_call_id": str(uuid.uuid4())}
    log, given = function_setup("acompletion", _RULES, datetime.datetime.now(), **named)
    try:
        # Some providers' credentials are fetched before anything is asked, by clients that block their thread.
        pending = await asyncio.to_thread(completion, **given, litellm_logging_obj=log, acompletion=True)
        return _as_chat(await pending if asyncio.iscoroutine(pending) else pending)
    except Exception as error:
        mapped = _mapped(error, arguments)
        if mapped is error:
            raise
        raise mapped from error


def _as_chat(answer: Any) -> Any:
    """Return the answer of a provider of text completions as that of a chat."""
    if not isinstance(answer, litellm.TextCompletionResponse):
        return answer
    return litellm.OpenAITextCompletionConfig().convert_to_chat_model_response_object(
        response_object=answer, model_response_object=litellm.ModelResponse()
    )


def _mapped(error: Exception, arguments: dict[str, Any]) -> Exception:
    """Return LiteLLM's own exception for what a provider's code has raised."""
    try:
        _, provider, _, _ = litellm.get_llm_provider(arguments["model"], arguments.get("custom_llm_provider"))
        litellm.exception_type(arguments["model"], error, provider, arguments, arguments)
    except Exception as mapped:  # noqa: BLE001 - it raises what it has found
        return mapped
    return error
