"""`schema`: the files that other programs check with."""

from __future__ import annotations

import click

_NAMES = ("input", "output", "findings", "explanation", "difference", "crd")


@click.command("schema")
@click.argument("which", type=click.Choice(_NAMES), default="input")
@click.option("--strict", is_flag=True, help="Of the input: with all rules that render applies, for editors.")
def command(which: str, strict: bool) -> None:
    """Print a schema: of the input (a LanguageModel), of the output (a LiteLLM configuration), or all findings.

    explanation and difference are what explain and diff write with --format json; crd is the CustomResourceDefinition.
    """
    from langop_model.schemas import printed

    if strict and which != "input":
        raise click.UsageError("--strict is for the input: langop-model schema input --strict")
    click.echo(printed.text(which, strict=strict), nl=False)
