"""Who imports whom, with imports inside functions and those for type checkers."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from functools import cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
MODULES = tuple(sorted((ROOT / "langop_model").rglob("*.py")))


@cache
def tree(path: Path) -> ast.Module:
    """Return a module's syntax tree."""
    return ast.parse(path.read_text(encoding="utf-8"))


@cache
def imports(path: Path) -> tuple[str, ...]:
    """Return the full names of everything that a module imports."""
    return tuple(_imports(path))


def _imports(path: Path) -> Iterator[str]:
    package = ".".join(path.relative_to(ROOT).parent.parts)
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            parts = package.split(".")
            base = ".".join(parts[: len(parts) - node.level + 1]) if node.level else ""
            module = ".".join(part for part in (base, node.module) if part)
            yield from (f"{module}.{alias.name}" for alias in node.names)


def module_name(path: Path) -> str:
    """Return a module's name; a package's for its __init__."""
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


@cache
def graph(package: str = "langop_model") -> Mapping[str, frozenset[str]]:
    """Return each module of a package with those of them that it names in imports."""
    names = {module_name(path): path for path in sorted((ROOT / package).rglob("*.py"))}

    def known(name: str) -> str:
        while name and name not in names:
            name = name.rpartition(".")[0]
        return name

    return {name: frozenset({known(each) for each in imports(path)} - {name, ""}) for name, path in names.items()}


def circle(edges: Mapping[str, frozenset[str]]) -> list[str]:
    """Return modules that import each other in a circle, empty where none do."""
    try:
        TopologicalSorter(edges).prepare()
    except CycleError as error:
        found: list[str] = error.args[1]
        return found
    return []
