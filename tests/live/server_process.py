"""A real server of a test's own that can be started, paused and killed."""

from __future__ import annotations

import signal
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path

READY_TIMEOUT = 30.0  # seconds


class ServerProcess:
    """A program that serves. `try_it` raises one of `refusals` until it does."""

    refusals: tuple[type[Exception], ...] = (OSError,)

    def __init__(self, command: Sequence[str]) -> None:
        self.command = list(command)
        self.process: subprocess.Popen[bytes] | None = None

    def try_it(self) -> None:
        """Ask it something."""
        raise NotImplementedError

    def start(self) -> None:
        """Start it, empty, unless it runs; return when it answers."""
        if self.process is not None:
            return
        self.process = subprocess.Popen(self.command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        deadline = time.monotonic() + READY_TIMEOUT
        while True:
            try:
                self.try_it()
            except self.refusals:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.02)
            else:
                return

    def kill(self) -> None:
        """End it at once, as a node that fails does."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None

    def pause(self) -> None:
        """Keep its connections, and answer nothing, as a network that drops everything does."""
        assert self.process is not None
        self.process.send_signal(signal.SIGSTOP)
        while not all(_is_stopped(task) for task in Path(f"/proc/{self.process.pid}/task").iterdir()):
            time.sleep(0.001)  # until then a thread may still answer

    def go_on(self) -> None:
        """Answer again."""
        assert self.process is not None
        self.process.send_signal(signal.SIGCONT)


def _is_stopped(task: Path) -> bool:
    """Whether a thread has stopped: the letter after its name in proc(5)'s stat."""
    return (task / "stat").read_text(encoding="utf-8").rpartition(") ")[2][0] == "T"
