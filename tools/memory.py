"""What a process and its children use of the memory."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable
from pathlib import Path


def family(pid: int) -> list[int]:
    """Return a process and all its children."""
    try:
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="utf-8").split()
    except OSError:  # it has just ended
        return []
    return [pid, *(member for child in children for member in family(int(child)))]


def used(pid: int) -> float:
    """Return the MiB that a process and its children use together; what they share is counted once (PSS)."""
    return sum(map(_proportional, family(pid))) / 1024


def _proportional(pid: int) -> int:
    try:
        rollup = Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="utf-8")
    except OSError:
        return 0
    found = re.search(r"^Pss:\s+(\d+) kB", rollup, re.MULTILINE)
    return int(found[1]) if found else 0


class Most:
    """A context manager that looks at `value` every tenth of a second, and knows the most that it was."""

    def __init__(self, value: Callable[[], float]) -> None:
        self.value = value
        self.most = 0.0
        self._left = threading.Event()
        self._thread = threading.Thread(target=self._look)

    def _look(self) -> None:
        while not self._left.wait(0.1):
            self.most = max(self.most, self.value())

    def __enter__(self) -> Most:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._left.set()
        self._thread.join()
