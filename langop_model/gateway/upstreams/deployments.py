"""The deployments of the configuration: their parameters with the keys as they are now."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any

from langop_model.contract.settings import Group
from langop_model.gateway.secrets import Keys

REFERENCE = "os.environ/"
NO_KEY = "not-needed"  # what the configuration says to LiteLLM, which wants a key


class Deployments:
    """The entries of `model_list` by id. The keys of a group are read again when their files change."""

    def __init__(self, model_list: Sequence[Mapping[str, Any]], groups: Mapping[str, Group]) -> None:
        self._parameters = {entry["model_info"]["id"]: _resolved(entry["litellm_params"]) for entry in model_list}
        self._labels = {entry["model_info"]["id"]: entry["model_info"] for entry in model_list}
        self._keys = {name: Keys(group.keys) for name, group in groups.items()}

    def parameters(self, group: Group, endpoint_id: str) -> dict[str, Any]:
        """Return LiteLLM's parameters of a deployment, with the keys as they are now."""
        return self._keys[group.name].fill(self._parameters[endpoint_id])

    def key(self, group: Group, endpoint_id: str, parameter: str) -> str:
        """Return the credential `parameter` of a deployment; empty where it has none."""
        own = self._keys[group.name].value(parameter)
        value = own if own is not None else self._parameters[endpoint_id].get(parameter, "")
        return "" if value == NO_KEY else str(value or "")

    def label(self, endpoint_id: str, name: str) -> Any:
        """Return a label of a deployment (`model_info`); None where it has none."""
        return self._labels[endpoint_id].get(name)


def _resolved(parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Return parameters without references to the environment: those of keys that are mounted are filled in later."""
    return {name: _value(value) for name, value in parameters.items()}


def _value(value: Any) -> Any:
    if isinstance(value, str) and value.startswith(REFERENCE):
        return os.environ.get(value.removeprefix(REFERENCE), "")
    if isinstance(value, dict):
        return _resolved(value)
    return value
