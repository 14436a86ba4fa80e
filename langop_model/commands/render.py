"""`render`: specifications become configurations."""

from __future__ import annotations

from typing import Any

import click

from langop_model import running
from langop_model.commands import options


@click.command("render")
@options.sources
@click.option("-o", "--output", type=click.Path(), help="Write to this file; or into this folder, one file for each model, "
              "where it is one, ends with /, or there are several.")  # fmt: skip
@options.of_checks
def command(sources: tuple[str, ...], output: str | None, **asked: Any) -> None:
    """Write the configuration of each SOURCE."""
    with options.usage():
        running.render(options.given(sources), output, running.Options(**asked))
