"""Something that is computed in another process while this one does something else: for two cores."""

from __future__ import annotations

import contextlib
import os
import pickle
import select
import signal
import sys
import time
from collections.abc import Callable
from typing import Generic, TypeVar

Result = TypeVar("Result")


class ForkedCall(Generic[Result]):
    """A call of `function`, begun now in a child process that is forked; it must print nothing.

    What it raises of the type `expected` is raised here. For everything else it is called again, here: a defect shows itself
    where it can be seen, and a child that was killed costs time only. Unless it `repeats`, that raises ChildProcessError.
    """

    def __init__(self, function: Callable[[], Result], expected: type[Exception], *, repeats: bool = True) -> None:
        self.repeats = repeats
        self.function = function
        self.expected = expected
        self.began = time.monotonic()
        self.answer, theirs = os.pipe()
        sys.stdout.flush()
        sys.stderr.flush()
        self.pid = os.fork()
        if self.pid == 0:
            self._answer_and_exit(theirs)
        os.close(theirs)

    @property
    def done(self) -> bool:
        """Whether `result` has nothing left to wait for."""
        return self.wait(0)

    def wait(self, seconds: float) -> bool:
        """Wait for the result so long at most, and return whether it is there."""
        return bool(select.select([self.answer], [], [], seconds)[0])

    def kill(self) -> None:
        """End it, and wait for nothing: a process that a dead network mount holds ends when the kernel lets it."""
        os.close(self.answer)
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGKILL)
        with contextlib.suppress(ChildProcessError):  # the supervisor waits for it, or has done so
            os.waitpid(self.pid, os.WNOHANG)

    def result(self) -> Result:
        """Return what `function` returned, once."""
        with os.fdopen(self.answer, "rb") as answer:
            content = answer.read()
        with contextlib.suppress(ChildProcessError):  # the supervisor has waited for it
            os.waitpid(self.pid, 0)
        if not content:
            if self.repeats:
                return self.function()
            raise ChildProcessError(
                "the process that renders it ended without a result: the log, or the memory limit, says why"
            )
        result, problem = pickle.loads(content)  # noqa: S301 - written by this program
        if problem is not None:
            raise problem
        returned: Result = result
        return returned

    def _answer_and_exit(self, theirs: int) -> None:
        """Be the child; nothing of the parent's own stack is unwound."""
        code = 1
        try:
            os.close(self.answer)
            signal.set_wakeup_fd(-1)  # a signal is for this process, not for the loop of the one that it was forked from
            for number in (signal.SIGTERM, signal.SIGINT):
                signal.signal(number, signal.SIG_DFL)
            try:
                answer = (self.function(), None)
            except self.expected as problem:
                answer = (None, problem)  # type: ignore[assignment]
            content = pickle.dumps(answer)
            with os.fdopen(theirs, "wb") as file:
                file.write(content)
            code = 0
        except BaseException:  # noqa: BLE001, S110 - the parent repeats it
            pass
        finally:
            os._exit(code)
