"""A chat completion for OpenAI's protocol is prepared without a thread, because nothing in that waits."""

from __future__ import annotations

import asyncio
import sys
import threading
from collections.abc import Callable
from typing import Any

import litellm
import pytest

from langop_model.gateway.internals import executor

MESSAGES = [
    {"role": "user", "content": [{"type": "text", "text": "Hi"}, {"type": "image_url", "image_url": {"url": "http://a/b"}}]}
]
NOWHERE = "http://127.0.0.1:9/v1"  # the discard port: nobody listens there
WAITING = ("socket.", "time.sleep", "subprocess.", "urllib.", "http.client.", "ssl.")  # of Python's audit events


class Watched(executor.Executor):
    """The executor, and what was done in the event loop's own thread while it was asked: audit events, and calls in threads."""

    def __init__(self) -> None:
        super().__init__()
        self.watched = 0  # the thread whose audit events count: others have work of their own
        self.events: list[str] = []
        self.threads = 0

    def submit(self, function: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Any:
        loops = threading.get_ident()

        def look(*args: Any, **kwargs: Any) -> Any:
            self.threads += threading.get_ident() != loops
            return function(*args, **kwargs)

        self.watched = loops
        try:
            # The executor knows LiteLLM's function by its form; any other one can be wrapped.
            return super().submit(function if executor._prepares_for_openai(function) else look, *args, **kwargs)
        finally:
            self.watched = 0

    def see(self, event: str, _: Any) -> None:
        """Be an audit hook, which hears of every thread."""
        if self.watched == threading.get_ident():
            self.events.append(event)


def ask(executor: Watched, **parameters: Any) -> Any:
    """Ask litellm.acompletion in an event loop with this executor, and return its answer."""

    async def asking() -> Any:
        asyncio.get_running_loop().set_default_executor(executor)
        return await litellm.acompletion(messages=MESSAGES, **parameters)

    return asyncio.run(asking())


def test_a_chat_completion_for_openais_protocol_needs_no_thread_and_another_does():
    openais, anthropics = Watched(), Watched()
    answer = ask(openais, model="openai/my-own", api_key="k", mock_response="Hello!")
    ask(anthropics, model="anthropic/claude", api_key="k", mock_response="Hello!")
    assert answer.choices[0].message.content == "Hello!"
    assert openais.threads == 0
    assert anthropics.threads > 0


@pytest.mark.parametrize("stream", [False, True])
def test_preparing_it_opens_no_connection_and_waits_for_nothing(stream: bool):
    watched = Watched()
    sys.addaudithook(watched.see)
    with pytest.raises(litellm.InternalServerError):
        ask(watched, model="my-own", custom_llm_provider="openai", api_base=NOWHERE, api_key="k", stream=stream, max_retries=0)
    assert [event for event in watched.events if event.startswith(WAITING)] == []


def test_what_goes_wrong_is_an_error_of_the_call():
    with pytest.raises(litellm.BadRequestError):
        ask(Watched(), model="openai/my-own", api_key="k", mock_response=litellm.BadRequestError("no", "my-own", "openai"))


def test_whatever_else_is_handed_over_runs_in_a_thread():
    async def run() -> int:
        asyncio.get_running_loop().set_default_executor(executor.Executor())
        return await asyncio.to_thread(threading.get_ident)

    assert asyncio.run(run()) != threading.get_ident()
