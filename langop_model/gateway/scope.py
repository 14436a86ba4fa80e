"""What a request holds until its answer is complete: its place among the concurrent requests, its count at an endpoint.

A stream's answer is complete with its last part, long after LiteLLM's functions have returned: only the ASGI server knows when.
"""

from __future__ import annotations

import contextlib
from collections.abc import Awaitable, Callable, MutableMapping
from contextvars import ContextVar
from typing import Any

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Message, Receive, Send], Awaitable[None]]

_scope: ContextVar[contextlib.ExitStack | None] = ContextVar("langop_request", default=None)


class RequestScope:
    """ASGI middleware: opens a scope for each HTTP request, and closes it when the answer is complete or the client is gone."""

    def __init__(self, app: App) -> None:
        self.app = app

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        with contextlib.ExitStack() as held:
            token = _scope.set(held)
            try:
                await self.app(scope, receive, send)
            finally:
                _scope.reset(token)


class MetricsPath:
    """ASGI middleware: LiteLLM answers /metrics with a redirect to /metrics/, which strict scrapers do not follow."""

    def __init__(self, app: App) -> None:
        self.app = app

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        if scope.get("path") == "/metrics":
            scope = {**scope, "path": "/metrics/", "raw_path": b"/metrics/"}
        await self.app(scope, receive, send)


def at_end(release: Callable[[], None]) -> bool:
    """Call `release` when the present request's answer is complete; False where no request is being served."""
    held = _scope.get()
    if held is None:
        return False
    held.callback(release)
    return True
