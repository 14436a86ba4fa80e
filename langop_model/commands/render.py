"""`render`: specifications become configurations."""

from __future__ import annotations

import click

from langop_model.commands import options
from langop_model.outcome import Outcome
from langop_model.sources import Work


@click.command("render")
@options.sources
@click.option("-o", "--output", type=click.Path(), help="Write to this file; or into this folder, one file for each model, "
              "where it is one, ends with /, or there are several.")  # fmt: skip
@options.gateway
@options.style
@options.strict
@options.ignore
def command(
    sources: tuple[str, ...], output: str | None, gateway: bool, style: str, strict: bool, ignored: frozenset[str]
) -> None:
    """Write the configuration of each SOURCE."""
    outcome = Outcome(style, strict)
    work = Work(options.given(sources), gateway, outcome, ignored)
    if output is None:
        for index, rendering in enumerate(work.renderings()):
            with outcome.collecting():
                options.write_result(("---\n" if index else "") + rendering.text)
    else:
        from langop_model.renderer.output import Destination

        try:
            destination = Destination.settle(output, work.names())
        except ValueError as problem:
            raise click.UsageError(str(problem)) from None
        for rendering in work.renderings():
            with outcome.collecting():
                destination.write(rendering.name, rendering.text)
    outcome.exit()
