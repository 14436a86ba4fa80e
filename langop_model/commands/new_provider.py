"""`new-provider`: a row of the catalogue with its example and its tests."""

from __future__ import annotations

import sys

import click


@click.command("new-provider")
@click.argument("name")
@click.option("--title", help="What people call it; the name if not given.")
@click.option("--link", default="https://docs.litellm.ai/docs/providers", show_default=True, help="Its documentation.")
@click.option("--address", required=True, help="Where its API is, up to and including /v1.")
@click.option("--key", default="Authorization: Bearer KEY", show_default=True, help="The header with its key.")
def command(name: str, title: str | None, link: str, address: str, key: str) -> None:
    """Add a provider to this checkout: a row of the catalogue, an example, and their tests, which are run."""
    try:
        from tools import new_provider as checkout
    except ModuleNotFoundError:
        raise click.UsageError("this command works in a checkout, where tools/ is") from None
    try:
        files = checkout.create(name, title or name, link, address, key)
    except ValueError as problem:
        raise click.UsageError(str(problem)) from None
    made = ["docs/providers.md", "schema/languagemodel.schema.json", f"tests/golden/{name}.config.yaml"]
    click.echo(f"written: {', '.join(files)}; from these: {', '.join(made)}")
    code = checkout.prove(name)
    if not code:
        click.echo(f"{name} answers on the wire. Read tests/golden/{name}.config.yaml: it is what an operator gets.")
        click.echo("Does it serve more than chat? Say so in its row (routes). Then: make test")
    sys.exit(code)
