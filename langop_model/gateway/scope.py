"""What belongs to one request of a client: what it holds until its answer is complete, and what is seen of that answer.

A stream's answer is complete with its last part, long after LiteLLM's functions have returned: only the ASGI server knows when.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Awaitable, Callable, MutableMapping
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Message, Receive, Send], Awaitable[None]]

TOKENS = re.compile(rb'"(total_tokens|input_tokens|output_tokens)"\s*:\s*(\d+)')


@dataclass(slots=True)
class _Request:
    held: contextlib.ExitStack
    retry_after: int | None = None
    tokens: dict[bytes, int] = field(default_factory=dict)

    def tokens_sent(self) -> int | None:
        """Return the tokens that the answer says it cost; None where it does not say."""
        parts = self.tokens.get(b"input_tokens", 0) + self.tokens.get(b"output_tokens", 0)
        return max(self.tokens.get(b"total_tokens", 0), parts) or None

    def note_tokens(self, body: bytes) -> None:
        """Note the tokens that a part of the answer speaks of. In a text the quotes would have backslashes."""
        if b'"usage"' in body:
            for name, number in TOKENS.findall(body):
                self.tokens[name] = max(self.tokens.get(name, 0), int(number))


_present: ContextVar[_Request | None] = ContextVar("langop_request", default=None)


class RequestScope:
    """ASGI middleware: opens a scope for each HTTP request, and closes it when the answer is complete or the client is gone.

    Some of LiteLLM's paths lose the Retry-After of a refusal (/v1/completions, /v1/messages): each answer 429 gets it here.
    """

    def __init__(self, app: App) -> None:
        self.app = app

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        with contextlib.ExitStack() as held:
            request = _Request(held)

            async def observed_send(message: Message) -> None:
                if message["type"] == "http.response.start" and message["status"] == 429 and request.retry_after is not None:
                    others = [(name, value) for name, value in message["headers"] if name.lower() != b"retry-after"]
                    message = {**message, "headers": [*others, (b"retry-after", b"%d" % request.retry_after)]}
                request.note_tokens(message.get("body", b""))
                await send(message)

            token = _present.set(request)
            try:
                await self.app(scope, receive, observed_send)
            finally:
                _present.reset(token)


def at_end(release: Callable[[], None]) -> bool:
    """Call `release` when the present request's answer is complete; False where no request is being served."""
    request = _present.get()
    if request is None:
        return False
    request.held.callback(release)
    return True


def tokens_sent() -> Callable[[], int | None]:
    """Return what says at the end how many tokens the present request's answer cost, by its own account."""
    request = _present.get()
    return request.tokens_sent if request is not None else lambda: None


def retry_after(seconds: int) -> None:
    """Note when the present request may come again, should it be refused."""
    request = _present.get()
    if request is not None:
        request.retry_after = seconds
