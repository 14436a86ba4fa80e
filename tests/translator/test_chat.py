"""A chat completion without what LiteLLM does around it, asked of a provider of the test's own."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Coroutine
from typing import Any

import litellm
import pytest
from litellm.llms.custom_llm import CustomLLM, CustomLLMError

from langop_model.translator import chat
from tests.translator.live import MESSAGES

BLOCKED = 0.3  # seconds


class Provider(CustomLLM):  # type: ignore[misc]
    """A provider that answers, or raises an error, after a while in which its thread is blocked."""

    def __init__(self) -> None:
        super().__init__()
        self.error: Exception | None = None
        self.blocks = 0.0

    def acompletion(self, *_: Any, **more: Any) -> Coroutine[Any, Any, litellm.ModelResponse]:
        """Block as a client that fetches a credential, and return what will be the answer."""
        time.sleep(self.blocks)
        return self.answer(more["model_response"])

    async def answer(self, response: litellm.ModelResponse) -> litellm.ModelResponse:
        """Answer."""
        if self.error is not None:
            raise self.error
        response.choices[0].message.content = "hello back"
        return response


class Log(litellm.integrations.custom_logger.CustomLogger):  # type: ignore[misc]
    """A callback of LiteLLM's."""

    def __init__(self) -> None:
        super().__init__()
        self.seen = asyncio.Event()

    async def async_log_success_event(self, **_: Any) -> None:
        """Note that a call was seen."""
        self.seen.set()


@pytest.fixture
def provider(monkeypatch: pytest.MonkeyPatch) -> Provider:
    found = Provider()
    monkeypatch.setattr(litellm, "custom_provider_map", [{"provider": "of-a-test", "custom_handler": found}])
    monkeypatch.setattr(litellm, "provider_list", [*litellm.provider_list, "of-a-test"])
    return found


async def ask(**more: Any) -> Any:
    return await chat.complete(model="of-a-test/one", messages=MESSAGES, num_retries=0, **{"no-log": True, **more})


@pytest.mark.usefixtures("provider")
def test_a_chat_is_answered():
    assert asyncio.run(ask()).choices[0].message.content == "hello back"


@pytest.mark.parametrize("status", [400, 401, 403, 404, 408, 413, 422, 429, 500, 503])
def test_an_error_is_the_one_that_litellm_makes_of_it(status: int, provider: Provider):
    provider.error = CustomLLMError(status, "no")
    with pytest.raises(Exception, match="no") as expected:
        asyncio.run(litellm.acompletion(model="of-a-test/one", messages=MESSAGES, num_retries=0))
    with pytest.raises(type(expected.value)) as raised:
        asyncio.run(ask())
    assert str(raised.value) == str(expected.value)
    assert provider.error in (raised.value.__cause__, raised.value)


def test_a_provider_that_blocks_its_thread_blocks_no_other_call(provider: Provider):
    provider.blocks = BLOCKED

    async def longest_wait() -> float:
        asking = asyncio.create_task(ask())
        longest = 0.0
        while not asking.done():
            before = time.monotonic()
            await asyncio.sleep(0.01)
            longest = max(longest, time.monotonic() - before)
        await asking
        return longest

    assert asyncio.run(longest_wait()) < BLOCKED


@pytest.mark.usefixtures("provider")
@pytest.mark.parametrize(("more", "sees"), [({"no-log": False}, True), ({}, False)])
def test_callbacks_see_a_call_unless_it_is_not_logged(more: dict[str, Any], sees: bool, monkeypatch: pytest.MonkeyPatch):
    async def seen() -> bool:
        log = Log()
        monkeypatch.setattr(litellm, "callbacks", [log])
        await ask(**more)
        try:
            return await asyncio.wait_for(log.seen.wait(), 5 if sees else 0.3)
        except TimeoutError:
            return False

    assert asyncio.run(seen()) is sees
