"""`validate`: the checks of `render`, and no result."""

from __future__ import annotations

import click

from langop_model.commands import options
from langop_model.outcome import Outcome
from langop_model.sources import Work


@click.command("validate")
@options.sources
@options.gateway
@options.style
@options.strict
@options.ignore
def command(sources: tuple[str, ...], gateway: bool, style: str, strict: bool, ignored: frozenset[str]) -> None:
    """Check each SOURCE, and write nothing but findings."""
    outcome = Outcome(style, strict)
    for _ in Work(options.given(sources), gateway, outcome, ignored).renderings():
        pass
    outcome.exit()
