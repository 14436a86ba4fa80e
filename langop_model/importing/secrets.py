"""Credentials of the imported configuration: each becomes the name of a Secret. Values are compared, never kept in a result."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

from langop_model.contract.references import REFERENCE
from langop_model.importing import table
from langop_model.renderer import parameters, source
from langop_model.renderer.catalogue import Provider
from langop_model.renderer.plan import resource_name

SINGLE_KEY = "api-key"  # the key of a Secret with one credential
_SECRET_NAME = re.compile(r"(^|[_-])(api_?key|key|password|passwd|secret|token|credentials?|authorization)s?$", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class SecretKey:
    """A key of a Secret that someone has to create: from the variable of LiteLLM's process, or from what was written out."""

    secret: str
    key: str
    variable: str = ""


@dataclass(slots=True)
class Secrets:
    """The Secrets that the manifests name. The same credentials are the same Secret."""

    keys: list[SecretKey] = field(default_factory=list)
    _by_values: dict[tuple[tuple[str, str], ...], str] = field(default_factory=dict)

    def reference(self, provider: Provider, given: dict[str, str], model: str) -> dict[str, Any]:
        """Return the field of a spec for the credentials `given`, by parameter; `model` names a Secret that has no name yet."""
        alone = len(given) == 1 and next(iter(given)) == provider.main_credential and _one_is_enough(provider)
        values = tuple(sorted((SINGLE_KEY if alone else name, value) for name, value in given.items()))
        name = self._by_values.get(values)
        if name is None:
            name = self._free(self._name(provider, given, model, alone=alone))
            self._by_values[values] = name
            self.keys += [SecretKey(name, key, _variable(value)) for key, value in values]
        return {"apiKeySecretRef": {"name": name}} if alone else {"credentialsSecretRef": {"name": name}}

    def _name(self, provider: Provider, given: dict[str, str], model: str, *, alone: bool) -> str:
        variable = _variable(next(iter(given.values())))
        if alone and variable:
            return resource_name(variable)
        return f"{resource_name(provider.name)}-credentials" if not alone else f"{resource_name(model)}-key"

    def _free(self, name: str) -> str:
        taken = set(self._by_values.values())
        numbered = (f"{name}-{number}" for number in range(2, len(taken) + 3))
        return name if name not in taken else next(each for each in numbered if each not in taken)


def is_secret(name: str, value: Any) -> bool:
    """Whether a value is a credential: by the name of its key, or by its form. A reference and a path are none."""
    if not isinstance(value, str) or value.startswith((REFERENCE, "/")) or table.is_no_key(value):
        return False
    return bool(_SECRET_NAME.search(name) or parameters.credential().search(name)) or table.looks_secret(value)


def holds_secret(name: str, value: Any) -> bool:
    """Whether a value, or anything inside it, is a credential."""
    for path, leaf in source.walk(value):
        last = next((segment for segment in reversed(path) if isinstance(segment, str)), name)
        if is_secret(last, leaf):
            return True
    return False


def holds_reference(value: Any) -> bool:
    """Whether a value, or anything inside it, is a variable of LiteLLM's process."""
    return any(isinstance(leaf, str) and leaf.startswith(REFERENCE) for _, leaf in source.walk(value))


def _one_is_enough(provider: Provider) -> bool:
    return not provider.credential_sets or (provider.main_credential,) in provider.credential_sets


def _variable(value: str) -> str:
    return value.removeprefix(REFERENCE) if value.startswith(REFERENCE) else ""
