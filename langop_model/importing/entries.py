"""An entry of model_list as a spec: its provider, its credentials, and a field for each parameter."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from langop_model.contract.references import REFERENCE
from langop_model.importing import credential_list, table
from langop_model.importing.secrets import Secrets, holds_reference, holds_secret
from langop_model.renderer import catalogue, durations, parameters, specification
from langop_model.renderer.catalogue import Provider
from langop_model.renderer.extra import table as extra_table
from langop_model.renderer.findings import Findings, Path

Parameters = dict[str, Any]


@dataclass(slots=True)
class Draft:
    """What an entry becomes: `members` is what its group decides: weight, priority, endpoint, limits."""

    index: int
    model_name: str
    provider: Provider
    spec: dict[str, Any]
    members: dict[str, Any] = field(default_factory=dict)


@dataclass(slots=True)
class Reader:
    """Reads entries. `variables` are values of LiteLLM's environment that are no secrets, as the user gave them."""

    found: Findings
    secrets: Secrets
    variables: Mapping[str, str]

    def read(self, index: int, entry: Any) -> Draft | None:
        """Return the draft of an entry; None, with an error, where it can't become a LanguageModel."""
        path: Path = ("model_list", index)
        if not isinstance(entry, dict) or not isinstance(entry.get("litellm_params"), dict):
            return self._refuse(path, "it has no litellm_params")
        given: Parameters = {key: value for key, value in entry["litellm_params"].items() if value is not None}
        name, model = entry.get("model_name"), self._plain(given.get("model"))
        if not isinstance(name, str) or not isinstance(model, str) or not model:
            return self._refuse(path, "model_name and litellm_params.model must be texts that are written out")
        slug, own = table.provider_of(model)
        if "custom_llm_provider" in given:
            slug = str(given.pop("custom_llm_provider"))
            self.found.add("LM801", *path, "litellm_params", "custom_llm_provider", target="spec.provider")
        reason = catalogue.refusals().get(slug)
        if reason or slug not in catalogue.litellm_names():
            return self._refuse(
                (*path, "litellm_params", "model"), reason or f"nothing says which provider has the model {own}"
            )
        provider = catalogue.of_litellm(slug)
        if slug == "openai" and given.keys() & {"api_base", "base_url"}:
            provider = catalogue.named("openai-compatible")
        if "*" in own and own != "*":
            return self._refuse(
                (*path, "litellm_params", "model"), "a LanguageModel serves one model, or every model of a provider"
            )
        draft = Draft(index, name, provider, {"provider": provider.name, "modelName": own})
        self.found.add("LM801", *path, "litellm_params", "model", target="spec.provider and spec.modelName")
        self._credentials(path, given, draft)
        for key, value in given.items():
            if key != "model":
                self._parameter((*path, "litellm_params", key), key, value, draft)
        self._info((*path, "model_info"), entry.get("model_info"), draft)
        for key in entry.keys() - {"model_name", "litellm_params", "model_info"}:
            self.found.add("LM804", *path, key, because="LiteLLM reads no such key of an entry", instead="remove it")
        return draft

    def _refuse(self, path: Path, reason: str) -> Draft | None:
        self.found.add("LM808", *path, reason=reason)
        return None

    def _plain(self, value: Any) -> Any:
        """Return a value with the given value of the variable that it refers to; a reference where none was given."""
        if isinstance(value, str) and value.startswith(REFERENCE):
            return self.variables.get(value.removeprefix(REFERENCE), value)
        return value

    def _credentials(self, path: Path, given: Parameters, draft: Draft) -> None:
        """Take the provider's credentials out of `given`, and name a Secret for them."""
        provider, taken = draft.provider, {}
        for key in [key for key in given if key in provider.credentials]:
            value = given.pop(key)
            place = (*path, "litellm_params", key)
            value = value if isinstance(value, str) else str(value)  # YAML reads a key of digits as a number
            if table.is_no_key(value):
                self.found.add("LM801", *place, target="no Secret: that server needs no key")
                continue
            taken[key] = value
        if not taken and provider.needs_key and not given.keys() & {"api_base", "base_url"}:
            variable = next((name for name in provider.credentials.get(provider.main_credential, []) if name.isupper()), "")
            if variable:
                taken[provider.main_credential] = f"{REFERENCE}{variable}"
        if not taken:
            return
        reference = self.secrets.reference(provider, taken, draft.model_name)
        draft.spec |= reference
        ((name, target),) = reference.items()
        for key, value in taken.items():
            place = (*path, "litellm_params", key)
            if value.startswith((REFERENCE, "/")):
                self.found.add("LM806", *place, secret=target["name"], target=f"spec.{name}")
            else:
                self.found.add("LM805", *place, secret=target["name"], target=f"spec.{name}")

    def _parameter(self, path: Path, key: str, value: Any, draft: Draft) -> None:
        value = self._plain(value)
        row = extra_table.row_of(path)
        target = table.targets().get(key)
        if key != credential_list.NAME and holds_secret(key, value):
            because, instead = "it holds a secret in clear, which was not copied", "name a Secret in spec.credentialsSecretRef"
            self.found.add("LM804", *path, because=because, instead=instead)
        elif holds_reference(value):
            self._variable(path, key, str(value).removeprefix(REFERENCE), target, draft)
        elif target is not None:
            self._field(path, value, target, draft)
        elif row is not None and row.effect == "refused" and row.keys[0] != "model_list[].litellm_params.*":
            self.found.add("LM804", *path, because=row.because, instead=row.instead)
        else:
            self._other(path, key, value, draft)

    def _variable(self, path: Path, key: str, variable: str, target: table.Target | None, draft: Draft) -> None:
        """A value that only LiteLLM's process knows: an address gets a placeholder, anything else is left to a person."""
        if target is not None and target.field == "endpoint":
            draft.members["endpoint"] = f"https://{variable.lower().replace('_', '-')}.invalid"
        field = f"spec.{target.field}" if target else f"spec.params.{key}"
        self.found.add("LM803", *path, what=f"a LanguageModel can't read a variable: write its value into {field}",
                       fix=f"import again with --variable {variable}=VALUE, if it is no secret")  # fmt: skip

    def _field(self, path: Path, value: Any, target: table.Target, draft: Draft) -> None:
        try:
            value = _CONVERSIONS[target.convert](value)
        except (TypeError, ValueError, ArithmeticError):
            self.found.add("LM804", *path, because="its value is of another type than LiteLLM reads", instead="correct it")
            return
        names = target.field.split(".")
        if "[]" in target.field:
            names = ["loadBalancing", "endpoints", names[-1]]
        if _is_refused(names, value):
            because = f"spec.{target.field} accepts no such value"
            self.found.add("LM804", *path, because=because, instead="docs/fields.md says which")
            return
        if target.member or names == ["endpoint"]:
            draft.members[names[-1]] = value
            if target.member in ("weight", "priority"):
                return  # its group says what becomes of it
        else:
            _set(draft.spec, names, value)
            if names[0] == "costTracking":
                draft.spec["costTracking"]["enabled"] = True
        self._said(path, target)

    def _said(self, path: Path, target: table.Target) -> None:
        if target.differs:
            self.found.add("LM802", *path, target=f"spec.{target.field}", difference=target.differs)
        else:
            self.found.add("LM801", *path, target=f"spec.{target.field}")

    def _other(self, path: Path, key: str, value: Any, draft: Draft) -> None:
        """A parameter of the provider, or of LiteLLM's translation: spec.params has it as it is, if it accepts it."""
        probe = Findings()
        parameters.checked({key: value}, probe, draft.provider.parameters)
        refused = [*probe.errors, *specification.errors_of(("params",), {key: value})]
        if refused:
            self.found.add(
                "LM804", *path, because="spec.params accepts no such value or name", instead="docs/fields.md says which"
            )
            return
        draft.spec.setdefault("params", {})[key] = value
        self.found.add("LM801", *path, target=f"spec.params.{key}")

    def _info(self, path: Path, info: Any, draft: Draft) -> None:
        for key, value in info.items() if isinstance(info, dict) else ():
            target = table.targets().get(key)
            if key == "base_model" and isinstance(value, str):
                draft.spec.setdefault("params", {})[key] = value
                self.found.add("LM801", *path, key, target="spec.params.base_model")
            elif target is not None and target.field.startswith("costTracking"):
                self._field((*path, key), value, target, draft)
            elif key in table.data()["info"]:
                self.found.add("LM801", *path, key, target=f"nothing: {table.data()['info'][key]}")
            else:
                because = "this gateway reads no such information about a model"
                self.found.add("LM804", *path, key, because=because, instead="remove it, or write it into metadata.annotations")


def _is_refused(names: list[str], value: Any) -> bool:
    """Whether the field at `names` does not accept a value; one below endpoints is a member of each endpoint."""
    if names[1:2] == ["endpoints"]:
        return not specification.accepts(specification.node_of(names[:2])["items"]["properties"][names[2]], value)
    return bool(specification.errors_of(names, value))


def _number(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise TypeError(value)
    return float(value)


_CONVERSIONS: dict[str, Any] = {
    "": lambda value: value,
    "text": str,
    "seconds": lambda value: durations.in_go(_number(value)),
    "thousand": lambda value: float(Decimal(repr(_number(value))) * 1000),
    "list": lambda value: value if isinstance(value, list) else [str(value)],
}


def _set(spec: dict[str, Any], names: list[str], value: Any) -> None:
    for name in names[:-1]:
        spec = spec.setdefault(name, {})
    spec[names[-1]] = value
