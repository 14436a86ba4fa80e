"""What became of each field: changed one at a time, a field shows in the configuration where it stands.

The same question is the project's promise, that no field is silently dropped: `Explanation.silent` is the answer.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from langop_model.renderer import comparison, rendering, specification
from langop_model.renderer.comparison import Change
from langop_model.renderer.findings import Finding, Path, SpecError, lint_codes
from langop_model.renderer.manifest import Resource
from langop_model.renderer.rejected import Rejections
from langop_model.renderer.rendering import Rendering
from langop_model.renderer.settings import Settings
from langop_model.renderer.source import walk


@dataclass(frozen=True, slots=True)
class Explanation:
    """One field: its `value`, where it shows in the configuration (`changes`), and what there is to say about it."""

    path: Path
    value: Any
    changes: tuple[Change, ...]
    findings: tuple[Finding, ...]

    @property
    def fidelity(self) -> str:
        """How faithfully the field is kept: exact, approximate, unsupported, elsewhere, or silent, which is a defect."""
        # A lint rule speaks of a value, not of what became of it.
        said = [finding for finding in self.findings if finding.code not in lint_codes()]
        stated = [finding.fidelity for finding in said if finding.fidelity]
        if self.changes:
            return next((fidelity for fidelity in stated if fidelity == "approximate"), "exact")
        return stated[0] if stated else "refused" if said else "silent"


@dataclass(frozen=True, slots=True)
class Surroundings:
    """Where a field is changed: in `resource`, alone or in a gateway with `others`. `original`: without a change."""

    resource: Resource
    settings: Settings
    original: Rendering
    others: tuple[Resource, ...] = ()
    gateway: bool = False

    @classmethod
    def of(
        cls, resource: Resource, settings: Settings, others: Iterable[Resource] = (), *, gateway: bool = False
    ) -> Surroundings:
        """Return the surroundings of a resource. Raises SpecError.

        Of the `others` in a gateway only those count that it names or shares its modelName with: a change of it shows with
        these as with all, and a gateway of many models would be rendered again for each field of each of them.
        """
        kept = tuple(other for other in others if _is_neighbour(resource, other))
        return cls(resource, settings, _rendered((resource, *kept), settings, gateway=gateway), kept, gateway)

    def render(self, changed: Resource) -> Rendering:
        """Return the rendering with `changed` in place of the resource. Raises SpecError."""
        settings = self.settings.replace(ignored=lint_codes())  # what it says of other values is nobody's question
        return _rendered((changed, *self.others), settings, gateway=self.gateway)


def _rendered(resources: tuple[Resource, ...], settings: Settings, *, gateway: bool) -> Rendering:
    """Return the rendering of some resources of a gateway; what they name may be among those that are not there."""
    if not gateway:
        return rendering.render(resources, settings)
    return rendering.render(resources, settings, gateway=True, rejections=Rejections())


def _is_neighbour(resource: Resource, other: Resource) -> bool:
    if other is resource:
        return False
    own, its = resource.manifest["spec"], other.manifest["spec"]
    named = {entry["modelRef"] for entry in own.get("fallbacks", ())}
    return other.name in named or own["modelName"] == its["modelName"]


def explain(resource: Resource, settings: Settings) -> Iterator[Explanation]:
    """Yield an explanation for each leaf of the resource's spec, in the order of the file. Raises SpecError for a wrong one."""
    surroundings = Surroundings.of(resource, settings)
    for path, value in walk(resource.manifest["spec"], ("spec",)):
        yield of_leaf(surroundings, path, value)


