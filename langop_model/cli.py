"""The command: `python render.py COMMAND`. Each command is a module of langop_model/commands, imported when it is asked for.

Exit codes: 0 done, 1 the specification is wrong or requests something unsupported, 2 wrong usage; `launch` has its own.
Standard output carries only the result.
"""

from __future__ import annotations

import sys
from importlib import import_module
from keyword import iskeyword
from pathlib import Path
from typing import NoReturn

import click

from langop_model import __version__, overview
from langop_model.commands import COMMANDS


class LazyGroup(click.Group):
    """A group whose commands are the functions `command` of modules, imported on demand."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        """Return the names in the order of the table: the usual ones first."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        """Return the command `cmd_name`, or None where there is none."""
        if cmd_name not in COMMANDS:
            return None
        name = cmd_name.replace("-", "_")
        module = import_module(f"langop_model.commands.{name}_" if iskeyword(name) else f"langop_model.commands.{name}")
        command: click.Command = module.command
        return command

    def resolve_command(self, ctx: click.Context, args: list[str]) -> tuple[str | None, click.Command | None, list[str]]:
        """Return the command that is asked for. Raises UsageError where there is none, which names one that is near."""
        name = args[0]
        if name not in COMMANDS and not ctx.resilient_parsing:
            from langop_model.renderer.wording import did_you_mean

            ctx.fail(f"No such command {name!r}.{did_you_mean(name, list(COMMANDS))}")
        return super().resolve_command(ctx, args)

    def get_help(self, ctx: click.Context) -> str:  # noqa: ARG002
        """Return the overview, which needs no command."""
        return overview.text().rstrip("\n")


def _print_version(context: click.Context, _: click.Parameter, wanted: bool) -> None:
    if wanted and not context.resilient_parsing:
        from langop_model.resources import litellm_version

        click.echo(f"langop-model {__version__} (LiteLLM {litellm_version()})")
        context.exit()


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": overview.WIDEST})
@click.option("--version", is_flag=True, is_eager=True, expose_value=False, callback=_print_version,
              help=overview.OPTIONS["--version"])  # fmt: skip
def main() -> None:
    """Turn LanguageModels into LiteLLM configurations: `overview` says the rest."""


def end_with_usage(name: str, problem: str) -> NoReturn:
    """End the program as a wrong usage of the command `name` ends, which click did not read: with 2."""
    parent = click.Context(main, info_name=Path(sys.argv[0]).name)
    command = main.get_command(parent, name)
    context = parent if command is None else click.Context(command, info_name=name, parent=parent)
    click.UsageError(problem, context).show()
    raise SystemExit(2)
