"""Arguments and options that several commands have, and how a result is written."""

from __future__ import annotations

import sys

import click

from langop_model import report
from langop_model.renderer.findings import error

sources = click.argument("sources", nargs=-1, metavar="[SOURCE]...")
style = click.option("--format", "style", type=click.Choice(sorted(report.STYLES)), default="text", show_default=True,
                     help="How findings are written on standard error.")  # fmt: skip
strict = click.option("--strict", is_flag=True, help="Count warnings as errors.")
gateway = click.option("--gateway", is_flag=True, help="All sources together become one configuration.")


def _lint_rules(_: click.Context, __: click.Parameter, codes: tuple[str, ...]) -> frozenset[str]:
    """Return the codes to ignore. Only lint can be: what is dropped or approximate is always said."""
    if codes:
        from langop_model.renderer.findings import lint_codes

        for code in codes:
            if code not in lint_codes():
                raise click.BadParameter(f"{code} is not the code of a lint rule: {', '.join(sorted(lint_codes()))}")
    return frozenset(codes)


ignore = click.option("--ignore", "ignored", multiple=True, metavar="LM6xx", callback=_lint_rules,
                      help="Switch a lint rule off; may be given several times.")  # fmt: skip


def given(sources: tuple[str, ...]) -> list[str]:
    """Return the sources to read: standard input where none is named and it is not a terminal. Raises UsageError."""
    if not sources and (sys.stdin is None or sys.stdin.isatty()):
        raise click.UsageError("name a SOURCE: a file, a folder, or - for standard input")
    return list(sources) or ["-"]


def write_result(text: str) -> None:
    """Write to standard output in UTF-8, which LiteLLM reads, whatever the terminal speaks. Raises SpecError (LM015)."""
    try:
        if sys.stdout is None:
            raise OSError("it is closed")
        sys.stdout.buffer.write(text.encode("utf-8"))
        sys.stdout.buffer.flush()
    except BrokenPipeError:
        raise  # nobody reads on: click ends quietly
    except OSError as problem:
        raise error("LM015", file="<stdout>", reason=problem.strerror or str(problem)) from None
