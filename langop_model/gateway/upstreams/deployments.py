"""The deployments of a configuration: their parameters and labels, with the keys that are mounted now."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any

from langop_model.contract import references
from langop_model.contract.settings import Endpoint, Group
from langop_model.gateway.secrets import ProviderKeys
from langop_model.gateway.upstreams.base import UpstreamRequest

_NO_KEY = "not-needed"  # what the configuration says to LiteLLM, which wants a key


class NoDeploymentError(LookupError):
    """The configuration has no deployment for an endpoint."""


class Deployments:
    """The deployments of a configuration by the id of their endpoint. `environment` is where references are looked up."""

    def __init__(self, model_list: Sequence[Mapping[str, Any]], environment: Mapping[str, str] = os.environ) -> None:
        self.environment = environment
        self.rendered = {
            str(entry["model_info"]["id"]): dict(entry["litellm_params"])
            for entry in model_list
            if "id" in entry.get("model_info", {})
        }
        self.labels = {str(entry["model_info"]["id"]): entry["model_info"] for entry in model_list if "model_info" in entry}
        self.keys: dict[str, ProviderKeys] = {}
        self._stated: dict[tuple[str, str], str] = {}  # those of the configuration, which stay as they are

    def key(self, group: Group, endpoint: Endpoint, parameter: str) -> str:
        """Return the credential `parameter` of a deployment; empty where it has none."""
        mounted = self._keys(group).value(parameter)
        if mounted is not None:
            return mounted
        found = self._stated.get((endpoint.id, parameter))
        if found is None:
            value = references.resolved(self.rendered.get(endpoint.id, {}).get(parameter), self._variable)
            found = self._stated[endpoint.id, parameter] = value if isinstance(value, str) and value != _NO_KEY else ""
        return found

    def label(self, endpoint: Endpoint, name: str) -> Any:
        """Return a label of a deployment (`model_info`); None where it has none."""
        return self.labels.get(endpoint.id, {}).get(name)

    def parameters(self, group: Group, endpoint: Endpoint, request: UpstreamRequest) -> tuple[dict[str, Any], dict[str, str]]:
        """Return the parameters of a deployment, and the variables of the process that its keys are in.

        Defaults of the specification are in the request already. Raises NoDeploymentError.
        """
        try:
            rendered = self.rendered[endpoint.id]
        except KeyError:
            raise NoDeploymentError(endpoint.id) from None
        own = {name: value for name, value in rendered.items() if name not in group.defaults}
        if str(own["model"]).endswith("*"):
            own["model"] = f"{str(own['model']).removesuffix('*')}{request.model}"
        keys = self._keys(group)
        filled = keys.fill(own)
        variables = {name: keys.values[name] for name, key in keys.keys.items() if name == key.variable and name in keys.values}
        return references.resolved(filled, self._variable), variables

    def _keys(self, group: Group) -> ProviderKeys:
        keys = self.keys.get(group.name)
        if keys is None:
            keys = self.keys[group.name] = ProviderKeys(group.keys)
        return keys

    def _variable(self, name: str) -> str | None:
        """Return a variable's value; one that is not set is as if the parameter was not there."""
        found = self.environment.get(name)
        return found.strip() if found is not None else None
