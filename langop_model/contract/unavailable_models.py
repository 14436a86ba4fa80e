"""The members `unavailable` and `outdated` of the section: LanguageModels that can't be served as they are specified."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from langop_model.contract.settings import WILDCARD


@dataclass(frozen=True, slots=True)
class UnavailableModel:
    """A LanguageModel of a gateway that can't be served as it is specified.

    `names` are those that clients may ask for it by, and that nothing else serves: such a request is answered with 503 and
    `reason`, which names the resource and its first error and repeats no value of the specification. A name that ends in
    WILDCARD means all names that start so.
    """

    resource: str
    namespace: str
    reason: str
    names: tuple[str, ...] = ()

    def serves(self, model: str) -> bool:
        """Whether a client that asks for `model` means this one."""
        return any(model == name or (name.endswith(WILDCARD) and model.startswith(name[:-1])) for name in self.names)


def unavailable(settings: Mapping[str, Any]) -> dict[str, UnavailableModel]:
    """Return the LanguageModels that are not served at all, each by a name that is its own in the section."""
    return _unavailable(settings, "unavailable")


def outdated(settings: Mapping[str, Any]) -> dict[str, UnavailableModel]:
    """Return the LanguageModels whose previous version is served, because the current one can't be; they have no `names`."""
    return _unavailable(settings, "outdated")


def _unavailable(settings: Mapping[str, Any], member: str) -> dict[str, UnavailableModel]:
    entries = settings.get(member, {})
    return {name: UnavailableModel(**{**entry, "names": tuple(entry.get("names", ()))}) for name, entry in entries.items()}
