"""LiteLLM's chat completion without what `litellm.acompletion` does around it: its log, its cost, its cache and its retries.

All of that is the gateway's business here, nobody reads LiteLLM's, and it is a third of the CPU of a call (of embeddings it is
next to nothing). LiteLLM serves `completion(..., acompletion=True)` as it serves `acompletion(...)`. The object that a call is
logged in comes with the call, as from LiteLLM's proxy.
"""

from __future__ import annotations

import asyncio
import datetime
import functools
import math
import uuid
from collections.abc import Mapping
from typing import Any

import litellm
from litellm.main import completion
from litellm.utils import Rules, function_setup

_RULES = Rules()
# Before it asks one of these, LiteLLM only computes: tests/wire/test_chat_directly.py looks whether it waits for anything.
# For others it may fetch a credential or a list of models first, by clients that block. Then a thread waits, which is a
# seventh of a call's CPU where there is one at a time.
COMPUTED = frozenset({"anthropic", "cohere", "cohere_chat", "gemini"})
LONGEST = 64 * 1024  # characters of messages: what takes longer to prepare must not keep other calls waiting


async def complete(**arguments: Any) -> Any:
    """Ask for a chat completion, whole or as a stream. Raises what `litellm.acompletion` raises.

    Callbacks see nothing of it: a call that they shall see, without `no-log`, goes all the way.
    """
    if not arguments.get("no-log"):
        return await litellm.acompletion(**arguments)
    named = {**arguments, "litellm_call_id": str(uuid.uuid4())}
    log, given = function_setup("acompletion", _RULES, datetime.datetime.now(), **named)
    ask = functools.partial(completion, **given, litellm_logging_obj=log, acompletion=True)
    try:
        pending = ask() if _is_computed(arguments) else await asyncio.to_thread(ask)
        return _as_chat(await pending if asyncio.iscoroutine(pending) else pending)
    except Exception as error:
        mapped = _mapped(error, arguments)
        if mapped is error:
            raise
        raise mapped from error


def _is_computed(arguments: Mapping[str, Any]) -> bool:
    """Whether a call blocks nothing until its provider is asked, and for no long time."""
    provider = arguments.get("custom_llm_provider") or arguments["model"].partition("/")[0]
    if provider not in COMPUTED:
        return False
    return sum(_length(message.get("content")) for message in arguments["messages"]) <= LONGEST


def _length(content: Any) -> float:
    """Return how many characters a content has; infinity for one that is no text: a picture is decoded, and takes long."""
    if isinstance(content, list) and all(isinstance(part, dict) and isinstance(part.get("text"), str) for part in content):
        return sum(len(part["text"]) for part in content)
    return len(content or "") if isinstance(content, str | None) else math.inf


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
