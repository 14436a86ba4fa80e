"""`import`: an existing configuration of LiteLLM becomes LanguageModels."""

from __future__ import annotations

from pathlib import Path

import click

from langop_model.commands import options
from langop_model.outcome import Outcome


def _variables(_: click.Context, __: click.Parameter, given: tuple[str, ...]) -> dict[str, str]:
    variables = {}
    for each in given:
        name, equals, value = each.partition("=")
        if not equals or not name:
            raise click.BadParameter(f"{name} is no NAME=VALUE")
        variables[name] = value
    return variables


@click.command("import")
@click.argument("config")
@click.option("-o", "--output", type=click.Path(), help="Write to this file; or into this folder, one file for each "
              "manifest, where it is one, ends with /, or there are several.")  # fmt: skip
@click.option("--report", "report_to", type=click.Path(), help="Write a report to this file, in Markdown.")
@click.option("--variable", "variables", multiple=True, metavar="NAME=VALUE", callback=_variables,
              help="The value of a variable that CONFIG names, if it is no secret; may be given several times.")  # fmt: skip
@options.style
def command(config: str, output: str | None, report_to: str | None, variables: dict[str, str], style: str) -> None:
    """Turn CONFIG, an existing config.yaml of LiteLLM, into LanguageModels.

    A configuration of agentgateway is read too, if it has llm.models.
    There is a finding for each key: exact, approximate, by hand or unsupported. Secrets that are written out are not copied.
    """
    from langop_model.importing import report as reports
    from langop_model.importing import result
    from langop_model.renderer.atomic_write import Destination, write

    outcome = Outcome(style)
    with outcome.collecting():
        imported = result.read(config, variables)
        texts = imported.texts()
        outcome.add(imported.findings)
        if output is None:
            options.write_result("---\n".join(texts.values()))
        else:
            try:
                destination = Destination.settle(output, list(texts))
            except ValueError as problem:
                raise click.UsageError(str(problem)) from None
            outcome.add(problem for problem in destination.write(list(texts.items())) if problem is not None)
        if report_to:
            write(Path(report_to), reports.text(imported, "standard input" if config == "-" else Path(config).name))
    outcome.exit()
