"""The differences of `diff` as text, Markdown and JSON. What several models have in common is said once."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from langop_model.presentation.plain import markdown, printable
from langop_model.renderer.difference_rows import Difference, Severity

WORDS = {
    Severity.BREAKS: "breaks clients",
    Severity.CHANGES: "changes behaviour",
    Severity.COSMETIC: "cosmetic",
}
_SHOWN = 5  # names of models in a heading; more are counted


@dataclass(frozen=True, slots=True)
class Entry:
    """A difference, and the `configuration` that has it: the name of a resource, or of a file where nothing else is known.

    `alone` is the resource's name where the configuration serves one model only.
    """

    configuration: str
    difference: Difference
    alone: str = ""

    @property
    def label(self) -> str:
        """What the difference is about: a model, or the gateway of a configuration as a whole."""
        return self.alone or self.difference.model or f"gateway {self.configuration}"


@dataclass(frozen=True, slots=True)
class Section:
    """Differences that the same models have."""

    labels: tuple[str, ...]
    differences: tuple[Difference, ...]

    def heading(self, *, everything: bool = False) -> str:
        """Return the name of the one model, or how many there are, and their names: all, or the first five."""
        if len(self.labels) == 1:
            return self.labels[0]
        shown = self.labels if everything else self.labels[:_SHOWN]
        more = f" and {len(self.labels) - len(shown)} more" if len(shown) < len(self.labels) else ""
        return f"{len(self.labels)} models: {', '.join(shown)}{more}"


def sections(entries: Iterable[Entry]) -> list[Section]:
    """Return the differences by the models that have them, those of most models first, then in the order of `entries`."""
    labels: dict[tuple[Severity, str], dict[str, Difference]] = {}
    for entry in entries:
        labels.setdefault((entry.difference.severity, entry.difference.text), {})[entry.label] = entry.difference
    found: dict[tuple[str, ...], list[Difference]] = {}
    for by_label in labels.values():
        found.setdefault(tuple(by_label), []).append(next(iter(by_label.values())))
    order = list(Severity)
    result = [Section(names, tuple(sorted(each, key=lambda one: order.index(one.severity)))) for names, each in found.items()]
    return sorted(result, key=lambda section: -len(section.labels))


def summary(differences: Sequence[Difference]) -> str:
    """Return how many differences of which severity there are: `3 differences: 1 breaks clients, 2 cosmetic`."""
    count = Counter(each.severity for each in differences)
    verbs = {Severity.BREAKS: "break clients", Severity.CHANGES: "change behaviour", Severity.COSMETIC: "cosmetic"}
    parts = [f"{count[each]} {WORDS[each] if count[each] == 1 else verbs[each]}" for each in Severity if count[each]]
    noun = "difference" if len(differences) == 1 else "differences"
    return f"{len(differences)} {noun}: {', '.join(parts)}" if parts else "no difference"


def as_text(entries: Sequence[Entry], *, everything: bool = False) -> str:
    """Return a paragraph for each section, and the summary; an empty text where nothing differs."""
    if not entries:
        return ""
    width = max(map(len, WORDS.values()))
    blocks = []
    for section in sections(entries):
        lines = [printable(section.heading(everything=everything))]
        lines += [f"  {WORDS[each.severity]:<{width}}  {printable(each.text)}" for each in section.differences]
        blocks.append("\n".join(lines))
    return "\n\n".join([*blocks, summary([entry.difference for entry in entries])]) + "\n"


def as_markdown(entries: Sequence[Entry], *, everything: bool = False) -> str:
    """Return a comment for a pull request: the summary, and a folded part for each section."""
    lines = [f"**{summary([entry.difference for entry in entries])}**", ""]
    for section in sections(entries):
        heading = markdown(section.heading(everything=everything))
        lines += ["<details>", f"<summary>{heading} ({summary(section.differences)})</summary>", ""]
        lines += [f"- **{WORDS[each.severity]}**: {markdown(each.text)}" for each in section.differences]
        lines += ["", "</details>", ""]
    return "\n".join(lines).rstrip("\n") + "\n"


def as_json(entries: Sequence[Entry]) -> str:
    """Return one JSON document in the form of schema/difference.schema.json."""
    count = Counter(entry.difference.severity for entry in entries)
    document = {
        "equal": not entries,
        "summary": {each.value: count[each] for each in Severity},
        "differences": [
            {
                "configuration": entry.configuration,
                "model": entry.difference.model,
                "severity": entry.difference.severity.value,
                "text": entry.difference.text,
                "place": entry.difference.place,
                "before": entry.difference.before,
                "after": entry.difference.after,
            }
            for entry in entries
        ],
    }
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"
