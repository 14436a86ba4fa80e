"""Files divided over processes: what each becomes is the same, and comes in the same order."""

from __future__ import annotations

import multiprocessing
import os
import signal
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from typing import Protocol, TypeVar

from langop_model.sources import TOGETHER, SourceFile

Done = TypeVar("Done")


class Each(Protocol):
    """A function that has work done for files, several at a time, and yields what it returns for each, in their order."""

    def __call__(self, work: Callable[[list[SourceFile]], list[Done]], files: list[SourceFile]) -> Iterator[Done]:
        """Raises BrokenProcessPool when the system ended a process that did the work, for want of memory for example."""


def number_of(asked: int) -> int:
    """Return how many processes `--jobs` means: 0 is one for each core that this process may use."""
    if asked:
        return asked
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@contextmanager
def divided(jobs: int) -> Iterator[Each]:
    """Return, for a `with`, a function that has work done by `jobs` processes, which end with the block."""
    from langop_model.renderer import rendering  # noqa: F401 - once, for all of them

    # A forked process has all modules already. Where there is no fork, each starts a Python of its own.
    way = "fork" if "fork" in multiprocessing.get_all_start_methods() else None
    with ProcessPoolExecutor(jobs, multiprocessing.get_context(way), initializer=_leave_interrupts) as pool:

        def each(work: Callable[[list[SourceFile]], list[Done]], files: list[SourceFile]) -> Iterator[Done]:
            groups = [files[first : first + TOGETHER] for first in range(0, len(files), TOGETHER)]
            for done in pool.map(work, groups):
                yield from done

        try:
            yield each
        finally:
            pool.shutdown(cancel_futures=True)  # where the command ends early, nobody waits for what is left


def _leave_interrupts() -> None:
    """Ctrl-C ends the command, which ends its processes: one message instead of one for each."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
