"""Requests, and a provider whose answers and streams a test holds back."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Coroutine
from typing import Any, TypeVar

from langop_model.contract.settings import Cause, Endpoint, Group
from langop_model.gateway.upstreams.base import Answer, FailureKind, Route, UpstreamError, UpstreamRequest, Usage

T = TypeVar("T")
HELLO: dict[str, Any] = {"model": "m", "messages": [{"role": "user", "content": "hello"}]}


def run(scene: Coroutine[Any, Any, T]) -> T:
    """Run a scene in an event loop of its own."""
    return asyncio.run(scene)


def group(name: str = "m", **members: Any) -> Group:
    """Return a group with one endpoint."""
    return Group(name, members.pop("resource", name), (Endpoint(f"{name}/0"),), **members)


def request(route: Route = Route.CHAT, stream: bool = False, **body: Any) -> UpstreamRequest:
    """Return a question of a client, with members beside model and messages."""
    members = {**HELLO, **body, **({"stream": True} if stream else {})}
    return UpstreamRequest(route, "m", members, stream=stream)


def failure(cause: str = Cause.SERVER_ERROR, status: int = 500) -> UpstreamError:
    """Return the failure of an attempt."""
    return UpstreamError(FailureKind.HTTP, status, "it failed", cause=cause)


class Provider:
    """Answers when `go` is set. `failures` are raised first, one for each request; `broken` ends each stream with an error."""

    def __init__(self, *failures: BaseException, events: int = 3, broken: bool = False, size: int = 10) -> None:
        self.go = asyncio.Event()
        self.next = asyncio.Event()  # lets a stream go on after its first event
        self.next.set()
        self.failures = list(failures)
        self.events = [b"data: %d %s\n\n" % (number, b"x" * size) for number in range(events)]
        self.broken = broken
        self.asked = 0
        self.sent = 0
        self.closed = 0

    async def whole(self, _: str | None = None) -> Answer:
        """Answer a request whole."""
        await self._ask()
        return Answer(body=b'{"answer": %d}' % self.asked, usage=Usage(3, 4), dropped=("user",))

    async def stream(self, _: str | None = None) -> Answer:
        """Begin a stream."""
        await self._ask()
        answer = Answer(content_type="text/event-stream")
        answer.events = self._events(answer)
        return answer

    async def _ask(self) -> None:
        self.asked += 1
        try:
            await asyncio.sleep(0)  # no provider answers within a turn of the event loop
            await self.go.wait()
        except asyncio.CancelledError:
            self.closed += 1
            raise
        if self.failures:
            raise self.failures.pop(0)

    async def _events(self, answer: Answer) -> AsyncIterator[bytes]:
        try:
            for event in self.events:
                self.sent += 1
                yield event
                await self.next.wait()
            if self.broken:
                raise failure()
            answer.usage = Usage(5, 6)
        finally:
            self.closed += 1


async def settled() -> None:
    """Let all tasks go as far as they can."""
    for _ in range(20):
        await asyncio.sleep(0)


async def read(answer: Answer) -> list[bytes]:
    """Return the events of an answer."""
    assert answer.events is not None
    return [event async for event in answer.events]
