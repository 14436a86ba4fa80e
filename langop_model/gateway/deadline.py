"""A time limit for what a task waits for: asyncio.timeout in a fifth of its time. Every request has several of them."""

from __future__ import annotations

import asyncio
from types import TracebackType

from langop_model.gateway import timers


class Deadline:
    """A context manager: what is awaited within it is cancelled after `seconds`, and TimeoutError is raised at its end.

    For lengths that a configuration says, or a constant: those of one length share a timer.
    """

    __slots__ = ("cancelling", "has_passed", "task", "timer")

    def __init__(self, seconds: float) -> None:
        self.timer = timers.of(seconds)
        self.has_passed = False

    def __enter__(self) -> None:
        task = asyncio.current_task()
        assert task is not None  # noqa: S101 - outside of a task nothing could be cancelled
        self.task = task
        self.cancelling = task.cancelling()
        self.timer.add(self)

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        """Raise TimeoutError where the time is over; a cancellation by somebody else stays one."""
        self.timer.remove(self)
        if self.has_passed and self.task.uncancel() <= self.cancelling and kind is asyncio.CancelledError:
            raise TimeoutError from error

    def is_due(self) -> None:
        """Cancel what is awaited."""
        self.has_passed = True
        self.task.cancel()


class Deadlines:
    """Deadlines that follow each other, in one task at a time: the parts of a stream. One timer serves them all.

    A context manager that `within` makes ready for the next one. `close` it in the end.
    """

    __slots__ = ("cancelling", "due", "handle", "has_passed", "loop", "task")

    def __init__(self) -> None:
        self.loop = asyncio.get_running_loop()
        self.handle: asyncio.TimerHandle | None = None
        self.task: asyncio.Task[object] | None = None
        self.due = 0.0
        self.has_passed = False

    def within(self, seconds: float) -> Deadlines:
        """Return this, with so many seconds from now."""
        self.due = self.loop.time() + seconds
        return self

    def __enter__(self) -> None:
        self.task = task = asyncio.current_task()
        assert task is not None  # noqa: S101 - outside of a task nothing could be cancelled
        self.cancelling = task.cancelling()
        if self.handle is None or self.due < self.handle.when():
            self.close()
            self.handle = self.loop.call_at(self.due, self._look)

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        """Raise TimeoutError where the time is over; a cancellation by somebody else stays one."""
        task, self.task = self.task, None
        if self.has_passed and task is not None:
            self.has_passed = False
            if task.uncancel() <= self.cancelling and kind is asyncio.CancelledError:
                raise TimeoutError from error

    def close(self) -> None:
        """Forget the timer."""
        if self.handle is not None:
            self.handle.cancel()
            self.handle = None

    def _look(self) -> None:
        """End what is waited for, or look again when it is due."""
        self.handle = None
        if self.task is None:
            return
        if self.loop.time() < self.due:
            self.handle = self.loop.call_at(self.due, self._look)
        else:
            self.has_passed = True
            self.task.cancel()
