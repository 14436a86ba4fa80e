"""`make command-help`: docs/commands.md, what `--help` of each command says."""

from __future__ import annotations

from pathlib import Path

import click

from langop_model import overview
from langop_model.cli import main
from langop_model.commands import COMMANDS
from tools import generated
from tools.generated import Section

WIDTH = 100


def text() -> str:
    """Return the help of the program, and of each command, in Markdown."""
    settings = {**main.context_settings, "terminal_width": WIDTH, "max_content_width": WIDTH}
    context = click.Context(main, info_name="langop-model", **settings)
    parts = [_block("langop-model", overview.text("langop-model", WIDTH))]
    for name in COMMANDS:
        command = main.get_command(context, name)
        if command is not None:
            inner = click.Context(command, info_name=name, parent=context)
            parts.append(_block(name, command.get_help(inner)))
    return "\n\n".join(parts)


def _block(title: str, help_text: str) -> str:
    lines = "\n".join(line.rstrip() for line in help_text.splitlines())
    return f"### {title}\n\n```text\n{lines}\n```"


SECTION = Section(Path("docs/commands.md"), "command-help", "help of the commands", text)

if __name__ == "__main__":
    generated.main(SECTION)
