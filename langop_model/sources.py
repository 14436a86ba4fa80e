"""The sources of a command, file by file: memory does not grow with their number."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from langop_model.outcome import Outcome
from langop_model.renderer.findings import SpecError
from langop_model.renderer.settings import Settings

if TYPE_CHECKING:  # imported where they are used: `launch` needs neither
    from langop_model.renderer.manifest import Read, Resource
    from langop_model.renderer.rendering import Rendering


@dataclass(slots=True)
class SourceFile:
    """A file to render; `alone` is False for one of a folder's, which may hold other kinds only.

    A pipe, and standard input, can be read once: what it held is kept.
    """

    name: str
    alone: bool = True
    kept: Read | SpecError | None = None

    def read(self, settings: Settings) -> Read:
        """Return the LanguageModels of the file. Raises SpecError."""
        from langop_model.renderer import manifest

        result: Read | SpecError | None = self.kept
        if result is None:
            try:
                result = manifest.read(self.name, settings, alone=self.alone)
            except SpecError as problem:
                result = problem
            if not os.path.isfile(self.name):  # noqa: PTH113 - false for a name that no file can have
                self.kept = result
        if isinstance(result, SpecError):
            raise result
        return result


def files_of(given: str) -> list[SourceFile]:
    """Return the files that a source means. Raises SpecError for a folder without any."""
    from langop_model.renderer.source import expand

    names = expand([given])
    return [SourceFile(name, alone=names == [given]) for name in names]


def names_of(files: Iterable[SourceFile], settings: Settings) -> Iterator[str]:
    """Yield the name of each rendering that `files` may become, and an empty one for a file that can't be read."""
    for file in files:
        try:
            yield from (_name(resource) for resource in file.read(settings).resources)
        except SpecError:
            yield ""


def _name(resource: Resource) -> str:
    from langop_model.renderer import plan

    spec = resource.manifest.get("spec")
    model = spec.get("modelName") if isinstance(spec, dict) else None
    return resource.name or (plan.resource_name(model) if isinstance(model, str) else "")


class Work:
    """The sources of a command, and what becomes of them one by one, so that memory does not grow with their number.

    `ignored` are the rules of lint that are switched off.
    """

    def __init__(self, sources: list[str], gateway: bool, outcome: Outcome, ignored: frozenset[str] = frozenset()) -> None:
        self.sources, self.gateway, self.outcome = sources, gateway, outcome
        self.settings = replace(Settings.from_environment(os.environ), ignored=ignored)
        self.folders: list[tuple[str, list[SourceFile]]] = []
        for source in sources if not gateway else ():
            with outcome.collecting():
                self.folders.append((source, files_of(source)))

    def names(self) -> list[str]:
        """Return the names of the renderings, as far as they are known before anything is rendered."""
        return [] if self.gateway else [name for _, files in self.folders for name in names_of(files, self.settings)]

    def renderings(self) -> Iterator[Rendering]:
        """Yield the renderings of the right sources; what is wrong with the others is printed."""
        from langop_model.renderer import manifest, rendering

        if self.gateway:
            with self.outcome.collecting():
                result = rendering.render_gateway(self.sources, self.settings)
                self.outcome.add(result.findings)
                yield result
            return
        for source, files in self.folders:
            held = False  # a LanguageModel, or what may have been one
            for file in files:
                with self.outcome.collecting():
                    held, before = True, held
                    read = file.read(self.settings)
                    held = before or bool(read.resources)
                    if not read.resources:
                        self.outcome.add(read.findings)
                    for result in rendering.render_each(read, self.settings):
                        self.outcome.add(result.findings)
                        yield result
            if not held:
                self.outcome.add([manifest.none_in(source)])
