"""The effective model: every field with the value that counts, where it comes from, what it does, and how faithfully.

What a field does is said by schema/sentences.json, with the figures of the rendered configuration; how faithfully it is kept,
and where it shows, by langop_model/renderer/explanation.py.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any

from langop_model.renderer import explanation, field_parameters, nested, rendering, sentences, specification
from langop_model.renderer.explanation import Explanation, Surroundings
from langop_model.renderer.findings import Finding, Findings, Path, dotted
from langop_model.renderer.manifest import Resource
from langop_model.renderer.model_facts import ModelFacts
from langop_model.renderer.rendering import Rendering
from langop_model.renderer.settings import Settings
from langop_model.renderer.source import walk
from langop_model.resources import load_json

_MISSING = object()
# From the most to the least faithful: a field of several leaves is as faithful as the worst of them.
_FIDELITIES = ("", "exact", "elsewhere", "approximate", "unsupported", "refused", "silent")


class Origin(StrEnum):
    """Where the value of a field comes from."""

    WRITTEN = "written"
    PARAMETER = "parameter"  # spec.params or additionalParameters, by a name that means the field
    EXTRA = "extra configuration"  # LANGOP_GATEWAY_EXTRA_CONFIG
    RESOURCE = "resource default"
    PROJECT = "project default"


@dataclass(frozen=True, slots=True)
class Field:
    """One field: its effective `value` (None for none), what it `does`, its `places` in the configuration.

    `fidelity` is exact, approximate, unsupported or elsewhere; empty where nothing was asked.
    """

    path: Path
    value: Any
    origin: Origin
    does: str
    fidelity: str = ""
    places: tuple[str, ...] = ()
    findings: tuple[Finding, ...] = ()

    @property
    def name(self) -> str:
        """The field as people write it: spec.rateLimits.requestsPerMinute."""
        return dotted(self.path)


@dataclass(frozen=True, slots=True)
class Effective:
    """A LanguageModel as it is served: its `facts`, a `summary` in plain sentences, and its `fields`."""

    name: str
    namespace: str
    file: str
    facts: ModelFacts
    summary: tuple[str, ...]
    fields: tuple[Field, ...]
    findings: tuple[Finding, ...]


def explain(resources: Sequence[Resource], settings: Settings, *, gateway: bool = False, only: str = "") -> list[Effective]:
    """Return the effective model of each resource: of a gateway of all of them, or of each alone.

    `only` is one field, such as spec.rateLimits, or an empty text for all. Raises SpecError.
    """
    if gateway:
        original = rendering.render(resources, settings, gateway=True)
        found = [
            (original, index, Surroundings.of(each, settings, resources, gateway=True)) for index, each in enumerate(resources)
        ]
    else:
        found = [(one.original, 0, one) for one in (Surroundings.of(each, settings) for each in resources)]
    return [_Explainer(original, index, surroundings).explain(only) for original, index, surroundings in found]


def fields() -> Iterator[str]:
    """Yield every field of the input schema in the form of schema/sentences.json: `fallbacks[].modelRef`."""
    yield from _patterns(specification.node_of(()), "")


def _patterns(node: Mapping[str, Any], prefix: str) -> Iterator[str]:
    for name, child in node["properties"].items():
        pattern = f"{prefix}{name}"
        if _is_leaf(child):
            yield pattern
        elif child.get("type") == "array":
            yield pattern
            yield from _patterns(child["items"], f"{pattern}[].")
        elif "properties" in child:
            yield pattern
            yield from _patterns(child, f"{pattern}.")
        else:
            yield from (pattern, f"{pattern}.*")


def _is_leaf(node: Mapping[str, Any]) -> bool:
    """Whether a field is one row: no object, and no list of objects. Another component's business is one row too."""
    if "x-finding" in node or node.get("type") not in ("object", "array"):
        return True
    return node["type"] == "array" and "properties" not in node.get("items", {})


def _table() -> dict[str, dict[str, str]]:
    rows: dict[str, dict[str, str]] = load_json("sentences.json")["fields"]
    return rows


