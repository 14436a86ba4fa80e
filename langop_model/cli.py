"""The command: `python render.py COMMAND`. Each command is a module of langop_model/commands, imported when it is asked for.

Exit codes: 0 done, 1 the specification is wrong or requests something unsupported, 2 wrong usage; `launch` has its own.
Standard output carries only the result.
"""

from __future__ import annotations

from importlib import import_module
from keyword import iskeyword

import click

from langop_model import __version__

# A command, and how its help begins: importing all commands to list them would take longer than reading the list.
COMMANDS = {
    "render": "Write the configuration of each SOURCE",
    "validate": "Check each SOURCE, and write nothing but findings",
    "explain": "Say for each field of SOURCE which value counts, where it comes from, what it does, and how faithfully",
    "diff": "Say what changes in behaviour from OLD to NEW",
    "import": "Turn CONFIG, an existing config.yaml of LiteLLM, into LanguageModels",
    "providers": "List the providers: their names, what each needs, and what it serves",
    "new-provider": "Add a provider to this checkout",
    "schema": "Print a schema",
    "launch": "Render what is mounted, load the secrets, and start the gateway",
}


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

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        """Write the table of commands without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, f"{text}.") for name, text in COMMANDS.items()])


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, package_name="langop-model")
def main() -> None:
    """Turn LanguageModels into LiteLLM configurations.

    SOURCE is a file, a folder of files, or - for standard input: YAML or JSON, a manifest (also several in one file, a List,
    or a ConfigMap with model.json) or a bare spec.
    """
