"""Entries of one model_name: a LanguageModel with several endpoints, several of one modelName, or one and its fallbacks."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from langop_model.importing.entries import Draft
from langop_model.renderer.findings import Findings, Path
from langop_model.renderer.plan import ANY, resource_name

LIMITS = ("requestsPerMinute", "tokensPerMinute", "concurrentRequests")
_REGIONAL = "region"  # entries that differ in it are regions of one model, where the provider addresses by region


@dataclass(slots=True)
class Made:
    """A LanguageModel: `entries` are the places of model_list that it was made of, in the order of its endpoints.

    `model_names` are what clients called it.
    """

    name: str
    spec: dict[str, Any]
    model_names: list[str]
    entries: list[int] = field(default_factory=list)

    @property
    def manifest(self) -> dict[str, Any]:
        """The whole resource."""
        header = {"apiVersion": "langop.io/v1alpha1", "kind": "LanguageModel", "metadata": {"name": self.name}}
        return {**header, "spec": self.spec}


def models(drafts: list[Draft], strategy: str, found: Findings) -> list[Made]:
    """Return the LanguageModels of all entries; `strategy` is that of the configuration, in our words, or empty."""
    by_name: dict[str, list[Draft]] = {}
    for draft in drafts:
        by_name.setdefault(draft.model_name, []).append(draft)
    made: list[Made] = []
    for model_name, of_name in by_name.items():
        clusters: dict[str, list[Draft]] = {}
        for draft in of_name:
            clusters.setdefault(_likeness(draft), []).append(draft)
        group = [_made(model_name, cluster, strategy) for cluster in clusters.values()]
        _share(model_name, group, list(clusters.values()), found)
        made += group
    made = _merged(made)
    _name(made)
    for called, group in _by_model_name(made).items():
        _fall_back(called, group, found)
    for each in made:
        _add_aliases(each, {other.spec["modelName"] for other in made if other is not each})
    return made


def _likeness(draft: Draft) -> str:
    """Return what entries must have in common to be endpoints of one LanguageModel."""
    spec = {name: value for name, value in draft.spec.items() if not (name == _REGIONAL and _is_regional(draft))}
    has = [bool(draft.members.get("endpoint")), _REGIONAL in draft.spec]
    return json.dumps([spec, *has], sort_keys=True, default=str)


def _is_regional(draft: Draft) -> bool:
    return draft.provider.name == "bedrock" and "weight" not in draft.members


def _made(model_name: str, cluster: list[Draft], strategy: str) -> Made:
    first = cluster[0]
    spec = dict(first.spec)
    limits = {name: [each.members[name] for each in cluster if name in each.members] for name in LIMITS}
    sums = {name: sum(int(value) for value in values) for name, values in limits.items() if len(values) == len(cluster)}
    if sums:
        spec["rateLimits"] = sums
    if len(cluster) > 1 and "endpoint" in first.members:
        spec["loadBalancing"] = _endpoints(cluster, strategy)
    elif len(cluster) > 1 and first.spec.get(_REGIONAL):
        spec.pop(_REGIONAL)
        spec["regions"] = [_region(each) for each in cluster]
        spec["loadBalancing"] = {"strategy": strategy or "random"}
    elif "endpoint" in first.members:
        spec["endpoint"] = first.members["endpoint"]
    return Made("", ordered(spec), [model_name], [each.index for each in cluster])


def _endpoints(cluster: list[Draft], strategy: str) -> dict[str, Any]:
    """Return the endpoints; LiteLLM's simple-shuffle weighs by weight, and else by rpm or tpm, and else not at all."""
    weights: list[Any] = []
    for member in ("weight", *LIMITS[:2]):
        weights = [each.members.get(member) for each in cluster]
        if all(weight is not None for weight in weights):
            break
        weights = []
    endpoints = []
    for number, each in enumerate(cluster):
        endpoint = {"url": each.members["endpoint"]}
        if weights:
            endpoint["weight"] = weights[number]
        if "priority" in each.members:
            endpoint["priority"] = each.members["priority"]
        endpoints.append(endpoint)
    return {"strategy": strategy or ("weighted" if weights else "random"), "endpoints": endpoints}


