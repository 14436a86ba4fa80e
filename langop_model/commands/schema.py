"""`schema`: the files that other programs check with."""

from __future__ import annotations

import click


@click.command("schema")
@click.argument("which", type=click.Choice(["input", "output", "findings", "explanation", "difference"]), default="input")
def command(which: str) -> None:
    """Print a schema: of the input (a LanguageModel), of the output (a LiteLLM configuration), or all findings.

    explanation and difference are what explain and diff write with --format json.
    """
    from langop_model.resources import folder

    names = {
        "input": "languagemodel.schema.json",
        "output": "litellm-config.schema.json",
        "findings": "findings.json",
        "explanation": "explanation.schema.json",
        "difference": "difference.schema.json",
    }
    click.echo((folder("schema") / names[which]).read_text(encoding="utf-8"), nl=False)
