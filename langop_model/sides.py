"""The two sides of `diff`: files, folders, rendered configurations, or what they were in a revision of git."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from langop_model.outcome import Outcome
from langop_model.renderer import behaviour, configuration_models, difference_fields, manifest, plan, rendering, source
from langop_model.renderer.difference_rows import Difference
from langop_model.renderer.findings import SpecError, error
from langop_model.renderer.rendering import Rendering
from langop_model.renderer.settings import Settings
from langop_model.renderer.source import Document


@dataclass(frozen=True, slots=True)
class Configuration:
    """One rendered configuration of a side: the resource's `name`, empty where it is not known, the `file`, and the data.

    `specs` are those that it was rendered from, by the names of their resources; none where only the result is known.
    """

    name: str
    file: str
    config: dict[str, Any]
    specs: Mapping[str, Any] = field(default_factory=dict)


class Side:
    """A file, a folder or standard input. What can be read once only is read once."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.is_folder = os.path.isdir(name)  # noqa: PTH112 - false for a name that no folder can have
        self._documents: list[Document] | None = None

    @property
    def is_configuration(self) -> bool:
        """Whether it is one rendered configuration. False for what can't be read: reading it says so."""
        try:
            return not self.is_folder and _holds_configuration(self._read(self.name))
        except SpecError:
            return False

    def configurations(self, settings: Settings, outcome: Outcome, *, gateway: bool = False) -> list[Configuration]:
        """Return the configurations of the side; what is wrong with it goes to `outcome`.

        With `gateway` all its LanguageModels become one.
        """
        found: list[Configuration] = []
        if gateway:
            with outcome.collecting():
                found.append(self._as_gateway(settings))
            return found
        files: list[str] = []
        with outcome.collecting():
            files = source.expand([self.name])
        for file in files:
            with outcome.collecting():
                found += self._of_file(file, settings)
        if not found and not outcome.failed:
            outcome.add([manifest.none_in(self.name)])
        return found

    def _as_gateway(self, settings: Settings) -> Configuration:
        if self.is_folder:
            return _named(rendering.render_gateway([self.name], settings), self.name)
        documents = self._read(self.name)
        if _holds_configuration(documents):
            return _rendered(self.name, documents)
        resources = manifest.collect(self.name, documents, settings).resources
        return _named(rendering.render(resources, settings, gateway=len(resources) > 1), self.name)

    def _of_file(self, name: str, settings: Settings) -> list[Configuration]:
        documents = self._read(name)
        if _holds_configuration(documents):
            return [_rendered(name, documents)]
        read = manifest.collect(name, documents, settings, alone=not self.is_folder)
        return [_named(each, name) for each in rendering.render_each(read.replace(findings=[]), settings)]

    def _read(self, name: str) -> list[Document]:
        if self.is_folder:
            return source.read(name)
        if self._documents is None:
            self._documents = source.read(name)
        return self._documents


def differences(one: Configuration | None, other: Configuration | None) -> list[Difference]:
    """Return what differs between two configurations, and between their specs; None: it is on the other side only."""
    before, after = (side.config if side is not None else {} for side in (one, other))
    found = behaviour.compare(before, after)
    if one is None or other is None:
        return [each for each in found if each.place == "names"]
    groups = {model.resource[1]: model.group for model in configuration_models.of(after).values() if not model.is_internal}
    specs = [one.specs, other.specs]
    if len(one.specs) == len(other.specs) == 1:  # whatever their names are
        specs[0] = dict(zip(other.specs, one.specs.values(), strict=True))
    for name in specs[0].keys() & specs[1].keys():
        group = groups.get(name, name)
        behaves = any(each.model in ("", group) for each in found)
        found += difference_fields.compare(specs[0][name], specs[1][name], group, behaves=behaves)
    return found


def specs_of(name: str, settings: Settings) -> dict[str, Any]:
    """Return the specs of the LanguageModels in a file by the names of their resources; none where it can't be read."""
    try:
        read = manifest.read(name, settings, alone=False)
    except SpecError:
        return {}
    named = {each.name or plan.resource_name(str(each.manifest["spec"].get("modelName", ""))): each for each in read.resources}
    return {resource: each.manifest["spec"] for resource, each in named.items()}


def pairs(
    old: Sequence[Configuration], new: Sequence[Configuration]
) -> Iterator[tuple[Configuration | None, Configuration | None]]:
    """Yield the configurations of two sides that belong together: by the resource's name, then by the file's; None for none.

    A single one on either side belongs to the other.
    """
    if len(old) == len(new) == 1:
        yield old[0], new[0]
        return
    left = list(new)
    for one in old:
        by_name = (other for other in left if one.name and other.name == one.name)
        by_file = (other for other in left if Path(other.file).name == Path(one.file).name)
        match = next(by_name, None) or next(by_file, None)
        if match is not None:
            left.remove(match)
        yield one, match
    yield from ((None, other) for other in left)


def _holds_configuration(documents: list[Document]) -> bool:
    return any(manifest.is_litellm_configuration(document.value) for document in documents)


def _rendered(name: str, documents: list[Document]) -> Configuration:
    if len(documents) > 1:
        raise error("LM021", file=documents[0].name, count=len(documents))
    config = documents[0].value
    return Configuration(configuration_models.only_resource(config), name, config)


def _named(result: Rendering, file: str) -> Configuration:
    specs = {model.name: each.manifest["spec"] for model, each in zip(result.models, result.resources, strict=True)}
    return Configuration(result.name, file, result.config, specs)
