"""`diff`: what changes between two specifications or configurations."""

from __future__ import annotations

import os
from typing import Any

import click

from langop_model.commands import options
from langop_model.outcome import Outcome
from langop_model.renderer.findings import error
from langop_model.renderer.settings import Settings


@click.command("diff")
@click.argument("old")
@click.argument("new")
@options.style
def command(old: str, new: str, style: str) -> None:
    """Say what changes in behaviour from OLD to NEW: two specifications, or two rendered configurations."""
    outcome = Outcome(style)
    with outcome.collecting():
        from langop_model.renderer.comparison import compare

        before, after = (_configuration(source) for source in (old, new))
        for change in compare(before, after):
            click.echo(str(change))
    outcome.exit()


def _configuration(name: str) -> dict[str, Any]:
    """Return the configuration that `name` is, or that it becomes."""
    from langop_model.renderer import manifest, rendering, source

    settings = Settings.from_environment(os.environ)
    if os.path.isdir(name):  # noqa: PTH112
        return rendering.render_gateway([name], settings).config
    documents = source.read(name)
    if any(manifest.is_litellm_configuration(document.value) for document in documents):
        if len(documents) > 1:
            raise error("LM021", file=documents[0].name, count=len(documents))
        configuration: dict[str, Any] = documents[0].value
        return configuration
    resources = manifest.collect(name, documents, settings).resources
    return rendering.render(resources, settings, gateway=len(resources) > 1).config
