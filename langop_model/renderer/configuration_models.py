"""The models of a rendered configuration, as `diff` compares them: robust against what no renderer would write."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from langop_model.renderer import parameters

WILDCARD = "/*"  # the end of the name of a group that serves every model of its provider
ADDRESSES = ("api_base", "base_url", "sagemaker_base_url")  # parameters of LiteLLM that hold the address of an endpoint
FALLBACK = "fallback/"  # how the group of another proxy begins


@dataclass(slots=True)
class ConfiguredModel:
    """A model group: its `section`, its `deployments` by id, and the `names` that clients may ask for it by."""

    group: str
    section: dict[str, Any]
    deployments: dict[str, dict[str, Any]] = field(default_factory=dict)
    names: list[str] = field(default_factory=list)

    @property
    def resource(self) -> tuple[str, str]:
        """Namespace and name of the LanguageModel."""
        return str(self.section.get("namespace", "")), str(self.section.get("resource", ""))

    @property
    def endpoints(self) -> list[dict[str, Any]]:
        """The endpoints of the section that are objects."""
        found = self.section.get("endpoints")
        return [each for each in found if isinstance(each, dict)] if isinstance(found, list) else []

    @property
    def is_internal(self) -> bool:
        """Whether clients can't ask for it: it is the fallback of another one."""
        return bool(self.section.get("internal"))


def of(config: Mapping[str, Any]) -> dict[str, ConfiguredModel]:
    """Return the model groups of a configuration by name. One without a section of ours is read from model_list."""
    sections = mapping(at(config, "callback_settings", "langop", "models"))
    found = {str(name): ConfiguredModel(str(name), dict(mapping(section))) for name, section in sections.items()}
    for index, entry in enumerate(entries(config)):
        name = str(entry.get("model_name", ""))
        model = found.setdefault(name, ConfiguredModel(name, {}))
        identity = str(mapping(entry.get("model_info")).get("id") or index)
        model.deployments[identity] = entry
        if name not in sections:
            model.section.setdefault("endpoints", []).append({"id": identity})
    for model in found.values():
        model.section |= _asked(model)
        if model.endpoints:
            model.section["endpoints"] = addressed(model.endpoints, model.deployments)
        if "timeout" not in model.section:
            model.section |= _of_parameters(model)
    for name, groups in _names(config, found).items():
        for group in groups:
            found[group].names.append(name)
    return found


def addressed(endpoints: Sequence[Mapping[str, Any]], deployments: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return endpoints of a section, each with its `url`: one that LiteLLM translates has it in its deployment alone.

    `deployments` are entries of model_list by their ids. The URL is empty where the provider's own address is asked.
    """
    params = [mapping(mapping(deployments.get(str(each.get("id")))).get("litellm_params")) for each in endpoints]
    asked = [next((own[name] for name in ADDRESSES if own.get(name)), "") for own in params]
    return [{**each, "url": each.get("url") or address} for each, address in zip(endpoints, asked, strict=True)]


def _of_parameters(model: ConfiguredModel) -> dict[str, Any]:
    """Return what a section of ours would say, of a model that has none (or an older one): its deployments say it.

    So a LiteLLM configuration that is written by hand, and what it is imported as, differ in nothing but what they do.
    """
    each = [mapping(entry.get("litellm_params")) for entry in model.deployments.values()]
    if not each or model.is_internal:
        return {}
    common = {name: value for name, value in each[0].items() if all(other.get(name) == value for other in each)}
    defaults = {name: value for name, value in common.items() if name != "model" and parameters.is_request_member(name)}
    timeout = {"timeout": common["timeout"]} if "timeout" in common else {}
    return {**timeout, **({"defaults": defaults} if defaults else {})}


def _asked(model: ConfiguredModel) -> dict[str, str]:
    """Return the provider and the model that all deployments ask, where they agree."""
    asked = {str(mapping(entry.get("litellm_params")).get("model", "")) for entry in model.deployments.values()}
    if len(asked) != 1 or model.is_internal:
        return {}
    provider, slash, name = asked.pop().partition("/")
    return {"provider": provider if slash else "", "model": name if slash else provider}


def only_resource(config: Mapping[str, Any]) -> str:
    """Return the name of the LanguageModel where a configuration serves one only; empty where it serves several or none."""
    models = [model for model in of(config).values() if not model.is_internal]
    return (models[0].resource[1] or models[0].group) if len(models) == 1 else ""


def entries(config: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the entries of model_list that are objects."""
    found = config.get("model_list")
    return [entry for entry in found if isinstance(entry, dict)] if isinstance(found, list) else []


def at(value: Any, *path: str) -> Any:
    """Return what is in nested objects at `path`, or None."""
    for name in path:
        value = value.get(name) if isinstance(value, dict) else None
    return value


def mapping(value: Any) -> dict[str, Any]:
    """Return `value` where it is an object, else an empty one."""
    return value if isinstance(value, dict) else {}


def _names(config: Mapping[str, Any], found: Mapping[str, ConfiguredModel]) -> dict[str, list[str]]:
    """Return the names that clients may ask for, each with the groups that serve it."""
    shared = mapping(at(config, "callback_settings", "langop", "shared"))
    members = {group for groups in shared.values() if isinstance(groups, list) for group in groups}
    public = [name for name, model in found.items() if not model.is_internal]
    names = {name: [name] for name in public if name not in members}
    names |= {
        name: [str(group) for group in groups if group in found] for name, groups in shared.items() if isinstance(groups, list)
    }
    for alias, group in mapping(at(config, "router_settings", "model_group_alias")).items():
        if isinstance(group, str) and group in found:
            names.setdefault(str(alias), [group])
    return names
