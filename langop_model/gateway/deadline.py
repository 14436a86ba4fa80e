"""A time limit for what a task waits for: asyncio.timeout in a fifth of its time. Every request has several of them."""

from __future__ import annotations

import asyncio
from types import TracebackType


class Deadline:
    """A context manager: what is awaited within it is cancelled after `seconds`, and TimeoutError is raised at its end."""

    __slots__ = ("cancelling", "handle", "has_passed", "seconds", "task")

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self.has_passed = False

    def __enter__(self) -> None:
        """Begin to count."""
        task = asyncio.current_task()
        assert task is not None  # noqa: S101 - outside of a task nothing could be cancelled
        self.task = task
        self.cancelling = task.cancelling()
        self.handle = asyncio.get_running_loop().call_later(max(0.0, self.seconds), self._pass)

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        """Raise TimeoutError where the time is over; a cancellation by somebody else stays one."""
        self.handle.cancel()
        if self.has_passed and self.task.uncancel() <= self.cancelling and kind is asyncio.CancelledError:
            raise TimeoutError from error

    def _pass(self) -> None:
        self.has_passed = True
        self.task.cancel()
