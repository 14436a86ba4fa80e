"""`make architecture`: the picture in docs/architecture.md, of the parts that tools/architecture.yaml declares."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

import yaml

from tools import generated
from tools.generated import Section

DATA = Path(__file__).with_name("architecture.yaml")
# The boxes of the picture, with what is written on each.
HALVES = {
    "command": "the command",
    "renderer": "the renderer: pure",
    "contract": "the contract",
    "gateway": "the gateway: front processes and their supervisor",
    "translator": "the translator: a process of its own",
}
NOT_DRAWN = "shared"  # parts that nearly all others import


class Part(NamedTuple):
    """A part of langop_model: its packages or single modules, and the parts that it imports."""

    name: str
    half: str
    modules: tuple[str, ...]
    does: str
    imports: frozenset[str]

    def holds(self, module: str) -> bool:
        """Whether a module, by its name without the package's, belongs to it."""
        return any(module == each or module.startswith(f"{each}.") for each in self.modules)


@cache
def parts() -> tuple[Part, ...]:
    """Return the parts, in the order of the file."""
    return tuple(
        Part(row["part"], row["half"], tuple(row["modules"]), row["does"], frozenset(row["imports"]))
        for row in yaml.safe_load(DATA.read_text(encoding="utf-8"))
    )


def part_of(module: str) -> str:
    """Return the name of the part that a module of langop_model belongs to, empty for none."""
    return next((part.name for part in parts() if part.holds(module.removeprefix("langop_model."))), "")


def picture() -> str:
    """Return the picture in Mermaid. An arrow that follows from others is not drawn."""
    drawn = [part for part in parts() if part.half != NOT_DRAWN]
    lines = ["```mermaid", "flowchart TD"]
    for half, title in HALVES.items():
        lines.append(f'    subgraph {half}_half["{title}"]')
        lines += [f'        {_id(part.name)}["<b>{part.name}</b><br>{part.does}"]' for part in drawn if part.half == half]
        lines.append("    end")
    lines += [f"    {_id(name)} --> {_id(imported)}" for name, imported in _arrows()]
    return "\n".join([*lines, "```"])


def _arrows() -> Iterator[tuple[str, str]]:
    """Yield who imports whom, without what is reached through another import as well."""
    known = {part.name: part.imports for part in parts()}
    hidden = {part.name for part in parts() if part.half == NOT_DRAWN}

    @cache
    def reached(name: str) -> frozenset[str]:
        return known[name].union(*map(reached, known[name]))

    for name, imported in known.items():
        for each in sorted(imported - hidden):
            if name not in hidden and not any(each in reached(other) for other in imported):
                yield name, each


def _id(name: str) -> str:
    return name.replace(".", "_")


SECTION = Section(Path("docs/architecture.md"), "architecture", "picture of the imports", picture)

if __name__ == "__main__":
    generated.main(SECTION)
