"""Providers that are asked without a thread: what LiteLLM does before it asks them must not wait for anything."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import pytest

from langop_model.gateway.upstreams.base import Route
from tests.wire.cases import CASES, Case
from tests.wire.deployments import MESSAGE, PIXEL, asked
from tests.wire.wire import ANSWER, QUESTION, Wire, hearing

chat = pytest.importorskip("langop_model.translator.chat", reason="LiteLLM is not installed")
WAITING = ("socket.getaddrinfo", "socket.connect", "subprocess.Popen", "time.sleep")
TOOL = {"type": "function", "function": {"name": "marked_tool", "parameters": {"type": "object", "properties": {}}}}
QUESTIONS: dict[str, dict[str, Any]] = {
    "plain": MESSAGE,
    "tools": {**MESSAGE, "tools": [TOOL], "tool_choice": "auto"},
    "system": {"messages": [{"role": "system", "content": "Be brief."}, *MESSAGE["messages"]]},
    "parts": {"messages": [{"role": "user", "content": [{"type": "text", "text": QUESTION}]}]},
}
DIRECT = [case for case in CASES if case.provider.litellm in chat.COMPUTED]


class Watched:
    """What LiteLLM's `completion` did, until it returned."""

    def __init__(self) -> None:
        self.is_inside = False
        self.events: list[str] = []
        self.threads: set[str] = set()

    def note(self, event: str, _: tuple[Any, ...]) -> None:
        if self.is_inside and event in WAITING:
            self.events.append(event)


@pytest.fixture
def watched(monkeypatch: pytest.MonkeyPatch) -> Iterator[Watched]:
    found, completion = Watched(), chat.completion

    def watch(**arguments: Any) -> Any:
        found.threads.add(threading.current_thread().name)
        found.is_inside = True
        try:
            return completion(**arguments)
        finally:
            found.is_inside = False

    monkeypatch.setattr(chat, "completion", watch)
    with hearing(found.note):
        yield found


def test_each_of_them_is_a_provider_of_the_catalogue():
    assert {case.provider.litellm for case in DIRECT} == chat.COMPUTED


@pytest.mark.parametrize("question", QUESTIONS)
@pytest.mark.parametrize("endpoint", [True, False], ids=["endpoint", "own address"])
@pytest.mark.parametrize("case", DIRECT, ids=lambda case: case.name)
def test_nothing_is_waited_for_until_the_provider_is_asked(
    case: Case, endpoint: bool, question: str, wire: Wire, watched: Watched
):
    with asked(case, wire, endpoint=endpoint) as (deployed, _):
        answer = wire.ask(deployed, Route.CHAT, QUESTIONS[question])
    assert ANSWER in str(answer)
    assert (watched.events, watched.threads) == ([], {threading.main_thread().name})


def test_a_long_question_is_prepared_in_a_thread(wire: Wire, watched: Watched):
    message = {"role": "user", "content": "long " * chat.LONGEST}
    with asked(DIRECT[0], wire) as (deployed, _):
        wire.ask(deployed, Route.CHAT, {"messages": [message]})
    assert threading.main_thread().name not in watched.threads


def test_a_picture_is_prepared_in_a_thread(wire: Wire, watched: Watched):
    picture = {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{PIXEL}"}}
    message = {"role": "user", "content": [{"type": "text", "text": QUESTION}, picture]}
    with asked(DIRECT[0], wire) as (deployed, _):
        wire.ask(deployed, Route.CHAT, {"messages": [message]})
    assert threading.main_thread().name not in watched.threads


def test_who_may_fetch_something_first_is_asked_in_a_thread(wire: Wire, watched: Watched):
    (case,) = (case for case in CASES if case.name == "gigachat")
    with asked(case, wire) as (deployed, _):
        wire.ask(deployed, Route.CHAT, MESSAGE)
    assert threading.main_thread().name not in watched.threads
