"""Effective models as text, Markdown and JSON: one line for each field."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from langop_model.presentation import mermaid
from langop_model.presentation.plain import markdown, printable
from langop_model.renderer import request_path
from langop_model.renderer.effective import Effective, Field
from langop_model.renderer.findings import Finding, dotted

_WIDEST_VALUE = 32  # characters of a value in a line; the sentence beside it says what it means
_NARROW_VALUE = 20  # the same on a terminal, where a line is cut


def value_in_words(value: Any) -> str:
    """Return a value on one line: a text as it is, anything else as JSON; a dash for none."""
    if value is None:
        return "-"
    return printable(value if isinstance(value, str) else json.dumps(value, ensure_ascii=False))


def as_text(models: Sequence[Effective], *, everything: bool = False, width: int = 0) -> str:
    """Return a table for each model. With `everything` each place has a line of its own; else there is one line for each field.

    `width` is that of the terminal, 0 for none. There lines are cut, and fields of one object are below its name, so that more
    of what they do is seen; elsewhere each line has the whole name, for grep.
    """
    return "\n".join(_model_as_text(model, everything=everything, width=width) for model in models)


def _model_as_text(model: Effective, *, everything: bool, width: int) -> str:
    title = f"{model.namespace}/{model.name}" + (f" ({model.file})" if model.file else "")
    rows = [_columns(each, narrow=bool(width)) for each in model.fields]
    header = ("FIELD", "VALUE", "FROM", "KEPT", "WHAT IT DOES")
    widths = [max(len(row[column]) for row in [header, *rows]) for column in range(4)]
    lines = [
        printable(title),
        *(f"  {printable(sentence)}" for sentence in model.summary),
        "",
        _cut(_line(header, widths), width),
    ]
    holder = ""
    for row, each in zip(rows, model.fields, strict=True):
        if width and _holder(each) != holder:
            holder = _holder(each)
            lines += [printable(holder)] if holder else []
        lines.append(_cut(_line(row, widths) + ("" if everything else _and_more(each.places)), width))
        lines += [f"    {printable(place)}" for place in each.places if everything]
    if model.findings:
        lines += ["", *(line for finding in model.findings for line in _finding_as_text(finding))]
    return "\n".join(lines) + "\n"


def _holder(each: Field) -> str:
    """Return the object that holds a field; empty for the spec itself."""
    return dotted(each.path[1:-1])


def _line(row: tuple[str, ...], widths: Sequence[int]) -> str:
    return "  ".join([*(f"{text:<{size}}" for text, size in zip(row, widths, strict=False)), row[4]])


def _columns(each: Field, *, narrow: bool) -> tuple[str, str, str, str, str]:
    name = each.name.removeprefix("spec.")
    if narrow and _holder(each):
        name = f"  {dotted(each.path[-1:])}"
    value, longest = value_in_words(each.value), _NARROW_VALUE if narrow else _WIDEST_VALUE
    shown = value if len(value) <= longest else f"{value[: longest - 1]}…"
    codes = "".join(f"[{finding.code}] " for finding in each.findings)
    return printable(name), shown, each.origin.value, each.fidelity or "-", codes + printable(each.does)


def _and_more(places: Sequence[str]) -> str:
    if not places:
        return ""
    more = f" and {len(places) - 1} more" if len(places) > 1 else ""
    return printable(f" → {places[0]}{more}")


def _cut(line: str, width: int) -> str:
    line = line.rstrip()
    return f"{line[: width - 1]}…" if width and len(line) > width else line


def _finding_as_text(finding: Finding) -> list[str]:
    place = f":{finding.line}" if finding.line else ""
    first = f"  {finding.level} {finding.code}{place}: {finding.message}"
    return [printable(first), *([printable(f"      {finding.fix}")] if finding.fix else [])]


def as_markdown(models: Sequence[Effective], *, everything: bool = False) -> str:
    """Return a section for each model: what it does, the path of a request as a Mermaid picture, its fields, its findings."""
    blocks = []
    for model in models:
        lines = [f"## {markdown(model.name)}", "", " ".join(markdown(sentence) for sentence in model.summary), ""]
        lines += ["```mermaid", mermaid.draw(request_path.of(model.facts)).rstrip("\n"), "```", ""]
        lines += ["| field | value | from | kept | what it does |", "|---|---|---|---|---|"]
        lines += [_markdown_row(each, everything=everything) for each in model.fields]
        if model.findings:
            lines += ["", *(f"- **{each.level} {each.code}**: {_with_fix(each)}" for each in model.findings)]
        blocks.append("\n".join(lines))
    return "\n\n".join(blocks) + "\n"


def _with_fix(finding: Finding) -> str:
    return markdown(finding.message + (f" ({finding.fix})" if finding.fix else ""))


def _markdown_row(each: Field, *, everything: bool) -> str:
    places = (
        "<br>".join(f"→ {markdown(place)}" for place in each.places) if everything else markdown(_and_more(each.places).strip())
    )
    does = markdown(each.does) + "".join(f" **{finding.code}**" for finding in each.findings)
    cells = [
        markdown(each.name.removeprefix("spec.")),
        markdown(value_in_words(each.value)),
        each.origin.value,
        each.fidelity or "-",
    ]
    return f"| {' | '.join([*cells, does + (f'<br>{places}' if places else '')])} |"


def as_json(models: Sequence[Effective]) -> str:
    """Return one JSON document in the form of schema/explanation.schema.json."""
    return json.dumps({"models": [_model_as_json(model) for model in models]}, indent=2, ensure_ascii=False) + "\n"


def _model_as_json(model: Effective) -> dict[str, Any]:
    path = request_path.of(model.facts)
    return {
        "name": model.name,
        "namespace": model.namespace,
        "file": model.file,
        "names": list(model.facts.names),
        "summary": list(model.summary),
        "fields": [
            {
                "field": each.name,
                "value": each.value,
                "origin": each.origin.value,
                "does": each.does,
                "fidelity": each.fidelity,
                "places": list(each.places),
                "findings": [finding.code for finding in each.findings],
            }
            for each in model.fields
        ],
        "findings": [_finding_as_json(finding) for finding in model.findings],
        "path": {
            "nodes": [{"id": node.id, "stage": node.stage, "lines": list(node.lines)} for node in path.nodes],
            "edges": [
                {"source": edge.source, "target": edge.target, "label": edge.label, "fails": edge.fails} for edge in path.edges
            ],
        },
    }


def _finding_as_json(finding: Finding) -> dict[str, Any]:
    return {
        "code": finding.code,
        "level": finding.level,
        "fidelity": finding.fidelity,
        "field": dotted(finding.path),
        "line": finding.line,
        "message": finding.message,
        "fix": finding.fix,
    }