@dataclass(slots=True)
class _Explainer:
    """Explains resource `index` of a rendering; its fields are changed in its `surroundings`."""

    original: Rendering
    index: int
    surroundings: Surroundings
    facts: ModelFacts = field(init=False)
    meant: dict[str, Any] = field(init=False)
    findings: list[Finding] = field(init=False)

    def __post_init__(self) -> None:
        model = self.original.models[self.index]
        self.facts = ModelFacts.of(model, self.original.config)
        self.meant = field_parameters.as_fields(self.written, Findings())
        self.findings = model.findings.in_order

    @property
    def written(self) -> dict[str, Any]:
        spec: dict[str, Any] = self.surroundings.resource.manifest["spec"]
        return spec

    def explain(self, only: str) -> Effective:
        wanted = only.removeprefix("spec.")
        rows = self._object(specification.node_of(()), ("spec",), "", wanted)
        summary = (sentences.fill(text, self.facts.values()) for text in load_json("sentences.json")["summary"])
        model = self.original.models[self.index]
        return Effective(
            name=model.name,
            namespace=model.namespace,
            file=self.surroundings.resource.document.name,
            facts=self.facts,
            summary=tuple(text for text in summary if text),
            fields=tuple(self._with_all_findings(list(rows))),
            findings=tuple(self.findings),
        )

    def _with_all_findings(self, rows: list[Field]) -> list[Field]:
        """Return the rows with each finding about an object beside the object's first field."""
        said = {finding for row in rows for finding in row.findings}
        for finding in self.findings:
            if finding not in said and len(finding.path) > 1:
                index = next((n for n, row in enumerate(rows) if _is_about(row.path, finding.path)), None)
                if index is not None:
                    rows[index] = replace(rows[index], findings=(*rows[index].findings, finding))
        return rows

    def _object(self, node: Mapping[str, Any], path: Path, prefix: str, wanted: str) -> Iterator[Field]:
        for name, child in node["properties"].items():
            yield from self._field(child, (*path, name), f"{prefix}{name}", wanted)

    def _field(self, node: Mapping[str, Any], path: Path, pattern: str, wanted: str) -> Iterator[Field]:
        if wanted and not _on_the_way(dotted(path[1:]), wanted):
            return
        value = self._effective(path, node)
        if _is_leaf(node) and value is not _MISSING:
            yield self._row(node, path, pattern, value)
        elif value is _MISSING or value in ({}, []):
            if "absent" in _table()[pattern]:
                yield self._row(node, path, pattern, _MISSING)
        else:
            yield from self._members(node, path, pattern, wanted, value)

    def _members(self, node: Mapping[str, Any], path: Path, pattern: str, wanted: str, value: Any) -> Iterator[Field]:
        if node["type"] == "array":
            for index in range(len(value)):
                yield from self._object(node["items"], (*path, index), f"{pattern}[].", wanted)
        elif "properties" in node:
            yield from self._object(node, path, f"{pattern}.", wanted)
        else:
            for key, item in value.items():
                if not wanted or _on_the_way(dotted((*path[1:], key)), wanted):
                    yield self._row(node, (*path, key), f"{pattern}.*", item)

    def _effective(self, path: Path, node: Mapping[str, Any]) -> Any:
        """Return the value that counts; what was written where nothing counts any more."""
        found, written = nested.at(self.facts.spec, path[1:], _MISSING), nested.at(self.written, path[1:], _MISSING)
        if found is _MISSING:
            return written
        if "properties" not in node and isinstance(found, dict) and isinstance(written, dict) and not _is_leaf(node):
            return {**written, **found}  # a parameter that is read as a field is not among the parameters any more
        return found

    def _row(self, node: Mapping[str, Any], path: Path, pattern: str, value: Any) -> Field:
        entry = _table()[pattern]
        values = {**self.facts.values(path[1:]), "value": None if value is _MISSING else value, "key": path[-1]}
        own = [finding for finding in self.findings if finding.path and _is_about(finding.path, path)]
        if value is _MISSING:
            stated = sentences.fill(entry.get("absent_value", ""), values)
            return Field(path, _parsed(stated), Origin.PROJECT, sentences.fill(entry["absent"], values), findings=tuple(own))
        origin = self._origin(path)
        seen = self._seen(node, path, value)
        places = tuple(dict.fromkeys(change.place for each in seen for change in each.changes))
        own += self._of_the_object(own, seen)
        fidelity = max((self._fidelity(node, origin, each) for each in seen), key=_FIDELITIES.index)
        # A zero may mean the same as absence.
        counts = nested.at(self.facts.spec, path[1:], _MISSING) is not _MISSING or "absent" not in entry
        said = "unsupported" if fidelity == "unsupported" and "unsupported" in entry else "does" if counts else "absent"
        does = sentences.fill(entry[said], values)
        return Field(path, value, origin, does, fidelity, places, tuple(own))

    def _fidelity(self, node: Mapping[str, Any], origin: Origin, seen: Explanation) -> str:
        """Return how faithfully this value is kept: what is said of other values does not count, only that something is."""
        said = tuple(each for each in self.findings if len(each.path) > 1 and _is_about(seen.path, each.path))
        if seen.changes or any(each.fidelity for each in said):
            return replace(seen, findings=said).fidelity
        if seen.fidelity == "silent":
            return "silent" if origin is Origin.WRITTEN else ""
        return str(node.get("x-fidelity", "exact")).split(";")[0] if origin is Origin.WRITTEN else ""

    def _of_the_object(self, own: Sequence[Finding], seen: Iterable[Explanation]) -> list[Finding]:
        """Return what is said of the object that holds a field and tells how faithfully the field is kept."""
        found = dict.fromkeys(each for one in seen for each in one.findings if each.fidelity and each in self.findings)
        codes = {finding.code for finding in own}
        return [finding for finding in found if finding.code not in codes]

    def _origin(self, path: Path) -> Origin:
        if nested.at(self.written, path[1:], _MISSING) is not _MISSING:
            return Origin.WRITTEN
        if nested.at(self.meant, path[1:], _MISSING) is not _MISSING:
            return Origin.PARAMETER
        stated = self.original.models[self.index].user_spec
        return Origin.EXTRA if nested.at(stated, path[1:], _MISSING) is not _MISSING else Origin.RESOURCE

    def _seen(self, node: Mapping[str, Any], path: Path, value: Any) -> list[Explanation]:
        """Return what is seen of each leaf of a field when it is changed."""
        if "x-finding" in node:  # another component's business, whatever it holds
            found = tuple(finding for finding in self.findings if finding.path == path)
            return [Explanation(path, value, (), found)]
        return [explanation.of_leaf(self.surroundings, leaf, item) for leaf, item in walk(value, path)]


def _on_the_way(field_name: str, wanted: str) -> bool:
    """Whether a field is the wanted one, inside it, or holds it."""
    return any(
        one == other or one.startswith((f"{other}.", f"{other}["))
        for one, other in ((field_name, wanted), (wanted, field_name))
    )


def _is_about(finding: Path, path: Path) -> bool:
    """Whether a finding is about a field or something inside it."""
    return finding[: len(path)] == path


def _parsed(text: str) -> Any:
    """Return a value that a sentence states: JSON, or a text; None for none."""
    if not text:
        return None
    try:
        return json.loads(text)
    except ValueError:
        return text
