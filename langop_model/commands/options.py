"""Arguments and options that several commands have."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import click
from click.shell_completion import CompletionItem

from langop_model import report, running
from langop_model.outcome import write_result
from langop_model.renderer.findings import LEVELS
from langop_model.reports import DOCUMENTS

__all__ = ["gateway", "given", "ignore", "of_checks", "sources", "style", "usage", "write_result"]

Command = Callable[..., Any]


def _files(_: click.Context, __: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Let a shell complete the name of a file, as it does itself."""
    return [CompletionItem(incomplete, type="file")]


sources = click.argument("sources", nargs=-1, metavar="[SOURCE]...", shell_complete=_files)
style = click.option("--format", "style", type=click.Choice(sorted(report.STYLES)), default="text", show_default=True,
                     help="How findings are written on standard error.")  # fmt: skip


def _hidden_codes(_: click.Context, __: click.Parameter, codes: tuple[str, ...]) -> frozenset[str]:
    """Return the codes of findings to hide: of warnings and infos, for an error is always said."""
    if codes:
        from langop_model.renderer.findings import catalogue
        from langop_model.renderer.wording import did_you_mean

        for code in codes:
            if code not in catalogue():
                raise click.BadParameter(f"there is no finding {code}.{did_you_mean(code, _ignorable())}")
            if code not in _ignorable():
                raise click.BadParameter(f"{code} is an error, which can't be ignored: fix what it says")
    return frozenset(codes)


def _ignorable() -> list[str]:
    from langop_model.renderer.findings import catalogue

    return [code for code, entry in catalogue().items() if entry["level"] != "error"]


def _codes(_: click.Context, __: click.Parameter, incomplete: str) -> list[CompletionItem]:
    from langop_model.renderer.findings import catalogue

    found = [code for code in _ignorable() if code.startswith(incomplete)]
    return [CompletionItem(code, help=catalogue()[code]["title"]) for code in found]


ignore = click.option("--ignore", "ignored", multiple=True, metavar="CODE", callback=_hidden_codes, shell_complete=_codes,
                      help="Hide a warning or an info, and don't count it; may be given several times.")  # fmt: skip

gateway = click.option("--gateway", is_flag=True, help="All sources together become one configuration.")

_OF_CHECKS = (
    gateway,
    click.option("--format", "style", type=click.Choice(sorted([*report.STYLES, *DOCUMENTS])), default="text",
                 show_default=True, help="How findings are written on standard error."),
    click.option("--strict", is_flag=True, help="Count warnings as errors."),
    ignore,
    click.option("--level", type=click.Choice(LEVELS), default="info", show_default=True, help="The least that is printed."),
    click.option("-q", "--quiet", is_flag=True, help="Print nothing but what makes the command fail."),
    click.option("-j", "--jobs", type=click.IntRange(0, 256), default=1, show_default=True, metavar="N",
                 help="Work in N processes; 0: one on each core."),
)  # fmt: skip


def of_checks(command: Command) -> Command:
    """Give a command the options of everything that checks specifications: the fields of running.Options."""
    for option in reversed(_OF_CHECKS):
        command = option(command)
    return command


def given(sources: tuple[str, ...]) -> list[str]:
    """Return the sources to read: standard input where none is named and it is not a terminal."""
    return list(sources) or ([] if sys.stdin is None or sys.stdin.isatty() else ["-"])


@contextmanager
def usage() -> Iterator[None]:
    """Turn running.UsageError into click's, which prints how the command is called."""
    try:
        yield
    except running.UsageError as problem:
        raise click.UsageError(str(problem)) from None
