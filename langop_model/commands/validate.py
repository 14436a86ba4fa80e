"""`validate`: the checks of `render`, and no result."""

from __future__ import annotations

from typing import Any

import click

from langop_model import running
from langop_model.commands import options


@click.command("validate")
@options.sources
@options.of_checks
def command(sources: tuple[str, ...], **asked: Any) -> None:
    """Check each SOURCE, and write nothing but findings."""
    with options.usage():
        running.validate(options.given(sources), running.Options(**asked))
