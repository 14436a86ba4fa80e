"""The types of ASGI: https://asgi.readthedocs.io/en/latest/specs/main.html."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

Message = dict[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Message, Receive, Send], Awaitable[None]]

# Extensions of the scope. What closes the connection of an answer that has begun and can't go on.
ABORT = "langop.abort"
# What returns the whole body where it has arrived with the head, as most do, and None where it is to be received.
WHOLE_BODY = "langop.whole_body"
# What is given something to call when the client has left, and None when nothing is to be called any more.
WHEN_LEFT = "langop.when_left"
# What takes a whole answer: status, headers without a length, and body. It returns False where that is to be sent as messages.
WHOLE_ANSWER = "langop.whole_answer"
