"""The command: `python render.py COMMAND`. The one place that prints and exits.

Exit codes: 0 done, 1 the specification is wrong or asks for what can't be, 2 wrong usage; `launch` has its own.
Standard output carries only the result.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from langop_model import __version__, report
from langop_model.renderer.findings import Finding, SpecError, dotted
from langop_model.renderer.settings import Settings

if TYPE_CHECKING:
    from langop_model.renderer.rendering import Rendering

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
@click.option("-o", "--output", type=click.Path(path_type=Path), help="Write to this file, or into this folder, one file "
              "for each model.")  # fmt: skip
@_gateway
@_style
@_strict
@_ignore
def render(
    sources: tuple[str, ...], output: Path | None, gateway: bool, style: str, strict: bool, ignored: frozenset[str]
) -> None:
    """Write the configuration of each SOURCE."""
    outcome = _Outcome(style, strict)
    written: set[Path] = set()
    for index, rendering in enumerate(_renderings(_given(sources), gateway, outcome, ignored)):
        if output is None:
            _write_result(("---\n" if index else "") + rendering.text)
            continue
        target = output / f"{rendering.name}.yaml" if os.path.isdir(output) else output  # noqa: PTH112
        if target in written:
            raise click.UsageError(f"{target} would be written twice: name a folder, use --gateway, or rename a model")
        with outcome.collecting():
            from langop_model.renderer.output import write

            write(target, rendering.text)
        written.add(target)
    outcome.exit()


@main.command()
@_sources
@_gateway
@_style
@_strict
@_ignore
def validate(sources: tuple[str, ...], gateway: bool, style: str, strict: bool, ignored: frozenset[str]) -> None:
    """Check each SOURCE, and write nothing but findings."""
    outcome = _Outcome(style, strict)
    for _ in _renderings(_given(sources), gateway, outcome, ignored):
        pass
    outcome.exit()


@main.command()
@click.argument("source")
@_style
@_ignore
def explain(source: str, style: str, ignored: frozenset[str]) -> None:
    """Say for each field of SOURCE what it became, where, and how faithfully."""
    outcome = _Outcome(style)
    with outcome.collecting():
        from langop_model.renderer import explanation, lint, manifest

        settings = replace(Settings.from_environment(os.environ), ignored=ignored)
        read = manifest.read(source, settings)
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
    outcome = _Outcome(style)
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


@main.command()
@click.option("--port", default=4000, show_default=True, help="Where LiteLLM listens.")
@click.option("--host", default="0.0.0.0", show_default=True)  # noqa: S104 - a container's port is its door
def launch(port: int, host: str) -> None:
    """Render what is mounted, load the secrets, and become LiteLLM: what the container runs.

    Exit codes: 0 every answer was finished after SIGTERM, 78 it can't serve (also in /dev/termination-log), 128 + n ended by
    signal n.
    """
    from langop_model.launch import command, termination_log

    outcome = _Outcome("text")
    try:
        code = command.launch(os.environ, host, port, outcome.add)
    except SpecError as problem:
        outcome.add(problem.findings)
        termination_log.write(os.environ, problem.findings)
        code = CANNOT_SERVE
    sys.exit(code)


class _Outcome:
    """Prints findings as they come, and knows the exit code."""

    def __init__(self, style: str, strict: bool = False) -> None:
        self.style = style
        self.failing = {"error", "warning"} if strict else {"error"}
        self.failed = False

    def add(self, findings: Iterable[Finding]) -> None:
        found = list(findings)
        self.failed |= any(finding.level in self.failing for finding in found)
        report.print_findings(found, self.style)

    def collecting(self) -> _Collecting:
        return _Collecting(self)

    def exit(self) -> None:
        if self.failed:
            sys.exit(1)


class _Collecting:
    """Turns a SpecError into printed findings and lets the next source have its turn."""

    def __init__(self, outcome: _Outcome) -> None:
        self.outcome = outcome

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, problem: object, trace: object) -> bool:
        if isinstance(problem, SpecError):
            self.outcome.add(problem.findings)
            return True
        return False


def _given(sources: tuple[str, ...]) -> list[str]:
    if not sources and (sys.stdin is None or sys.stdin.isatty()):
        raise click.UsageError("name a SOURCE: a file, a folder, or - for standard input")
    return list(sources) or ["-"]


def _renderings(sources: list[str], gateway: bool, outcome: _Outcome, ignored: frozenset[str]) -> Iterator[Rendering]:
    """Yield the renderings of the right sources one by one, so that memory does not grow with their number."""
    from langop_model.renderer import rendering
    from langop_model.renderer.source import expand

    settings = replace(Settings.from_environment(os.environ), ignored=ignored)
    if gateway:
        with outcome.collecting():
            result = rendering.render_gateway(sources, settings)
            outcome.add(result.findings)
            yield result
        return
    for source in sources:
        with outcome.collecting():
            for name in expand([source]):
                with outcome.collecting():
                    for result in rendering.render_file(name, settings):
                        outcome.add(result.findings)
                        yield result


def _write_result(text: str) -> None:
    """Write to standard output in UTF-8, which LiteLLM reads, whatever the terminal speaks."""
    sys.stdout.buffer.write(text.encode("utf-8"))
    sys.stdout.buffer.flush()


def _configuration(name: str) -> dict[str, Any]:
    """Return the configuration that `name` is, or that it becomes."""
    from langop_model.renderer import manifest, rendering, source

    settings = Settings.from_environment(os.environ)
    if os.path.isdir(name):  # noqa: PTH112
        return rendering.render_gateway([name], settings).config
    documents = source.read(name)
    value = documents[0].value
    if isinstance(value, dict) and "model_list" in value:
        return value
    resources = manifest.collect(name, documents, settings).resources
    return rendering.render(resources, settings, gateway=len(resources) > 1).config


def _print_explanation(row: Any) -> None:
    click.echo(f"{dotted(row.path)}: {row.value}")
    places = [change.place for change in row.changes]
    more = f" and {len(places) - 3} more" if len(places) > 3 else ""
    click.echo(f"    {row.fidelity}" + (f": {', '.join(places[:3])}{more}" if places else ""))
    for finding in row.findings:
        click.echo(f"    {finding.code}: {finding.message}")