def _region(draft: Draft) -> dict[str, Any]:
    priority = {"priority": draft.members["priority"]} if "priority" in draft.members else {}
    return {"name": draft.spec[_REGIONAL], **priority}


def ordered(spec: dict[str, Any]) -> dict[str, Any]:
    """Return a spec in the order in which people write one."""
    from langop_model.resources import load_json

    order = list(load_json("languagemodel.schema.json")["properties"]["spec"]["properties"])
    return {name: spec[name] for name in order if name in spec}


def _share(model_name: str, group: list[Made], clusters: list[list[Draft]], found: Findings) -> None:
    """Give each of several LanguageModels of one modelName its share of the requests, as LiteLLM's entries have one."""
    shared = len(group) > 1 and all(each.spec["modelName"] == model_name for each in group)
    for made, cluster in zip(group, clusters, strict=True):
        for draft in cluster:
            for member, parameter in (("weight", "weight"), ("priority", "order")):
                if member not in draft.members:
                    continue
                path: Path = ("model_list", draft.index, "litellm_params", parameter)
                listed = made.spec.get("loadBalancing", {}).get("endpoints") or made.spec.get("regions")
                if listed and member in listed[0]:
                    found.add("LM801", *path, target=f"{member} of an endpoint")
                elif shared and len(cluster) == 1:
                    made.spec.setdefault("params", {})[parameter] = draft.members[member]
                    found.add("LM801", *path, target=f"spec.params.{parameter}")
                else:
                    because = "there is no other LanguageModel or endpoint to share its requests with"
                    found.add("LM804", *path, because=because, instead="remove it")
        made.spec = ordered(made.spec)


def _merged(made: list[Made]) -> list[Made]:
    """Put LanguageModels that differ in nothing but what clients call them into one, with several names."""
    result: dict[str, Made] = {}
    for each in made:
        key = json.dumps(each.spec, sort_keys=True, default=str)
        if key in result and each.model_names[0] not in result[key].model_names:
            result[key].model_names += each.model_names
            result[key].entries += each.entries
        else:
            result[f"{key}{len(result)}" if key in result else key] = each
    return list(result.values())


def _name(made: list[Made]) -> None:
    """Give each a resource's name: after what clients call it, unless that is the modelName of another."""
    model_names = {each.spec["modelName"] for each in made}
    taken: set[str] = set()
    for each in made:
        wanted = _wanted_name(each)
        foreign = model_names - {each.spec["modelName"]}
        names = [wanted, *(f"{wanted}-{number}" for number in range(2, len(made) + 3))]
        each.name = next(name for name in names if name not in taken and name not in foreign)
        taken.add(each.name)


def _wanted_name(made: Made) -> str:
    """Return the name to start from; one that serves any model is called like the prefix that clients use."""
    called = made.model_names[0]
    if made.spec["modelName"] == ANY:
        prefix = called.removesuffix("*").removesuffix("/")
        return resource_name(prefix or made.spec["provider"])
    return resource_name(called)[:200]


def _by_model_name(made: list[Made]) -> dict[str, list[Made]]:
    groups: dict[str, list[Made]] = {}
    for each in made:
        for name in each.model_names:
            groups.setdefault(name, []).append(each)
    return groups


def _fall_back(name: str, group: list[Made], found: Findings) -> None:
    """Entries of different models can't share requests here: the first answers, the others are its fallbacks."""
    if len(group) < 2 or all(each.spec["modelName"] == name for each in group):
        return
    first, *others = sorted(group, key=lambda each: each.spec["modelName"] != name)
    first.spec["fallbacks"] = [*first.spec.get("fallbacks", []), *({"modelRef": each.name} for each in others)]
    first.spec = ordered(first.spec)
    for each in others:
        each.model_names.remove(name)
    names = ", ".join(each.name for each in others)
    found.add("LM810", "model_list", first.entries[0], name=name, first=first.name, others=names)


def _add_aliases(made: Made, taken: set[str]) -> None:
    """Add what clients called a model; not what is the modelName of another, which answers to it."""
    if made.spec["modelName"] == ANY:
        return
    aliases = [name for name in made.model_names if name not in {made.name, made.spec["modelName"], *taken}]
    if aliases:
        made.spec["aliases"] = aliases
        made.spec = ordered(made.spec)
