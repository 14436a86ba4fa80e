"""`explain`: the effective model, field by field."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Collection
from dataclasses import replace
from typing import TYPE_CHECKING

import click

from langop_model.commands import options
from langop_model.outcome import Outcome
from langop_model.renderer.settings import Settings

if TYPE_CHECKING:  # imported where they are used: --help needs neither
    from langop_model.renderer.effective import Effective
    from langop_model.renderer.findings import Finding


@click.command("explain")
@click.argument("sources", nargs=-1, required=True, metavar="SOURCE...")
@click.option("--format", "style", type=click.Choice(["text", "json", "markdown", "html"]), default="text", show_default=True,
              help="How the explanation is written on standard output; html is one page that needs nothing else.")  # fmt: skip
@click.option("--field", "only", metavar="FIELD", default="", help="Explain one field, such as spec.rateLimits.")
@click.option("--all", "everything", is_flag=True, help="Name every place of the configuration where a field shows.")
@options.gateway
@options.ignore
def command(sources: tuple[str, ...], style: str, only: str, everything: bool, gateway: bool, ignored: frozenset[str]) -> None:
    """Say for each field of SOURCE which value counts, where it comes from, what it does, and how faithfully.

    A value is written, meant by a parameter, from LANGOP_GATEWAY_EXTRA_CONFIG, the resource's default or this project's. It is
    kept exactly, approximately, not at all (unsupported), or elsewhere, by another component. With --format html and two
    SOURCEs the page also says what changes from the first to the second.
    """
    from langop_model.presentation import explanation

    _check(only)
    settings = Settings.from_environment(os.environ)
    outcome = Outcome("json" if style == "json" else "text", ignored=ignored)
    found = [model for source in sources for model in _explained(source, settings, outcome, gateway=gateway, only=only)]
    models = [_without(ignored, model) for model in found]
    if only and models and not any(model.fields for model in models):
        raise click.BadParameter(f"no LanguageModel of {', '.join(sources)} has {only}", param_hint="--field")
    if models:
        written = {
            "text": lambda: explanation.as_text(models, everything=everything, width=_width()),
            "markdown": lambda: explanation.as_markdown(models, everything=everything),
            "json": lambda: explanation.as_json(models),
            "html": lambda: _page(sources, models, outcome, gateway=gateway),
        }
        with outcome.collecting():
            options.write_result(written[style]())
    outcome.exit()


def _check(only: str) -> None:
    """Raise BadParameter for a field that does not exist."""
    if not only:
        return
    import re

    from langop_model.renderer import effective
    from langop_model.renderer.wording import did_you_mean

    known = list(effective.fields())
    pattern = re.sub(r"\[\d+\]", "[]", only.removeprefix("spec."))
    if not any(each == pattern or (each.endswith(".*") and pattern.startswith(each[:-1])) for each in known):
        raise click.BadParameter(f"there is no field {only}.{did_you_mean(pattern, known)}", param_hint="--field")


def _explained(source: str, settings: Settings, outcome: Outcome, *, gateway: bool, only: str) -> list[Effective]:
    """Return the effective models of a source; what is wrong with it goes to `outcome`."""
    from langop_model.renderer import effective, lint, manifest

    with outcome.collecting():
        read = manifest.read_all(source, settings)
        outcome.add([*read.findings, *lint.check_file(read.resources)])
        return effective.explain(read.resources, settings, gateway=gateway, only=only)
    return []


def _without(ignored: Collection[str], model: Effective) -> Effective:
    """Return a model that says nothing of the findings `ignored`. How faithfully a field is kept stays true."""

    def kept(found: tuple[Finding, ...]) -> tuple[Finding, ...]:
        return tuple(finding for finding in found if finding.code not in ignored)

    fields = tuple(replace(field, findings=kept(field.findings)) for field in model.fields)
    return replace(model, fields=fields, findings=kept(model.findings))


def _page(sources: tuple[str, ...], models: list[Effective], outcome: Outcome, *, gateway: bool) -> str:
    from langop_model.commands.diff import entries
    from langop_model.presentation import page

    differences = entries(sources, gateway, outcome) if len(sources) == 2 else None
    return page.draw(models, differences)


def _width() -> int:
    """Return the columns of the terminal; 0 where standard output is none."""
    return shutil.get_terminal_size().columns if sys.stdout is not None and sys.stdout.isatty() else 0