def of_leaf(surroundings: Surroundings, path: Path, value: Any) -> Explanation:
    """Try other values until one shows in the configuration; collect what is said about the field on the way."""
    original = surroundings.original
    own = original.models[0].name
    said = [finding for finding in original.findings if _names(finding, path, own)]
    refused: list[Finding] = []
    for other in alternatives(_node(path), value):
        try:
            changed = surroundings.render(_changed(surroundings.resource, path, other))
        except SpecError as problem:
            refused += [finding for finding in problem.findings if _names(finding, path, own)]
            continue
        said += [finding for finding in changed.findings if _names(finding, path, own, inside=value in ([], {}))]
        changes = tuple(comparison.compare(original.config, changed.config))
        # What is only in the other configuration is what another value would become.
        changes = tuple(change for change in changes if not change.added) or changes
        if changes:
            kept = tuple(dict.fromkeys(finding for finding in said if finding in original.findings))
            return Explanation(path, value, changes, kept)
    return Explanation(path, value, (), tuple(dict.fromkeys(said or refused)))


def _names(finding: Finding, path: Path, resource: str, *, inside: bool = False) -> bool:
    """Whether a finding is about the field or about an object that holds it; one about the whole spec names nothing.

    With `inside` it may also be about what the field holds.
    """
    about = finding.path[: len(path)] if inside else finding.path
    return finding.resource in ("", resource) and len(finding.path) > 1 and path[: len(about)] == about


def alternatives(node: dict[str, Any], value: Any) -> list[Any]:  # noqa: PLR0911 - one for each kind of value
    """Return other values that the schema `node` may accept in place of `value`, the most telling first."""
    if "enum" in node:
        return [choice for choice in node["enum"] if choice != value]
    if value in ([], {}):
        return [_filled(node)]
    if isinstance(value, bool):
        return [not value]
    if isinstance(value, int | float):
        edges = (1, node.get("maximum", value))  # a small change may be rounded away; 0 would mean something else
        others = [value + 1, value - 1, value * 2, value / 2, *(edge for edge in edges if edge != value)]
        return [int(other) for other in others] if node.get("type") == "integer" else others
    if value is None:
        return ["changed"]
    if node.get("format") == "go-duration":
        return [text for text in ("7m", "90s", "20ms") if text != value]
    if node.get("format") == "http-url":
        return ["https://changed.example.com/v1"]
    return [*_other_typed_texts(value), f"{value}x"]


def _filled(node: dict[str, Any]) -> Any:
    """Return something in place of an empty list or object."""
    return [_example(node["items"])] if "items" in node else _example(node)


def _example(node: dict[str, Any]) -> Any:
    """Return the least that the schema `node` accepts."""
    if "enum" in node:
        return node["enum"][-1]
    if node.get("type") == "object":
        properties = node.get("properties", {})
        names = node.get("required") or list(properties)[:1]
        return {name: _example(properties[name]) for name in names} or {"changed": "1"}
    examples = {"http-url": "https://changed.example.com", "integer": 503}
    return examples.get(node.get("format") or node.get("type", ""), "changed")


def _other_typed_texts(text: str) -> list[str]:
    """A text that is typed later (an additional parameter) needs another text of the same type."""
    try:
        typed = json.loads(text)
    except ValueError:
        return []
    if isinstance(typed, bool):
        return [json.dumps(not typed)]
    if isinstance(typed, int | float):
        return [json.dumps(typed + 1)]
    if isinstance(typed, dict):
        return [json.dumps({**typed, "changed": "1"})]
    return [json.dumps([*typed, "changed"])] if isinstance(typed, list) else []


def _node(path: Path) -> dict[str, Any]:
    """Return the schema of the field at `path`."""
    schema = specification.schema()
    node: dict[str, Any] = schema
    for segment in path:
        if "$ref" in node:
            node = schema["$defs"][node["$ref"].rsplit("/", 1)[-1]]
        if isinstance(segment, int):
            node = node.get("items", {})
        else:
            node = node.get("properties", {}).get(segment) or node.get("additionalProperties") or {}
    return node


def _changed(resource: Resource, path: Path, value: Any) -> Resource:
    manifest = copy.deepcopy(resource.manifest)
    target: Any = manifest
    for segment in path[:-1]:  # a default may be in an object that the specification does not write
        target = target.setdefault(segment, {}) if isinstance(target, dict) else target[segment]
    target[path[-1]] = value
    return resource.replace(manifest=manifest)
