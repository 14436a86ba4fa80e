"""What `render` and `validate` do, however they were called: by click, or by the shorter way of start.py."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING, TypeVar

from langop_model.outcome import Outcome, write_result
from langop_model.renderer.record import Record
from langop_model.renderer.settings import Settings
from langop_model.sources import TOGETHER, Result, SourceFile, Task, files_of

if TYPE_CHECKING:
    from langop_model.jobs import Each


class UsageError(ValueError):
    """The command was called in a way that means nothing: its text says why."""


class Options(Record):
    """How a command works and what it prints.

    `style` is how findings are written, `level` the least that is printed, `ignored` are the codes of findings that are not.
    `strict` counts warnings as errors, `quiet` prints errors alone, `jobs` is the number of processes, 0 for one on each core.
    """

    gateway: bool = False
    style: str = "text"
    strict: bool = False
    ignored: frozenset[str] = frozenset()
    level: str = "info"
    quiet: bool = False
    jobs: int = 1


_USUAL = Options()


def render(sources: Sequence[str], output: str | None = None, options: Options = _USUAL) -> None:
    """Write the configuration of each source; end the program with 1 where one is wrong. Raises UsageError."""
    outcome, task, files = _prepared(sources, options)
    # To standard output, each result is written before the next source is waited for.
    with _workers(_every(files), options, together=1 if output is None else TOGETHER) as each:
        if output is None:
            task = task.replace(texts=True)
        else:
            from langop_model.renderer.atomic_write import Destination

            names = [name for of_file in each(task.names_of, _every(files)) for name in of_file]
            try:
                task = task.replace(destination=Destination.settle(output, names))
            except ValueError as problem:
                raise UsageError(str(problem)) from None
        written = 0
        for result in _results(sources, files, task, options, each):
            outcome.finish(result)
            for text in result.texts:
                with outcome.collecting():
                    write_result(("---\n" if written else "") + text)
                written += 1
    outcome.exit()


def validate(sources: Sequence[str], options: Options = _USUAL) -> None:
    """Check each source; end the program with 1 where one is wrong. Raises UsageError."""
    outcome, task, files = _prepared(sources, options)
    with _workers(_every(files), options, together=1) as each:
        for result in _results(sources, files, task, options, each):
            outcome.finish(result)
    outcome.exit()


_Files = list[tuple[str, list[SourceFile]]]  # a source, and the files that it means
_Done = TypeVar("_Done")


def _prepared(sources: Sequence[str], options: Options) -> tuple[Outcome, Task, _Files]:
    if not sources:
        raise UsageError("name a SOURCE: a file, a folder, or - for standard input")
    outcome = Outcome(options.style, options.strict, level=options.level, quiet=options.quiet, ignored=options.ignored)
    files: _Files = []
    for source in () if options.gateway else sources:
        with outcome.collecting():
            files.append((source, files_of(source)))
    outcome.expect(sum(len(each) for _, each in files))
    return outcome, Task(Settings.from_environment(os.environ)), files


def _workers(files: list[SourceFile], options: Options, together: int) -> AbstractContextManager[Each]:
    """Return, for a `with`, who does the work: this process, or several, which end with the block."""
    if options.jobs != 1 and len(files) > 1 and all(file.rereadable for file in files):
        from langop_model import jobs

        return jobs.divided(min(jobs.number_of(options.jobs), len(files)))

    def here(work: Callable[[list[SourceFile]], list[_Done]], files: list[SourceFile]) -> Iterator[_Done]:
        for first in range(0, len(files), together):
            yield from work(files[first : first + together])

    return nullcontext(here)


def _results(sources: Sequence[str], files: _Files, task: Task, options: Options, each: Each) -> Iterator[Result]:
    if options.gateway:
        yield task.of_gateway(list(sources))
        return
    results = each(task.of_files, _every(files))
    for source, of_source in files:
        held = False
        for _ in of_source:
            result = next(results)
            held |= result.held
            yield result
        if not held:
            from langop_model.renderer import manifest

            yield Result(source, [manifest.none_in(source)])


def _every(files: _Files) -> list[SourceFile]:
    return [file for _, of_source in files for file in of_source]
