"""The keys that a configuration refers to, from the Secrets that are mounted; and those of the environment, withheld."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from langop_model.contract.secret_keys import normalize_secret_key
from langop_model.contract.settings import Key
from langop_model.gateway import secrets
from langop_model.renderer import catalogue, extra, findings
from langop_model.renderer.credentials import Credential, in_words
from langop_model.renderer.findings import Finding, SpecError
from langop_model.renderer.plan import Model
from langop_model.renderer.rendering import Rendering


class ProviderKeys:
    """The keys of models, as they are mounted now: each is read once, however often its model is checked."""

    def __init__(self) -> None:
        self.exported: dict[str, str] = {}
        self.found: dict[Credential, tuple[Finding, ...]] = {}

    @property
    def places(self) -> set[str]:
        """Where the keys of all models are mounted that were checked, also of those that are missing."""
        return {credential.place.rstrip("/") for credential in self.found}

    def check(self, model: Model) -> Iterator[Finding]:
        """Yield what is wrong with the keys of a model.

        An error for each file that is missing (LM701) or empty (LM702), and for a Secret that lacks what the provider needs
        (LM707); a warning for each key of a Secret that the provider does not use (LM708).
        """
        for credential in model.credentials.items:
            if credential not in self.found:
                self.found[credential] = tuple(_load(credential, self.exported))
            yield from self.found[credential]
        yield from _incomplete(model, self.exported)
        yield from _unknown(model)

    def of(self, models: Iterable[Model]) -> dict[str, str]:
        """Return the keys of `models`, which were checked, by the variable that LiteLLM reads them from."""
        names = [credential.variable for model in models for credential in model.credentials.items]
        return {name: self.exported[name] for name in names if name in self.exported}


def variables_to_withhold(environment: Mapping[str, str]) -> list[str]:
    """Return the variables of `environment` from which LiteLLM would take a provider's key or address by itself.

    They are withheld: a provider gets what its LanguageModel says, and nothing of another's.
    """
    return [name for name in environment if name in catalogue.foreign_settings()]


def pod_identity_variables(result: Rendering, environment: Mapping[str, str]) -> dict[str, str]:
    """Return a pod's own identity, where a model relies on it instead of a Secret: keys or a role, a token's file, a region."""
    prefixes = tuple(prefix for model in result.models if not model.credentials.items for prefix in model.provider.ambient)
    return {name: value for name, value in environment.items() if prefixes and name.startswith(prefixes)}


def named_variables(result: Rendering, environment: Mapping[str, str]) -> dict[str, str]:
    """Return the variables of the pod that the extra configuration names, by their names in the configuration.

    Raises SpecError (LM755) that names each one that is not set or empty: LiteLLM would silently make null of it.
    """
    missing = sorted(name for name in result.variables.values() if not environment.get(name, "").strip())
    if missing:
        raise SpecError(findings.make("LM755", name=name).replace(file=extra.VARIABLE) for name in missing)
    return {variable: environment[name] for variable, name in result.variables.items()}


def _load(credential: Credential, exported: dict[str, str]) -> Iterator[Finding]:
    """Put the value of a credential into `exported`; yield what is wrong with it. One key of a whole Secret may be absent."""
    key = Key(credential.variable, credential.file, credential.folder, credential.names, credential.delivery)
    place = credential.place.rstrip("/")
    try:
        value = secrets.export(key)
        if value is not None and credential.delivery == "path":
            secrets.read(Path(value))
    except (OSError, UnicodeDecodeError) as problem:
        reason = f"({problem.strerror})" if isinstance(problem, OSError) and problem.strerror else "(no text)"
        yield findings.make("LM701", credential.path, secret=place, reason=reason)
        return
    if value == "":
        yield findings.make("LM702", credential.path, secret=place)
    elif value is not None:
        exported[credential.variable] = value


def _incomplete(model: Model, exported: Mapping[str, str]) -> Iterator[Finding]:
    """Yield a finding where the whole Secret of a model lacks what its provider needs."""
    whole = [credential for credential in model.credentials.items if credential.names]
    if not whole or not Path(whole[0].folder).is_dir():
        return
    there = {credential.parameter for credential in model.credentials.items if credential.variable in exported}
    credential_sets = model.credentials.credential_sets
    if any(there.issuperset(names) for names in credential_sets):
        return
    nearest = min(credential_sets, key=lambda names: (len(set(names) - there), -len(names)))
    yield findings.make(
        "LM707",
        whole[0].path,
        folder=whole[0].folder,
        provider=model.provider.name,
        missing=" and ".join(name for name in nearest if name not in there),
        needed=in_words(credential_sets),
    )


def _unknown(model: Model) -> Iterator[Finding]:
    """Yield a finding for each key of a model's whole Secret that belongs to no parameter of its provider."""
    whole = [credential for credential in model.credentials.items if credential.names]
    known = {name for credential in whole for name in credential.names}
    if not known or not Path(whole[0].folder).is_dir():
        return
    for path in sorted(Path(whole[0].folder).iterdir()):
        if path.is_file() and not path.name.startswith(".") and normalize_secret_key(path.name) not in known:
            yield findings.make(
                "LM708",
                whole[0].path,
                folder=whole[0].folder,
                name=path.name,
                provider=model.provider.name,
                known=", ".join(sorted(known)),
            )
