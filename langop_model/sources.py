"""The sources of a command, file by file: memory does not grow with their number.

What becomes of a file depends on nothing but the file and the settings, so files can be divided over processes (jobs.py).
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from langop_model.renderer.findings import Finding, SpecError
from langop_model.renderer.record import Record
from langop_model.renderer.settings import Settings

if TYPE_CHECKING:  # imported where they are used: `launch` needs neither
    from langop_model.renderer.atomic_write import Destination
    from langop_model.renderer.manifest import Read, Resource
    from langop_model.renderer.rendering import Rendering

TOGETHER = 16  # files that are given to a process, and written, at a time: few enough for progress to be seen, and for memory


class SourceFile:
    """A file to render; `alone` is False for one of a folder's, which may hold other kinds only.

    `rereadable` is whether it can be read again, also by another process: false for a pipe, and for a name that no file can
    have. A pipe, and standard input, can be read once: what it held is kept.
    """

    __slots__ = ("alone", "kept", "name", "rereadable")

    def __init__(self, name: str, alone: bool = True) -> None:
        self.name = name
        self.alone = alone
        self.rereadable = os.path.isfile(name)  # noqa: PTH113
        self.kept: Read | SpecError | None = None

    def read(self, settings: Settings) -> Read:
        """Return the LanguageModels of the file. Raises SpecError."""
        from langop_model.renderer import manifest

        result: Read | SpecError | None = self.kept
        if result is None:
            try:
                result = manifest.read(self.name, settings, alone=self.alone)
            except SpecError as problem:
                result = problem
            if not self.rereadable:
                self.kept = result
        if isinstance(result, SpecError):
            raise result
        return result


class Result:
    """What became of a source: the texts that it rendered to, and what there is to say.

    `held` is whether there was a LanguageModel, or what may have been one. It goes from one process to another.
    """

    __slots__ = ("findings", "held", "source", "texts")

    def __init__(self, source: str, findings: Iterable[Finding] = ()) -> None:
        self.source = source
        self.findings = list(findings)
        self.texts: list[str] = []
        self.held = True


def files_of(given: str) -> list[SourceFile]:
    """Return the files that a source means. Raises SpecError for a folder without any."""
    from langop_model.renderer.source import expand

    names = expand([given])
    return [SourceFile(name, alone=names == [given]) for name in names]


def _name(resource: Resource) -> str:
    from langop_model.renderer import plan

    spec = resource.manifest.get("spec")
    model = spec.get("modelName") if isinstance(spec, dict) else None
    return resource.name or (plan.resource_name(model) if isinstance(model, str) else "")


class Task(Record):
    """What is done with each file: it is rendered, and its texts are written to `destination`, kept if `texts`, or dropped."""

    settings: Settings
    destination: Destination | None = None
    texts: bool = False

    def names_of(self, files: Sequence[SourceFile]) -> list[list[str]]:
        """Return for each file the name of each rendering that it may become, and an empty one if it can't be read."""
        return [self._names_of(file) for file in files]

    def of_files(self, files: Sequence[SourceFile]) -> list[Result]:
        """Render each LanguageModel of the files to its own configuration, and write several at a time."""
        results = []
        unwritten: list[tuple[Result, Rendering]] = []
        for file in files:
            result = Result(file.name)
            results.append(result)
            unwritten += [(result, rendering) for rendering in self._renderings(file, result)]
            if len(unwritten) >= TOGETHER:  # a file may hold thousands
                self._finish(unwritten)
                unwritten = []
        self._finish(unwritten)
        return results

    def of_gateway(self, sources: list[str]) -> Result:
        """Render all LanguageModels of `sources` to one configuration."""
        from langop_model.renderer import rendering

        result = Result(", ".join(sources))
        try:
            self._finish([(result, rendering.render_gateway(sources, self.settings))])
        except SpecError as problem:
            result.findings += problem.findings
        return result

    def _names_of(self, file: SourceFile) -> list[str]:
        try:
            return [_name(resource) for resource in file.read(self.settings).resources]
        except SpecError:
            return [""]

    def _renderings(self, file: SourceFile, result: Result) -> list[Rendering]:
        """Return what a file is rendered to, and put to `result` what else there is to say about it."""
        from langop_model.renderer import rendering

        try:
            read = file.read(self.settings)
            result.held = bool(read.resources)
            renderings = rendering.render_each(read, self.settings)
        except SpecError as problem:
            result.findings += problem.findings
            return []
        result.findings += () if read.resources else read.findings
        return renderings

    def _finish(self, renderings: Sequence[tuple[Result, Rendering]]) -> None:
        """Put each rendering where it belongs, and to its result what there is to say about it."""
        written: Sequence[Finding | None] = [None] * len(renderings)
        if self.destination is not None:
            written = self.destination.write([(rendering.name, rendering.text) for _, rendering in renderings])
        for (result, rendering), problem in zip(renderings, written, strict=True):
            result.findings += rendering.findings if problem is None else (*rendering.findings, problem)
            if self.texts:
                result.texts.append(rendering.text)
