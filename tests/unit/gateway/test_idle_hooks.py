"""Taking out LiteLLM's hooks that have nothing to do."""

from __future__ import annotations

import asyncio
from typing import Any

from langop_model.gateway.internals import idle_hooks
from langop_model.gateway.scope import Message, Receive, Send


async def starts(_: Message, __: Receive, send: Send) -> None:
    await send({"type": "lifespan.startup.complete"})


async def fails_to_start(_: Message, __: Receive, send: Send) -> None:
    await send({"type": "lifespan.startup.failed", "message": "no"})


def events(monkeypatch: Any, app: Any, may: bool) -> list[str]:
    seen: list[str] = []
    monkeypatch.setattr(idle_hooks, "remove", lambda: seen.append("removed"))

    async def send(message: Message) -> None:
        seen.append(message["type"])

    async def run() -> None:
        await idle_hooks.WithoutIdleHooks(app, lambda: may)({"type": "lifespan"}, None, send)  # type: ignore[arg-type]

    asyncio.run(run())
    return seen


def test_they_are_out_before_the_start_is_complete(monkeypatch: Any):
    assert events(monkeypatch, starts, may=True) == ["removed", "lifespan.startup.complete"]


def test_they_stay_where_keys_have_limits(monkeypatch: Any):
    assert events(monkeypatch, starts, may=False) == ["lifespan.startup.complete"]


def test_nothing_is_touched_when_litellm_does_not_start(monkeypatch: Any):
    assert events(monkeypatch, fails_to_start, may=True) == ["lifespan.startup.failed"]
