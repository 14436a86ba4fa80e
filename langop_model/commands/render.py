"""`render`: specifications become configurations."""

from __future__ import annotations

import os
from typing import Any

import click

from langop_model import running
from langop_model.commands import options
from langop_model.outcome import Outcome, write_result


@click.command("render")
@options.sources
@click.option("-o", "--output", type=click.Path(), help="Write to this file; or into this folder, one file for each model, "
              "where it is one, ends with /, or there are several.")  # fmt: skip
@click.option("--mounted", is_flag=True, help="In a container: what launch would serve, from the mounted files and the "
              "environment.")  # fmt: skip
@options.of_checks
def command(sources: tuple[str, ...], output: str | None, mounted: bool, **asked: Any) -> None:
    """Write the configuration of each SOURCE."""
    with options.usage():
        if mounted:
            _render_mounted(sources, output, running.Options(**asked))
        else:
            running.render(options.given(sources), output, running.Options(**asked))


def _render_mounted(sources: tuple[str, ...], output: str | None, asked: running.Options) -> None:
    """Write what is mounted to standard output. Raises UsageError for a source, or another place to write to, beside it."""
    if sources or output:
        raise running.UsageError("--mounted takes no SOURCE and no --output: what is mounted is written to standard output")
    from langop_model.launch import load_config

    outcome = Outcome(asked.style, asked.strict, level=asked.level, quiet=asked.quiet, ignored=asked.ignored)
    with outcome.collecting():
        result = load_config.render_mounted(os.environ)
        outcome.add(result.findings)
        write_result(result.text)
    outcome.exit()
