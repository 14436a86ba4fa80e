"""What is changed in LiteLLM once it has started."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from langop_model.gateway.internals import after_start, idle_hooks, litellm_proxy
from langop_model.gateway.scope import Message, Receive, Send


async def starts(_: Message, __: Receive, send: Send) -> None:
    await send({"type": "lifespan.startup.complete"})


async def fails_to_start(_: Message, __: Receive, send: Send) -> None:
    await send({"type": "lifespan.startup.failed", "message": "no"})


def events(app: Any, kind: str = "lifespan") -> list[str]:
    seen: list[str] = []

    async def send(message: Message) -> None:
        seen.append(message["type"])

    async def run() -> None:
        steps = (lambda: seen.append("first"), lambda: seen.append("second"))
        await after_start.AfterStart(app, steps)({"type": kind}, None, send)  # type: ignore[arg-type]

    asyncio.run(run())
    return seen


def test_it_is_changed_before_the_start_is_complete():
    assert events(starts) == ["first", "second", "lifespan.startup.complete"]


def test_nothing_is_touched_when_litellm_does_not_start():
    assert events(fails_to_start) == ["lifespan.startup.failed"]


def test_nothing_is_touched_by_a_request():
    assert events(starts, "http") == ["lifespan.startup.complete"]


@pytest.mark.parametrize(
    ("own_auth", "database", "left_out"), [(False, False, True), (True, False, False), (False, True, False)]
)
def test_idle_hooks_stay_where_keys_may_have_limits(
    monkeypatch: pytest.MonkeyPatch, own_auth: bool, database: bool, left_out: bool
):
    removed: list[bool] = []
    monkeypatch.setattr(litellm_proxy, "has_own_auth", lambda: own_auth)
    monkeypatch.setattr(litellm_proxy, "has_database", lambda: database)
    monkeypatch.setattr(idle_hooks, "remove", lambda: removed.append(True))
    idle_hooks.leave_out()
    assert bool(removed) is left_out
