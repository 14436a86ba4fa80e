"""Files divided over processes: what each becomes is the same, and comes in the same order."""

from __future__ import annotations

import multiprocessing
import os
import signal
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from typing import TypeVar

from langop_model.sources import SourceFile

Result = TypeVar("Result")

CHUNK = 16  # files that a process is given at a time: few enough for progress to be seen, enough for messages to cost nothing


def number_of(asked: int) -> int:
    """Return how many processes `--jobs` means: 0 is one for each core that this process may use."""
    if asked:
        return asked
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def results(work: Callable[[SourceFile], Result], files: Sequence[SourceFile], jobs: int) -> Iterator[Result]:
    """Yield what `work` returns for each file, in the order of `files`, done by `jobs` processes.

    Raises BrokenProcessPool when the system ended one of them, for want of memory for example.
    """
    # A forked process has all modules already. Where there is no fork, each starts a Python of its own.
    way = "fork" if "fork" in multiprocessing.get_all_start_methods() else None
    with ProcessPoolExecutor(jobs, multiprocessing.get_context(way), initializer=_leave_interrupts) as pool:
        yield from pool.map(work, files, chunksize=CHUNK)


def _leave_interrupts() -> None:
    """Ctrl-C ends the command, which ends its processes: one message instead of one for each."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
