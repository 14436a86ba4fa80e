"""The rendered text is read back as LiteLLM reads it, and checked against the closed schema of what LiteLLM really reads.

LiteLLM itself ignores unknown keys, and drops a deployment that it does not understand without stopping.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from functools import cache
from typing import Any

import yaml

from langop_model.renderer import findings, read_back, yaml_values
from langop_model.renderer.findings import dotted
from langop_model.renderer.verdict import Checker
from langop_model.resources import load_json


class InvalidConfigError(Exception):
    """What LiteLLM would not read: where, and jsonschema's error about it."""

    def __init__(self, error: Any) -> None:
        self.error = error
        self.path = tuple(error.absolute_path)
        super().__init__(f"{dotted(self.path)}: {error.message}")


def parse(pieces: Sequence[str], own_parameters: Collection[str] = ()) -> dict[str, Any]:
    """Return the configuration in the text that `pieces` are together.

    `own_parameters` are the additional parameters that the specification asked for by name: they may be unknown to
    LiteLLM. Raises SpecError (LM601) for anything else that LiteLLM would not read.
    """
    try:
        return _accepted(read_back.load(pieces), own_parameters)
    except yaml.YAMLError as problem:
        raise findings.error("LM601", problem=f"it is no YAML: {problem}") from None
    except InvalidConfigError as refused:
        raise findings.error("LM601", problem=str(refused)) from None


def checked(text: str, own_parameters: Collection[str] = ()) -> dict[str, Any]:
    """Return the configuration in `text`, as `parse` does. Raises yaml.YAMLError or InvalidConfigError."""
    return _accepted(yaml_values.load(text), own_parameters)


def _accepted(config: Any, own_parameters: Collection[str]) -> dict[str, Any]:
    """Return `config`, which LiteLLM reads by yaml.safe_load (litellm/proxy/proxy_server.py). Raises InvalidConfigError."""
    of_litellm = _without(config, own_parameters)
    if not _checker().accepts(of_litellm):
        from langop_model.renderer.json_schema import validator

        raise InvalidConfigError(next(iter(validator(_checker().schema).iter_errors(of_litellm))))
    return dict(config)


@cache
def _checker() -> Checker:
    return Checker(load_json("litellm-config.schema.json"))


def _without(config: Any, own_parameters: Collection[str]) -> Any:
    """Return `config` without the parameters that only the provider knows."""
    if not own_parameters or not isinstance(config, dict):
        return config
    known = load_json("litellm-config.schema.json")["properties"]["model_list"]["items"]["properties"]["litellm_params"]
    unknown = [name for name in own_parameters if name not in known["properties"]]
    if not unknown:
        return config
    deployments = [
        {**entry, "litellm_params": {k: v for k, v in entry["litellm_params"].items() if k not in unknown}}
        for entry in config["model_list"]
    ]
    return {**config, "model_list": deployments}
