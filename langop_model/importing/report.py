"""The report of an import, in Markdown: what behaves differently, what is left to do, and every key."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby

from langop_model.importing.result import CONFIG_MAP, Imported
from langop_model.presentation.plain import cell
from langop_model.renderer.findings import Finding, dotted

_KINDS = {
    "LM801": "exact", "LM802": "approximate", "LM803": "by hand", "LM804": "unsupported", "LM805": "by hand",
    "LM806": "by hand", "LM808": "unsupported", "LM810": "approximate",
}  # fmt: skip
KINDS = ("exact", "approximate", "by hand", "unsupported")


def text(imported: Imported, name: str) -> str:
    """Return the report of the configuration `name`."""
    kinds = {kind: [each for each in imported.findings if _KINDS.get(each.code) == kind] for kind in KINDS}
    defaults = [each for each in imported.findings if each.code == "LM807"]
    counts = ", ".join(f"{len(found)} {kind}" for kind, found in kinds.items())
    lines = [f"# Import of {name}", "", f"{len(imported.models)} LanguageModels. Keys: {counts}.", ""]
    lines += _section("What will behave differently", [*kinds["approximate"], *kinds["unsupported"], *defaults])
    lines += _to_do(imported, [each for each in kinds["by hand"] if each.code == "LM803"])
    lines += ["## LanguageModels", "", "| LanguageModel | serves | clients call it |", "|---|---|---|"]
    for made in imported.models:
        spec = made.spec
        names = dict.fromkeys([spec["modelName"], made.name, *spec.get("aliases", [])])
        called = f"{made.name}/MODEL" if spec["modelName"] == "*" else ", ".join(names)
        lines.append(f"| {cell(made.name)} | {cell(spec['provider'])} {cell(spec['modelName'])} | {cell(called)} |")
    lines += ["", "## Every key", "", "| line | key | |", "|---|---|---|"]
    for finding in (each for each in imported.findings if each.code in _KINDS):
        lines.append(
            f"| {finding.line} | `{cell(dotted(finding.path))}` | {_KINDS[finding.code]}: {cell(_without_key(finding))} |"
        )
    return "\n".join([*lines, ""])


def _section(title: str, found: list[Finding]) -> list[str]:
    return [f"## {title}", "", *(f"- {_sentence(each)}" for each in found), ""] if found else []


def _to_do(imported: Imported, by_hand: list[Finding]) -> list[str]:
    steps = [f"- {_sentence(each)}" for each in by_hand]
    commands = list(_commands(imported))
    if imported.remaining:
        steps.append(f"- set LANGOP_GATEWAY_EXTRA_CONFIG of the gateway from the ConfigMap {CONFIG_MAP}")
    if not steps and not commands:
        return []
    made = ["", "Secrets to create:", "", "```bash", *commands, "```"] if commands else []
    return ["## What is left to do", "", *steps, *made, ""]


def _commands(imported: Imported) -> Iterator[str]:
    """Yield a command for each Secret: with the variable that LiteLLM read, or a place for the key that was written out."""
    for name, keys in groupby(imported.secrets, key=lambda each: each.secret):
        parts = [f"--from-literal={each.key}=" + (f'"${each.variable}"' if each.variable else "KEY") for each in keys]
        yield f"kubectl create secret generic {name} {' '.join(parts)}"


def _sentence(finding: Finding) -> str:
    place = f"line {finding.line}: " if finding.path else ""
    fix = f". {finding.fix[0].upper()}{finding.fix[1:]}" if finding.fix else ""
    return cell(f"{place}{finding.message}{fix}.")


def _without_key(finding: Finding) -> str:
    return finding.message.removeprefix(dotted(finding.path)).lstrip(": ")
