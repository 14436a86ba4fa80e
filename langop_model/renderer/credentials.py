"""Which of LiteLLM's parameters hold credentials, and in which mounted Secret each of them is. Never what they are."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any

from langop_model.contract.references import REFERENCE
from langop_model.contract.secret_keys import normalize_secret_key
from langop_model.renderer.catalogue import Provider
from langop_model.renderer.findings import Findings, Path
from langop_model.renderer.record import Record

KEY_PATH: Path = ("spec", "apiKeySecretRef")
SECRET_PATH: Path = ("spec", "credentialsSecretRef")


class Credential(Record):
    """A parameter of LiteLLM, or a variable of its process, and where its value is mounted.

    `variable` is the variable of the process that LiteLLM reads it from. The value is in `file`, or in that file of `folder`
    whose name is one of `names`, compared as langop_model.contract.secret_keys says. `delivery` says what LiteLLM gets: the
    file's text, its path, or a copy of the folder. `path` is the field of the specification.
    """

    parameter: str
    variable: str
    path: Path
    file: str = ""
    folder: str = ""
    names: tuple[str, ...] = ()
    delivery: str = "text"

    @property
    def is_variable(self) -> bool:
        """Whether LiteLLM knows it as a variable of its process only: no parameter refers to it."""
        return self.parameter == self.variable

    @property
    def reference(self) -> str:
        """What a deployment has instead of the value: its file, where LiteLLM reads one, or its variable."""
        return self.file if self.delivery == "path" and self.file else f"{REFERENCE}{self.variable}"

    @property
    def place(self) -> str:
        """Where the value is, for a comment."""
        return self.file or f"{self.folder}/"

    @property
    def section(self) -> dict[str, Any]:
        """What langop_model.gateway.secrets reads."""
        place = {"file": self.file} if self.file else {"folder": self.folder}
        names = {"names": list(self.names)} if self.names else {}
        delivery = {"delivery": self.delivery} if self.delivery != "text" else {}
        return {"variable": self.variable, **place, **names, **delivery}


class Credentials(Record):
    """The credentials of one model: one of `credential_sets`, sets of parameters, must be complete; none: none is needed."""

    items: tuple[Credential, ...] = ()
    credential_sets: tuple[tuple[str, ...], ...] = ()

    @property
    def parameters(self) -> list[Credential]:
        """Those that a deployment refers to."""
        return [credential for credential in self.items if not credential.is_variable]


def of_spec(provider: Provider, spec: Mapping[str, Any], folder: str, found: Findings) -> Credentials:
    """Return the credentials that a valid spec names, with Secrets mounted in `folder`.

    spec.apiKeySecretRef comes before spec.credentialsSecretRef. Records a finding for one that the provider can't use.
    """
    items: dict[str, Credential] = {}
    credential_sets = provider.credential_sets or ((provider.main_credential,),)
    if "credentialsSecretRef" in spec:
        items = {each.parameter: each for each in _in_secret(provider, spec["credentialsSecretRef"]["name"], folder)}
        if not items:
            found.add("LM417", *SECRET_PATH, provider=provider.name)
    if "apiKeySecretRef" in spec:
        main = provider.main_credential
        if not main or (provider.credential_sets and (main,) not in credential_sets):
            found.add(
                "LM215", *KEY_PATH, provider=provider.name, keys=in_words(provider.credential_sets) or "a folder of files"
            )
        elif not provider.key:
            found.add("LM417", *KEY_PATH, provider=provider.name)
        else:
            items[main] = _in_file(provider, main, spec["apiKeySecretRef"], folder)
            if "credentialsSecretRef" in spec and len(items) == 1:
                found.add("LM415", *SECRET_PATH, by="spec.apiKeySecretRef")
            return Credentials(tuple(items.values()), ((main,),))
    return Credentials(tuple(items.values()), credential_sets if items and not provider.folder else ())


def in_words(sets: tuple[tuple[str, ...], ...]) -> str:
    """Return sets of parameters as people say them: a, or b and c."""
    return ", or ".join(" and ".join(names) for names in sets)


def _in_file(provider: Provider, parameter: str, reference: Mapping[str, str], folder: str) -> Credential:
    name, key = reference["name"], reference["key"]
    delivery = "path" if parameter in provider.files else "text"
    return Credential(
        parameter, f"LANGOP_KEY_{_variable(name, key)}", KEY_PATH, file=f"{folder}/{name}/{key}", delivery=delivery
    )


def _in_secret(provider: Provider, name: str, folder: str) -> Iterator[Credential]:
    """The whole Secret: each key belongs to the parameter whose name it is, or to whose other names it belongs."""
    place = f"{folder}/{name}"
    if provider.folder:
        yield Credential(provider.folder, provider.folder, SECRET_PATH, folder=place, delivery="folder")
    if not (provider.key or provider.credential_sets):
        return
    for parameter, others in provider.credentials.items():
        names = tuple(dict.fromkeys(normalize_secret_key(each) for each in (parameter, *others)))
        delivery = "path" if parameter in provider.files else "text"
        variable = f"LANGOP_SECRET_{_variable(name, parameter.replace('_', '-'))}"
        yield Credential(parameter, variable, SECRET_PATH, folder=place, names=names, delivery=delivery)
    for variable in provider.environment:
        yield Credential(variable, variable, SECRET_PATH, folder=place, names=(normalize_secret_key(variable),))


def _variable(*parts: str) -> str:
    return "__".join(_as_variable(part) for part in parts)


@lru_cache(maxsize=1024)
def _as_variable(text: str) -> str:
    """Spell `text` in the characters of a variable so that no two texts, joined by two underscores, come out the same."""
    letters = []
    for index, letter in enumerate(text):
        if letter.islower() or letter.isdigit():
            letters.append(letter.upper())
        elif letter == "-" and index and text[index - 1] != "-":
            letters.append("_")
        else:
            letters.append(f"x{ord(letter):02x}")
    return "".join(letters)
