"""`explain`: what each field became."""

from __future__ import annotations

import os
from dataclasses import replace
from typing import Any

import click

from langop_model.commands import options
from langop_model.outcome import Outcome
from langop_model.renderer.findings import dotted
from langop_model.renderer.settings import Settings


@click.command("explain")
@click.argument("source")
@options.style
@options.ignore
def command(source: str, style: str, ignored: frozenset[str]) -> None:
    """Say for each field of SOURCE what it became, where, and how faithfully."""
    outcome = Outcome(style)
    with outcome.collecting():
        from langop_model.renderer import explanation, lint, manifest

        settings = replace(Settings.from_environment(os.environ), ignored=ignored)
        read = manifest.read_all(source, settings)
        outcome.add([*read.findings, *lint.check_file(read.resources, ignored)])
        for resource in read.resources:
            for row in explanation.explain(resource, settings):
                _print_explanation(row)
    outcome.exit()


def _print_explanation(row: Any) -> None:
    click.echo(f"{dotted(row.path)}: {row.value}")
    places = [change.place for change in row.changes]
    more = f" and {len(places) - 3} more" if len(places) > 3 else ""
    click.echo(f"    {row.fidelity}" + (f": {', '.join(places[:3])}{more}" if places else ""))
    for finding in row.findings:
        click.echo(f"    {finding.code}: {finding.message}")
