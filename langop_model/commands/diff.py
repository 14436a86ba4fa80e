"""`diff`: what changes in behaviour between two specifications, folders, configurations or revisions."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from langop_model.commands import options
from langop_model.outcome import Outcome
from langop_model.renderer.settings import Settings

if TYPE_CHECKING:  # imported where they are used: --help needs neither
    from langop_model.presentation.difference import Entry
    from langop_model.sides import Configuration

DIFFERENT, TROUBLE, BREAKING = 1, 2, 3  # with --exit-code; 2 is that of diff(1)


@click.command("diff")
@click.argument("sides", nargs=-1, metavar="OLD NEW | REVISION..REVISION PATH...")
@click.option("--format", "style", type=click.Choice(["text", "json", "markdown"]), default="text", show_default=True,
              help="How differences are written on standard output. Findings go to standard error.")  # fmt: skip
@click.option("--exit-code", is_flag=True, help="End with 0 if nothing differs, 1 if something does, 3 if it breaks clients, "
              "2 if a side can't be read.")  # fmt: skip
@click.option("--all", "everything", is_flag=True, help="Name all models that have a difference in common.")
@options.gateway
def command(sides: tuple[str, ...], style: str, exit_code: bool, everything: bool, gateway: bool) -> None:
    """Say what changes in behaviour from OLD to NEW.

    Each is a file, a folder, - for standard input, or a rendered configuration; or REVISION:PATH, which is what git has there.
    REVISION..REVISION compares PATHs in two revisions, REVISION...REVISION the second one with where it left the first. A
    revision of this project is rendered by its own code and templates: so a changed template is read as what it changes for
    each specification.

    A difference breaks clients (requests that were answered fail), changes behaviour, or is cosmetic (names in metrics).
    """
    from langop_model.presentation import difference

    outcome = Outcome("json" if style == "json" else "text")
    found = entries(sides, gateway, outcome)
    if found or not outcome.failed:
        written = {
            "text": lambda: difference.as_text(found, everything=everything),
            "markdown": lambda: difference.as_markdown(found, everything=everything),
            "json": lambda: difference.as_json(found),
        }
        with outcome.collecting():
            options.write_result(written[style]())
    if exit_code:
        sys.exit(_code(outcome, [entry.difference.severity for entry in found]))
    outcome.exit()


def _code(outcome: Outcome, severities: Sequence[str]) -> int:
    if outcome.failed:
        return TROUBLE
    return BREAKING if "breaks" in severities else DIFFERENT if severities else 0


def entries(given: tuple[str, ...], gateway: bool, outcome: Outcome) -> list[Entry]:
    """Return every difference; what is wrong with a side goes to `outcome`. Raises UsageError."""
    from langop_model.presentation.difference import Entry
    from langop_model.renderer import configuration_models
    from langop_model.sides import differences, pairs

    old, new = _sides(given, gateway, outcome)
    found = []
    for one, other in pairs(old, new) if not outcome.failed else ():
        names = [configuration_models.only_resource(side.config) for side in (one, other) if side is not None]
        name = next(side.name or side.file for side in (other, one) if side is not None)
        alone = names[-1] if all(names) else ""
        found += [Entry(name, each, alone) for each in differences(one, other)]
    return found


def _sides(given: tuple[str, ...], gateway: bool, outcome: Outcome) -> tuple[list[Configuration], list[Configuration]]:
    from langop_model import revisions

    settings = Settings.from_environment(os.environ)
    try:
        revised = revisions.of_range(given[0]) if given else None
        if revised is not None:
            paths = [revisions.inside(path) for path in given[1:]]
            if not paths:
                raise click.UsageError(f"name what to render in {given[0]}: diff {given[0]} PATH...")
            revisions.require(revised, paths)
            old, new = (revisions.read(each, paths, settings, outcome, gateway=gateway) for each in revised)
            if not old and not new and not outcome.failed:
                raise click.UsageError(f"{', '.join(paths)}: no LanguageModel in {revised[0]}, and none in {revised[1]}")
            return old, new
        if len(given) != 2:
            raise click.UsageError("name two sides: diff OLD NEW, or diff REVISION..REVISION PATH...")
        return _two(given, settings, outcome, gateway=gateway)
    except revisions.RevisionError as problem:
        raise click.UsageError(str(problem)) from None


def _two(
    given: tuple[str, ...], settings: Settings, outcome: Outcome, *, gateway: bool
) -> tuple[list[Configuration], list[Configuration]]:
    from langop_model import revisions
    from langop_model.sides import Side

    objects = [revisions.of_object(name) for name in given]
    plain = [Side(name) for name, found in zip(given, objects, strict=True) if found is None]
    # One configuration holds all models of a gateway: so must what it is compared with.
    gateway = gateway or any(side.is_configuration for side in plain)
    result = []
    for found in objects:
        if found is None:
            result.append(plain.pop(0).configurations(settings, outcome, gateway=gateway))
        else:
            revisions.require([found[0]], [found[1]])
            result.append(revisions.read(found[0], [found[1]], settings, outcome, gateway=gateway))
    return result[0], result[1]
