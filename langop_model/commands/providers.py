"""`providers`: the catalogue in words."""

from __future__ import annotations

import click


@click.command("providers")
def command() -> None:
    """List the providers: their names, what each needs, and what it serves."""
    from langop_model.renderer import catalogue

    for provider in catalogue.usable():
        lines = [
            provider.title,
            f"needs: {provider.needs}",
            f"serves: {', '.join(provider.all_routes)}",
            provider.remarks,
            provider.link,
        ]
        click.echo("\n".join(f"{name:<26}{line}" for name, line in zip([provider.name, *[""] * 4], lines, strict=True) if line))
