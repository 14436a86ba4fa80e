"""What `render` and `validate` do, however they were called: by click, or by the shorter way of start.py."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from langop_model.outcome import Outcome, write_result
from langop_model.sources import Result, SourceFile, Task, files_of, names_of, settings_of


class UsageError(ValueError):
    """The command was called in a way that means nothing: its text says why."""


class Options(NamedTuple):
    """How a command works and what it prints.

    `style` is how findings are written, `level` the least that is printed, `ignored` are the lint rules that are switched off.
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
    if output is None:
        task = task._replace(texts=True)
    else:
        from langop_model.renderer.atomic_write import Destination

        names = [] if options.gateway else [name for _, each in files for name in names_of(each, task.settings)]
        try:
            task = task._replace(destination=Destination.settle(output, names))
        except ValueError as problem:
            raise UsageError(str(problem)) from None
    written = 0
    for result in _results(sources, files, task, options):
        outcome.finish(result)
        for text in result.texts:
            with outcome.collecting():
                write_result(("---\n" if written else "") + text)
            written += 1
    outcome.exit()


def validate(sources: Sequence[str], options: Options = _USUAL) -> None:
    """Check each source; end the program with 1 where one is wrong. Raises UsageError."""
    outcome, task, files = _prepared(sources, options)
    for result in _results(sources, files, task, options):
        outcome.finish(result)
    outcome.exit()


_Files = list[tuple[str, list[SourceFile]]]  # a source, and the files that it means


def _prepared(sources: Sequence[str], options: Options) -> tuple[Outcome, Task, _Files]:
    if not sources:
        raise UsageError("name a SOURCE: a file, a folder, or - for standard input")
    outcome = Outcome(options.style, options.strict, level=options.level, quiet=options.quiet)
    files: _Files = []
    for source in () if options.gateway else sources:
        with outcome.collecting():
            files.append((source, files_of(source)))
    outcome.expect(sum(len(each) for _, each in files))
    return outcome, Task(settings_of(options.ignored)), files


def _results(sources: Sequence[str], files: _Files, task: Task, options: Options) -> Iterator[Result]:
    if options.gateway:
        yield task.of_gateway(list(sources))
        return
    results = _each(files, task, options)
    for source, of_source in files:
        held = False
        for _ in of_source:
            result = next(results)
            held |= result.held
            yield result
        if not held:
            from langop_model.renderer import manifest

            yield Result(source, [manifest.none_in(source)])


def _each(files: _Files, task: Task, options: Options) -> Iterator[Result]:
    """Yield what becomes of each file, in order, in this process or in several."""
    every = [file for _, of_source in files for file in of_source]
    if options.jobs != 1 and len(every) > 1 and all(file.rereadable for file in every):
        from langop_model import jobs

        return jobs.results(every, task, min(jobs.number_of(options.jobs), len(every)))
    return map(task.of_file, every)
