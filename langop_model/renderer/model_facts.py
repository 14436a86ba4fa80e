"""What sentences may speak of: one model as it was planned and rendered."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from langop_model.renderer import configuration_models, difference_endpoints, references
from langop_model.renderer.catalogue import Provider
from langop_model.renderer.findings import Path
from langop_model.renderer.plan import ANY, Model


@dataclass(frozen=True, slots=True)
class ModelFacts:
    """One model: its `spec` with defaults, its `section` of the configuration, and what else is known of it.

    `parameters` are those of its first deployment; `names` are what clients may ask for; `process` is what the gateway does for
    all its models. `deployments` are the ids of its endpoints by their place in the spec, `shares` their shares by id.
    """

    spec: Mapping[str, Any]
    section: Mapping[str, Any]
    provider: Provider
    names: tuple[str, ...]
    asked: str
    parameters: Mapping[str, Any]
    process: Mapping[str, Any]
    fallbacks: Sequence[Any]
    deployments: Mapping[Path, str]
    shares: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, model: Model, config: Mapping[str, Any]) -> ModelFacts:
        """Return the facts of a model of a rendered configuration."""
        section = config["callback_settings"]["langop"]["models"][model.group]
        entries = {entry["model_info"]["id"]: entry for entry in config["model_list"] if entry["model_name"] == model.group}
        endpoints = configuration_models.addressed(section["endpoints"], entries)
        strategy = section.get("strategy", "random")
        parts = difference_endpoints.shares(endpoints, strategy)
        public = model.spec["modelName"] if model.shares_its_name else model.group
        return cls(
            spec=model.spec,
            section={**section, "endpoints": endpoints},
            provider=model.provider,
            names=tuple(dict.fromkeys([public.replace(f"/{ANY}", "/<model>"), *references.names([model])[1:]])),
            asked="the model that the client names" if model.serves_any else model.spec["modelName"],
            parameters=next(iter(entries.values()))["litellm_params"],
            process={
                "callbacks": config.get("litellm_settings", {}).get("callbacks", []),
                "log_level": config["environment_variables"].get("LITELLM_LOG", "INFO"),
            },
            fallbacks=tuple(model.fallbacks),
            deployments={deployment.path[1:]: deployment.id for deployment in model.deployments},
            shares={
                each["id"]: difference_endpoints.words(part, strategy) for each, part in zip(endpoints, parts, strict=True)
            },
        )

    @property
    def falls_back_when_full(self) -> bool:
        """Whether a request that a limit refuses goes to a fallback."""
        return any(not {"error", "rate_limit"}.isdisjoint(fallback.conditions) for fallback in self.fallbacks)

    def values(self, path: Path = ()) -> dict[str, Any]:
        """Return what a sentence about the field at `path`, without `spec`, may name (schema/sentences.json)."""
        found: dict[str, Any] = {
            "spec": self.spec,
            "section": self.section,
            "provider": self.provider,
            "who": _inside_a_sentence(self.provider.title),
            "names": list(self.names),
            "asked": self.asked,
            "parameters": self.parameters,
            "process": self.process,
            "fallbacks": [fallback.ref for fallback in self.fallbacks],
            "full": "a fallback is asked" if self.falls_back_when_full else "it gets 429",
            "item": None,
            "endpoint": None,
            "share": "",
        }
        if path[:1] == ("fallbacks",) and len(path) > 1:
            found["item"] = next((each for each in self.fallbacks if each.number == path[1]), None)
        for length in range(len(path), 0, -1):
            identity = self.deployments.get(path[:length])
            if identity is not None and len(path) > length:
                found["endpoint"] = next(each for each in self.section["endpoints"] if each["id"] == identity)
                found["share"] = self.shares[identity]
                break
        return found


def _inside_a_sentence(title: str) -> str:
    """Return a provider's title as it follows other words: `A server that …` begins small, a name does not."""
    return f"a {title[2:]}" if title.startswith("A ") else title
