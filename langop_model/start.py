"""The way in: starts a command with as little as it needs, because people and hooks start it over and over.

The list of commands is printed without click, the usual forms of `render` and `validate` are read without it, the garbage
collector waits, and the process ends without taking the interpreter apart. Anything else is click's: `cli`. That both ways
say the same is tested in tests/unit/test_start.py.

What is wanted is 3 times the CPU of an empty Python for `--help`, and 8.5 times for `render` of one example. By click alone
they took 4.7 to 5.2 and 10 to 12 times, this way 1.0 and 7.8 to 8.3 (docs/performance.md).
"""

from __future__ import annotations

import gc
import os
import sys

TYPE_CHECKING = False  # `typing` itself takes a third of the time of an empty Python
if TYPE_CHECKING:
    from typing import NoReturn

COMPLETION = "_LANGOP_MODEL_COMPLETE"  # set by a shell that asks click how to complete a line
GC_THRESHOLD = 100_000  # new objects: more than one command makes, few enough for memory to stay flat over thousands of files


def main() -> None:
    """Run the command that the process was started with, and end the process."""
    arguments = sys.argv[1:]
    if arguments[:1] == ["launch"] or COMPLETION in os.environ:  # a service ends in its own way
        from langop_model.cli import main as command

        command()
    gc.set_threshold(GC_THRESHOLD)
    try:
        _run(arguments)
    except SystemExit as end:
        _leave(end.code)
    except BrokenPipeError:  # nobody reads on
        _leave(1)
    except OSError as problem:
        if problem.filename is not None:  # no stream, but a file: whoever opens it says what is wrong with it
            raise
        _say_unwritable(problem)
        _leave(1)
    except KeyboardInterrupt:
        sys.stderr.write("Aborted!\n")
        _leave(1)
    _leave(0)


def _run(arguments: list[str]) -> None:
    if arguments in (["-h"], ["--help"]):
        from langop_model import overview

        print(overview.text(), end="")  # noqa: T201 - nowhere, where there is no standard output
    elif not _plain(arguments):
        from langop_model.cli import main as command

        command()
    else:
        _run_checks(*arguments)


def _run_checks(name: str, *rest: str) -> None:
    """Run `render` or `validate` with sources, and with -o FILE if it is among them."""
    from langop_model import running

    sources, output = list(rest), None
    if "-o" in sources:
        at = sources.index("-o")
        output = sources.pop(at + 1)
        del sources[at]
    try:
        running.render(sources, output) if name == "render" else running.validate(sources)
    except running.UsageError as problem:
        from langop_model.cli import end_with_usage

        end_with_usage(name, str(problem))


def _plain(arguments: list[str]) -> bool:
    """Whether the arguments are a command and sources, with one -o FILE at most: what click would read the same way."""
    name, rest = arguments[:1], arguments[1:]
    if name not in (["render"], ["validate"]):
        return False
    if name == ["render"] and "-o" in rest[:-1]:
        at = rest.index("-o")
        if not rest[at + 1].startswith("-"):
            del rest[at : at + 2]
    return bool(rest) and not any(word.startswith("-") and word != "-" for word in rest)


def _leave(code: object) -> NoReturn:
    """End the process with the exit code that `sys.exit(code)` means."""
    if isinstance(code, str):
        sys.exit(code)
    for stream in (sys.stdout, sys.stderr):
        try:
            if stream is not None:
                stream.flush()
        except OSError as problem:
            if stream is sys.stdout and not code and not isinstance(problem, BrokenPipeError):
                _say_unwritable(problem)
            code = code or 1
    os._exit(code if isinstance(code, int) else 0)


def _say_unwritable(problem: OSError) -> None:
    """Say why standard output can't be written, in the words of a result that can't be (LM015)."""
    from langop_model import report
    from langop_model.renderer import findings

    report.print_findings([findings.make("LM015", reason=problem.strerror).replace(file="<stdout>")], "text")
