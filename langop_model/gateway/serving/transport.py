"""A transport that writes a whole answer at once.

uvicorn writes an answer's headers and its body one after the other. Each write wakes the client, which then waits for the rest:
a tenth of a millisecond or more where cores are idle, twice for each answer.
"""

from __future__ import annotations

import asyncio
from typing import Any

from langop_model.gateway import end_of_turn

STATUS_LINE = b"HTTP/1."
LENGTH = b"\r\ncontent-length: "


class Transport:
    """A transport that writes an answer's headers together with what follows them, at the end of a turn of the event loop."""

    def __init__(self, transport: asyncio.Transport, loop: asyncio.AbstractEventLoop) -> None:
        self._transport = transport
        self._loop = loop
        self._turn = end_of_turn.of(loop)
        self._held = b""
        self.is_closing = transport.is_closing  # asked several times for each request: `__getattr__` is slow

    def write(self, data: bytes) -> None:
        """Write, or hold headers back until the next write or the end of the answer.

        Those of an answer without a length wait no longer than for the next turn of the event loop: its first part may be late.
        """
        if self._held:
            held, self._held = self._held, b""
            self._turn.write(self._transport, (held, data))
        elif data.startswith(STATUS_LINE):
            self._held = data
            if LENGTH not in data:
                self._loop.call_soon(self.write_held)
        else:
            self._turn.write(self._transport, (data,))

    def write_whole(self, head: bytes, body: bytes) -> None:
        """Write a whole answer."""
        self._turn.write(self._transport, (head, body))

    def close(self) -> None:
        """Write what is held, and close."""
        self.write_held()
        self._turn.flush()
        self._transport.close()

    def write_held(self) -> None:
        """Write the headers that are held back: no body follows those of an answer to HEAD."""
        if self._held:
            data, self._held = self._held, b""
            self._turn.write(self._transport, (data,))

    def __getattr__(self, name: str) -> Any:
        """Be the transport in everything else."""
        return getattr(self._transport, name)
