"""A gateway of several LanguageModels in which one that can't be served does not stop the others.

A resource that is refused gives way to its previous version, if that was served, or is skipped; then the others are rendered
again, because what was said about them may have been about the one that is gone.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from langop_model.renderer import findings, manifest, rejected, rendering
from langop_model.renderer.findings import Finding, SpecError
from langop_model.renderer.manifest import Resource
from langop_model.renderer.plan import Model
from langop_model.renderer.rejected import Rejected, RejectedResourcesError, Rejections
from langop_model.renderer.rendering import ModelCheck, Rendering
from langop_model.renderer.settings import Settings


@dataclass(frozen=True, slots=True)
class _Candidate:
    """A resource that may be served; `errors` are why its current version is not, where this is the previous one."""

    resource: Resource
    errors: tuple[Finding, ...] = ()


@dataclass(slots=True)
class AvailableModels:
    """Renders those LanguageModels of a gateway that can be served.

    `downgraded` names codes of errors that count as warnings. `also` is asked about each model, but for previous versions.
    `previous` are the resources that are being served while a change is rendered.
    """

    settings: Settings
    downgraded: frozenset[str] = frozenset()
    also: ModelCheck | None = None
    previous: Sequence[Resource] = ()
    candidates: list[_Candidate] = field(default_factory=list)
    unavailable: list[Rejected] = field(default_factory=list)
    said: list[Finding] = field(default_factory=list)

    def render(self, names: Sequence[str]) -> Rendering:
        """Return one configuration of the LanguageModels in the files `names`, as far as they can be served.

        Raises SpecError where none is left, and for what is wrong with the whole gateway, such as its extra configuration.
        """
        for name in names:
            self._read(name)
        while self.candidates:
            try:
                return self._told(self._attempt(self.candidates, self.settings))
            except RejectedResourcesError as problem:
                self._reject(problem.by_resource)
            except Exception as defect:  # a defect that one model uncovers must not stop the others
                by_resource = [self._alone(candidate) for candidate in self.candidates]
                if not any(by_resource):
                    raise defect from None
                self._reject(by_resource)
        nothing = [] if self.unavailable else [manifest.none_in(str(Path(names[0]).parent))]
        raise SpecError([*self.said, *(finding for model in self.unavailable for finding in model.findings), *nothing])

    def _read(self, name: str) -> None:
        try:
            read = manifest.read(name, self.settings, alone=False)
        except SpecError as problem:
            served = [resource for resource in self.previous if resource.document.name == name]
            self.candidates += [_Candidate(resource, problem.findings) for resource in served]
            if not served:
                own = rejected.name_of_file(name)
                self.unavailable.append(Rejected(own, self.settings.namespace, (own,), problem.findings))
            return
        self.said += read.findings
        self.candidates += [_Candidate(resource) for resource in read.resources]

    def _attempt(self, candidates: Sequence[_Candidate], settings: Settings) -> Rendering:
        outdated = [rejected.rejected(each.resource, each.errors) for each in candidates if each.errors]
        names = frozenset(model.name for model in outdated)

        def also(model: Model) -> Iterable[Finding]:
            return self.also(model) if self.also is not None and model.name not in names else ()

        result = rendering.render(
            [candidate.resource for candidate in candidates],
            settings,
            gateway=True,
            downgraded=self.downgraded,
            rejections=Rejections(tuple(self.unavailable), tuple(outdated)),
            also=also,
        )
        return result.replace(outdated=names)

    def _alone(self, candidate: _Candidate) -> tuple[Finding, ...]:
        """Return what is wrong with a model for itself, without the extra configuration of the whole gateway."""
        try:
            self._attempt([candidate], self.settings.replace(extra_config=""))
        except SpecError as problem:
            return problem.findings
        except Exception as defect:  # noqa: BLE001 - see render
            name = rejected.rejected(candidate.resource, ()).name
            return (findings.make("LM762", name=name, problem=f"{type(defect).__name__}: {defect}"),)
        return ()

    def _reject(self, by_resource: Sequence[Sequence[Finding]]) -> None:
        """Replace each candidate that has an error by its previous version, or remove it."""
        pairs = list(zip(self.candidates, by_resource, strict=True))
        self.candidates = [kept for candidate, found in pairs for kept in self._kept(candidate, tuple(found))]

    def _kept(self, candidate: _Candidate, found: tuple[Finding, ...]) -> Iterator[_Candidate]:
        if not any(finding.level == "error" for finding in found):
            yield candidate
            return
        resource = candidate.resource
        served = [each for each in self.previous if (each.namespace, each.name) == (resource.namespace, resource.name)]
        if served and not candidate.errors:
            yield _Candidate(served[0], found)
        else:
            self.unavailable.append(rejected.rejected(resource, candidate.errors or found))

    def _told(self, result: Rendering) -> Rendering:
        """Return the rendering with everything that is wrong with the models that it does not serve, or not as they are now."""
        said = list(self.said)
        for model in self.unavailable:
            said += [*model.findings, findings.make("LM760", name=model.name)]
        for candidate in self.candidates:
            if candidate.errors:
                said += [*candidate.errors, findings.make("LM761", name=candidate.resource.name)]
        return result.replace(findings=(*said, *result.findings))
