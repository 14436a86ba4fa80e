"""Rules about a whole file: its resources among each other, and its comments."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from langop_model.renderer import findings
from langop_model.renderer.lint import comments
from langop_model.renderer.lint.rule import FileProblem
from langop_model.renderer.manifest import Resource


def name_twice(resources: Sequence[Resource]) -> Iterator[FileProblem]:
    """Of two resources of one name in a file, the later one replaces the other where the file is applied.

    In one gateway that is an error: LM201.
    """
    seen: set[tuple[str, str]] = set()
    for resource in resources:
        name = (resource.namespace, resource.name)
        if resource.name and name in seen:
            yield FileProblem(resource, ("metadata", "name"), {"name": resource.name})
        seen.add(name)


def comment_without_effect(resources: Sequence[Resource]) -> Iterator[FileProblem]:
    """A comment with a misspelt word or code would silently switch nothing off."""
    texts: dict[str, Resource] = {}
    for resource in resources:
        texts.setdefault(resource.document.text, resource)
    for text, resource in texts.items():
        for said in comments.read(text).said:
            unknown = [code for code in said.codes if code not in findings.lint_codes()]
            place = (said.line, said.column) if resource.document.origin is None else None
            if unknown or not said.codes:
                words = ", ".join(unknown) or said.text or "nothing"
                yield FileProblem(resource, (), {"words": words}, place)
