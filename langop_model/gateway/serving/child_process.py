"""A child process of the supervisor: forked, sent messages, reaped."""

from __future__ import annotations

import atexit
import contextlib
import logging
import os
import signal
import sys
import threading
import time
from collections.abc import Callable

from langop_model.gateway.serving.channel import Channel

Task = Callable[[Channel], None]

log = logging.getLogger("langop.worker")


class ChildProcess:
    """A child process that runs `task` with its end of the channel, and then ends.

    It starts with the supervisor's memory as it is at this moment, and shares it until one of the two writes into it.
    """

    def __init__(self, task: Task, hidden: list[Channel]) -> None:
        """Fork. `hidden` are the supervisor's channels to others, which the child must not hold open."""
        self.channel, theirs = Channel.pair()
        self.ready = False
        self.reason = ""
        self.asked = False
        self.began = time.monotonic()
        sys.stdout.flush()
        sys.stderr.flush()
        self.pid = os.fork()
        if self.pid == 0:
            for channel in (self.channel, *hidden):
                channel.close()
            _run_and_exit(task, theirs)
        theirs.close()

    def end(self) -> None:
        """Ask it to end, once; it may finish what it is doing."""
        if not self.asked:
            self.asked = True
            self.channel.close()
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, signal.SIGTERM)

    def kill(self) -> None:
        """End it at once, unless it has ended. Its end is noticed like any other."""
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGKILL)


def _run_and_exit(task: Task, channel: Channel) -> None:
    """Run `task`, finish as an interpreter does, and end the process; nothing of the supervisor's own stack is unwound."""
    code = 1
    try:
        signal.set_wakeup_fd(-1)
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, signal.SIG_DFL)
        # As multiprocessing does in a fork: what the supervisor registered is the supervisor's to do.
        atexit._clear()
        task(channel)
        code = 0
    except SystemExit as ended:
        code = ended.code if isinstance(ended.code, int) else 1
    except BaseException:
        log.error("a worker failed", exc_info=True)
    try:
        threading._shutdown()  # type: ignore[attr-defined]
        atexit._run_exitfuncs()
        sys.stdout.flush()
        sys.stderr.flush()
    finally:
        os._exit(code)


def reap() -> list[tuple[int, int]]:
    """Return pid and wait status of every child that has ended, also of those that process 1 inherits."""
    ended: list[tuple[int, int]] = []
    while True:
        try:
            pid, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return ended
        if pid == 0:
            return ended
        ended.append((pid, status))


def how_it_ended(status: int) -> str:
    """Return a wait status in words."""
    code = os.waitstatus_to_exitcode(status)
    if code >= 0:
        return f"exit code {code}"
    name = signal.Signals(-code).name
    return f"{name}, which is also what the kernel sends when the memory limit is reached" if name == "SIGKILL" else name
