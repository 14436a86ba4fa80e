"""A provider whose outcomes a test scripts for each endpoint, and what it takes to ask it."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

from langop_model.contract.settings import Cause, Endpoint, Group, Upstream
from langop_model.gateway.upstreams.base import Answer, FailureKind, UpstreamError, UpstreamRequest, Usage

QUESTION = {"model": "m", "messages": [{"role": "user", "content": "Hello!"}]}
Outcome = UpstreamError | Answer | type[asyncio.CancelledError]


def failure(status: int = 503, cause: str = Cause.SERVER_ERROR, **more: Any) -> UpstreamError:
    """Return the failure of an attempt."""
    return UpstreamError(FailureKind.HTTP, status, f"status {status}", cause=cause, **more)


class Silent:
    """An observer that does nothing."""

    def __getattr__(self, name: str) -> Any:
        return lambda *_, **__: {}


SILENT: Any = Silent()


class Provider:
    """An upstream that answers as told, endpoint by endpoint, and remembers what it was asked."""

    def __init__(self, **outcomes: Sequence[Outcome]) -> None:
        self.outcomes = {name: list(each) for name, each in outcomes.items()}
        self.asked: list[tuple[str, UpstreamRequest]] = []

    async def send(self, _: Group, endpoint: Endpoint, request: UpstreamRequest) -> Answer:
        self.asked.append((endpoint.id, request))
        told = self.outcomes.get(endpoint.id) or []
        outcome = told.pop(0) if told else Answer(body=b"{}", usage=Usage(1, 2))
        if isinstance(outcome, Answer):
            return outcome
        raise outcome if isinstance(outcome, UpstreamError) else outcome()

    async def aclose(self) -> None: ...

    @property
    def ids(self) -> list[str]:
        return [name for name, _ in self.asked]


def group(name: str = "m", *endpoints: str, **members: Any) -> Group:
    """Return a group with these endpoints; with one, `<name>-0`, if none is named."""
    upstream = Upstream(model=name, routes={"chat": "/chat/completions"})
    ids = endpoints or (f"{name}-0",)
    return Group(name, name, tuple(Endpoint(each) for each in ids), strategy="round-robin", upstream=upstream, **members)


class Account:
    """What is known of a stream: the usage that its provider has reported, if any."""

    is_complete = True

    def __init__(self, found: Usage | None = None) -> None:
        self.found = found

    def usage(self) -> Usage | None:
        return self.found

    def estimate(self, question: int) -> Usage:
        return Usage(question, 7, estimated=True)
