"""LanguageModels of a gateway that can't be served as they are specified: who they are, and what is wrong with them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from itertools import count
from pathlib import Path
from typing import Any

from langop_model.renderer import plan
from langop_model.renderer.findings import Finding, SpecError, dotted
from langop_model.renderer.manifest import Resource
from langop_model.renderer.record import Record

LONGEST_REASON = 500  # characters of an error that a client of the gateway gets
LONGEST_KEY = 253  # characters of a Kubernetes name
LONGEST_NAME = 512  # characters of a name that a client may ask for: as spec.modelName


class RejectedResourcesError(SpecError):
    """Errors in some of several resources: `by_resource` holds the findings of each, in the order of the resources."""

    def __init__(self, by_resource: Sequence[tuple[Finding, ...]]) -> None:
        self.by_resource = tuple(by_resource)
        super().__init__(finding for found in by_resource for finding in found)

    def __reduce__(self) -> tuple[type[RejectedResourcesError], tuple[Any, ...]]:
        """Let another process have it, whole."""
        return type(self), (self.by_resource,)


class Rejected(Record):
    """A LanguageModel that can't be served: its name, what clients may ask for it by, and what is wrong with it."""

    name: str
    namespace: str
    names: tuple[str, ...]
    findings: tuple[Finding, ...]

    @property
    def reason(self) -> str:
        """Its first error and how to fix it, in words that repeat no value of the specification."""
        error = next(finding for finding in self.findings if finding.level == "error")
        field = dotted(error.path)
        about = f" {field}" if field and field not in error.public else ""
        fix = f" ({error.fix})" if error.fix else ""
        return f"{error.code}{about}: {error.public}{fix}"[:LONGEST_REASON]

    def section(self, state: str) -> dict[str, Any]:
        """Return its entry in the configuration; `state` says what becomes of it."""
        reason = f"the LanguageModel {self.name} in the namespace {self.namespace} {state}: {self.reason}"
        return {"resource": self.name, "namespace": self.namespace, "reason": reason}


class Rejections(Record):
    """The LanguageModels that a gateway does not serve at all, and those that it serves in their previous version."""

    unavailable: tuple[Rejected, ...] = ()
    outdated: tuple[Rejected, ...] = ()

    def sections(self, served: Collection[str]) -> tuple[dict[str, Any], dict[str, Any]]:
        """Return what langop_model.contract reads as `unavailable` and `outdated`. `served` are the names that are served."""
        unavailable = {
            key: {**model.section("can't be served"), "names": [name for name in model.names if name not in served]}
            for key, model in _by_key(self.unavailable)
        }
        outdated = {key: model.section("is served in its previous version") for key, model in _by_key(self.outdated)}
        return unavailable, outdated


def rejected(resource: Resource, found: Iterable[Finding]) -> Rejected:
    """Return that a resource, which may hold anything at all, can't be served for what was `found`."""
    spec = resource.manifest.get("spec")
    spec = spec if isinstance(spec, dict) else {}
    model_name, aliases = spec.get("modelName"), spec.get("aliases")
    own = plan.resource_name(model_name) if isinstance(model_name, str) else name_of_file(resource.document.name)
    name = resource.name or own
    wanted: list[Any] = [f"{name}/{plan.ANY}"] if model_name == plan.ANY else [model_name, name]
    wanted += aliases if isinstance(aliases, list) else []
    names = tuple(dict.fromkeys(each for each in wanted if _is_name(each)))
    return Rejected(name, resource.namespace, names, tuple(found))


def name_of_file(path: str) -> str:
    """Return what the operator's file name says: model__<name>.json."""
    return Path(path).stem.removeprefix("model__")


def _is_name(value: object) -> bool:
    return isinstance(value, str) and 0 < len(value) <= LONGEST_NAME and value.isprintable()


def _by_key(models: Iterable[Rejected]) -> Iterator[tuple[str, Rejected]]:
    """Yield each model with its own key: two resources may have one name, and a wrong one may be any text."""
    taken: set[str] = set()
    for model in models:
        name = "".join(letter if letter.isprintable() else "?" for letter in model.name[:LONGEST_KEY])
        numbered = (name if number == 1 else f"{name} {number}" for number in count(1))
        key = next(key for key in numbered if key not in taken)
        taken.add(key)
        yield key, model
