"""The command: `python render.py COMMAND`. The one place that prints results.

Exit codes: 0 done, 1 the specification is wrong or requests something unsupported, 2 wrong usage; `launch` has its own.
Standard output carries only the result.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from langop_model import __version__, report
from langop_model.outcome import Outcome
from langop_model.renderer.findings import Finding, SpecError, dotted, error, make
from langop_model.renderer.settings import Settings
from langop_model.sources import Work

Say = Callable[[Iterable[Finding]], None]

CANNOT_SERVE = 78  # EX_CONFIG of sysexits.h

_sources = click.argument("sources", nargs=-1, metavar="[SOURCE]...")
_style = click.option("--format", "style", type=click.Choice(sorted(report.STYLES)), default="text", show_default=True,
                      help="How findings are written on standard error.")  # fmt: skip
_strict = click.option("--strict", is_flag=True, help="Count warnings as errors.")
_gateway = click.option("--gateway", is_flag=True, help="All sources together become one configuration.")


def _lint_rules(_: click.Context, __: click.Parameter, codes: tuple[str, ...]) -> frozenset[str]:
    """Return the codes to ignore. Only lint can be: what is dropped or approximate is always said."""
    if codes:
        from langop_model.renderer.findings import lint_codes

        for code in codes:
            if code not in lint_codes():
                raise click.BadParameter(f"{code} is not the code of a lint rule: {', '.join(sorted(lint_codes()))}")
    return frozenset(codes)


_ignore = click.option("--ignore", "ignored", multiple=True, metavar="LM6xx", callback=_lint_rules,
                       help="Switch a lint rule off; may be given several times.")  # fmt: skip


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, package_name="langop-model")
def main() -> None:
    """Turn LanguageModels into LiteLLM configurations.

    SOURCE is a file, a folder of files, or - for standard input: YAML or JSON, a manifest (also several in one file, a List,
    or a ConfigMap with model.json) or a bare spec.
    """


@main.command()
@_sources
@click.option("-o", "--output", type=click.Path(), help="Write to this file; or into this folder, one file for each model, "
              "where it is one, ends with /, or there are several.")  # fmt: skip
@_gateway
@_style
@_strict
@_ignore
def render(
    sources: tuple[str, ...], output: str | None, gateway: bool, style: str, strict: bool, ignored: frozenset[str]
) -> None:
    """Write the configuration of each SOURCE."""
    outcome = Outcome(style, strict)
    work = Work(_given(sources), gateway, outcome, ignored)
    if output is None:
        for index, rendering in enumerate(work.renderings()):
            with outcome.collecting():
                _write_result(("---\n" if index else "") + rendering.text)
    else:
        from langop_model.renderer.output import Destination

        try:
            destination = Destination.settle(output, work.names())
        except ValueError as problem:
            raise click.UsageError(str(problem)) from None
        for rendering in work.renderings():
            with outcome.collecting():
                destination.write(rendering.name, rendering.text)
    outcome.exit()


@main.command()
@_sources
@_gateway
@_style
@_strict
@_ignore
def validate(sources: tuple[str, ...], gateway: bool, style: str, strict: bool, ignored: frozenset[str]) -> None:
    """Check each SOURCE, and write nothing but findings."""
    outcome = Outcome(style, strict)
    for _ in Work(_given(sources), gateway, outcome, ignored).renderings():
        pass
    outcome.exit()


@main.command()
@click.argument("source")
@_style
@_ignore
def explain(source: str, style: str, ignored: frozenset[str]) -> None:
    """Say for each field of SOURCE what it became, where, and how faithfully."""
    outcome = Outcome(style)
    with outcome.collecting():
        from langop_model.renderer import explanation, lint, manifest

        settings = replace(Settings.from_environment(os.environ), ignored=ignored)
        read = manifest.read_all(source, settings)
        outcome.add([*read.findings, *lint.check_file(read.resources, ignored)])
        for resource in read.resources:
            for row in explanation.explain(resource, settings):
                _print_explanation(row)
    outcome.exit()


@main.command()
@click.argument("old")
@click.argument("new")
@_style
def diff(old: str, new: str, style: str) -> None:
    """Say what changes in behaviour from OLD to NEW: two specifications, or two rendered configurations."""
    outcome = Outcome(style)
    with outcome.collecting():
        from langop_model.renderer.comparison import compare

        before, after = (_configuration(source) for source in (old, new))
        for change in compare(before, after):
            click.echo(str(change))
    outcome.exit()


@main.command()
def providers() -> None:
    """List the providers: their names, what each needs, and what it serves."""
    from langop_model.renderer import catalogue

    for provider in catalogue.usable():
        lines = [
            provider.title,
            f"needs: {provider.needs}",
            f"serves: {', '.join(provider.routes)}",
            provider.remarks,
            provider.link,
        ]
        click.echo("\n".join(f"{name:<26}{line}" for name, line in zip([provider.name, *[""] * 4], lines, strict=True) if line))


@main.command("new-provider")
@click.argument("name")
@click.option("--title", help="What people call it; the name if not given.")
@click.option("--link", default="https://docs.litellm.ai/docs/providers", show_default=True, help="Its documentation.")
@click.option("--address", required=True, help="Where its API is, up to and including /v1.")
@click.option("--key", default="Authorization: Bearer KEY", show_default=True, help="The header with its key.")
def new_provider(name: str, title: str | None, link: str, address: str, key: str) -> None:
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


@main.command()
@click.argument("which", type=click.Choice(["input", "output", "findings"]), default="input")
def schema(which: str) -> None:
    """Print a schema: of the input (a LanguageModel), of the output (a LiteLLM configuration), or all findings."""
    from langop_model.resources import folder

    names = {"input": "languagemodel.schema.json", "output": "litellm-config.schema.json", "findings": "findings.json"}
    click.echo((folder("schema") / names[which]).read_text(encoding="utf-8"), nl=False)


@main.command(context_settings={"ignore_unknown_options": True})
@click.option("--port", default=4000, show_default=True, help="Where the gateway listens.")
@click.option("--host", default="0.0.0.0", show_default=True)  # noqa: S104 - a container's port is its door
@click.option("--config", "-c", help="Where the rendered configuration is written, if it can be; else LANGOP_CONFIG_PATH says.")
@click.option("--num_workers", type=click.IntRange(1, 64), help="Processes that serve; else LANGOP_WORKERS says.")
@click.argument("others", nargs=-1, type=click.UNPROCESSED, metavar="[litellm]")
def launch(port: int, host: str, config: str | None, num_workers: int | None, others: tuple[str, ...]) -> None:
    """Render what is mounted, load the secrets, and start the gateway: what the container runs.

    The word litellm before the options, with which LiteLLM's own image is started, changes nothing.

    Exit codes: 0 every answer was finished after SIGTERM, 78 it can't serve (also in /dev/termination-log), 128 + n ended by
    signal n.
    """
    from langop_model.launch import command, litellm_command, messages

    say: Say = report.print_findings
    try:
        say = messages.configure(os.environ)
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


def _given(sources: tuple[str, ...]) -> list[str]:
    if not sources and (sys.stdin is None or sys.stdin.isatty()):
        raise click.UsageError("name a SOURCE: a file, a folder, or - for standard input")
    return list(sources) or ["-"]


def _write_result(text: str) -> None:
    """Write to standard output in UTF-8, which LiteLLM reads, whatever the terminal speaks. Raises SpecError (LM015)."""
    try:
        if sys.stdout is None:
            raise OSError("it is closed")
        sys.stdout.buffer.write(text.encode("utf-8"))
        sys.stdout.buffer.flush()
    except BrokenPipeError:
        raise  # nobody reads on: click ends quietly
    except OSError as problem:
        raise error("LM015", file="<stdout>", reason=problem.strerror or str(problem)) from None


def _configuration(name: str) -> dict[str, Any]:
    """Return the configuration that `name` is, or that it becomes."""
    from langop_model.renderer import manifest, rendering, source

    settings = Settings.from_environment(os.environ)
    if os.path.isdir(name):  # noqa: PTH112
        return rendering.render_gateway([name], settings).config
    documents = source.read(name)
    if any(manifest.is_litellm_configuration(document.value) for document in documents):
        if len(documents) > 1:
            raise error("LM021", file=documents[0].name, count=len(documents))
        configuration: dict[str, Any] = documents[0].value
        return configuration
    resources = manifest.collect(name, documents, settings).resources
    return rendering.render(resources, settings, gateway=len(resources) > 1).config


def _print_explanation(row: Any) -> None:
    click.echo(f"{dotted(row.path)}: {row.value}")
    places = [change.place for change in row.changes]
    more = f" and {len(places) - 3} more" if len(places) > 3 else ""
    click.echo(f"    {row.fidelity}" + (f": {', '.join(places[:3])}{more}" if places else ""))
    for finding in row.findings:
        click.echo(f"    {finding.code}: {finding.message}")
