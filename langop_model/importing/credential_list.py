"""credential_list: values that entries of model_list name by litellm_credential_name, as LiteLLM reads them."""

from __future__ import annotations

from typing import Any

from langop_model.renderer.findings import Findings

LIST, NAME = "credential_list", "litellm_credential_name"


def resolved(value: dict[str, Any], found: Findings) -> dict[str, Any]:
    """Return a configuration whose entries hold what they name in credential_list, which is then no part of it.

    As in LiteLLM, what an entry says itself comes first. One that names no credential of the list keeps the name, and a finding
    is made of it with its other parameters.
    """
    known = _known(value.get(LIST))
    named = {_name_in(entry) for entry in value["model_list"]} & known.keys()
    if not named:
        return value
    entries = [_with_values(index, entry, known, found) for index, entry in enumerate(value["model_list"])]
    found.add("LM801", LIST, target="fields of the entries that name its credentials")
    for index, name in enumerate(known):
        if name not in named:
            found.add("LM804", LIST, index, because=f"no entry of model_list names {name}", instead="remove it")
    return {**{key: each for key, each in value.items() if key != LIST}, "model_list": entries}


def _known(credentials: Any) -> dict[str, dict[str, Any]]:
    """Return the values of each credential by its name; nothing where the list is not what LiteLLM reads."""
    named = {}
    for each in credentials if isinstance(credentials, list) else ():
        name, values = (each.get("credential_name"), each.get("credential_values")) if isinstance(each, dict) else (None, None)
        if not isinstance(name, str) or not isinstance(values, dict):
            return {}
        named[name] = values
    return named


def _name_in(entry: Any) -> str:
    params = entry.get("litellm_params") if isinstance(entry, dict) else None
    name = params.get(NAME) if isinstance(params, dict) else None
    return name if isinstance(name, str) else ""


def _with_values(index: int, entry: Any, known: dict[str, dict[str, Any]], found: Findings) -> Any:
    values = known.get(_name_in(entry))
    if values is None:
        return entry
    found.add("LM801", "model_list", index, "litellm_params", NAME, target="the values of that credential")
    own = {key: value for key, value in entry["litellm_params"].items() if key != NAME}
    return {**entry, "litellm_params": values | own}
