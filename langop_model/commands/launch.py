"""`launch`: what the container runs."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import click

from langop_model.renderer.findings import Finding, SpecError, make

Say = Callable[[Iterable[Finding]], None]

CANNOT_SERVE = 78  # EX_CONFIG of sysexits.h


class LoggingCommand(click.Command):
    """A command whose wrong usage is a line of the log too, where a program reads it."""

    def make_context(
        self, info_name: str | None, args: list[str], parent: click.Context | None = None, **extra: Any
    ) -> click.Context:
        """Read the arguments. A wrong one ends the program with 2, or raises click's UsageError where a person reads."""
        from langop_model.launch import messages

        try:
            return super().make_context(info_name, args, parent, **extra)
        except click.UsageError as problem:
            with contextlib.suppress(SpecError):  # a format that does not exist is not what the person asks about
                messages.configure(os.environ)
            if not messages.is_json():
                raise
            usage = problem.ctx.get_usage() if problem.ctx is not None else ""
            messages.wrong_usage(f"{problem.format_message()} {usage}".rstrip())
            sys.exit(problem.exit_code)


@click.command("launch", cls=LoggingCommand, context_settings={"ignore_unknown_options": True})
@click.option("--port", default=4000, show_default=True, help="Where the gateway listens.")
@click.option("--host", default="0.0.0.0", show_default=True)  # noqa: S104 - a container is reached from outside
@click.option("--config", "-c", help="Where the rendered configuration is written, if it can be; else LANGOP_CONFIG_PATH says.")
@click.option("--num_workers", type=click.IntRange(1, 64), help="Processes that serve; else LANGOP_WORKERS says.")
@click.argument("others", nargs=-1, type=click.UNPROCESSED, metavar="[litellm]")
def command(port: int, host: str, config: str | None, num_workers: int | None, others: tuple[str, ...]) -> None:
    """Render what is mounted, load the secrets, and start the gateway: what the container runs.

    The word litellm before the options, with which LiteLLM's own image is started, changes nothing.

    Exit codes: 0 every answer was finished after SIGTERM, 78 it can't serve (also in /dev/termination-log), 128 + n ended by
    signal n.
    """
    from langop_model.launch import command, litellm_command, messages

    say: Say = messages.say
    try:
        messages.configure(os.environ)
        environment = litellm_command.environment_of(os.environ, others, config, num_workers)
        code = command.launch(environment, host, port, say)
    except SpecError as problem:
        code = _cannot_serve(say, problem.findings)
    except Exception as defect:  # noqa: BLE001 - a container that ends must say why, where Kubernetes looks for it
        code = _cannot_serve(say, [make("LM737", reason=_trace(defect))])
    sys.exit(code)


def _cannot_serve(say: Say, found: Sequence[Finding]) -> int:
    from langop_model.launch import termination_log

    say(found)
    termination_log.write(os.environ, found)
    return CANNOT_SERVE


def _trace(defect: Exception) -> str:
    """Print the way to what failed, and return what and where: without the exception's message, which may repeat a key."""
    import traceback

    from langop_model.launch import messages

    messages.trace("".join(traceback.format_tb(defect.__traceback__)))
    *_, last = traceback.extract_tb(defect.__traceback__)
    return f"{type(defect).__name__} in {Path(last.filename).name}, line {last.lineno}"
