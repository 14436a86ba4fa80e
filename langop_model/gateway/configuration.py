"""The rendered configuration as the front reads it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import yaml

from langop_model.contract import section as contract
from langop_model.contract import unavailable_models
from langop_model.contract.fingerprint import fingerprint
from langop_model.contract.settings import SECTION, Group
from langop_model.contract.strategy import Strategy
from langop_model.contract.unavailable_models import UnavailableModel

# What the renderer itself names there: the front does these.
OWN_CALLBACKS = frozenset({"prometheus", "otel"})

_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@dataclass(frozen=True, slots=True)
class Configuration:
    """What a config.yaml says: the groups of its models, their deployments, and the names that clients may use.

    `refuses_unsupported`: a parameter that a model does not take fails the request, also where it is a hint
    (litellm_settings.drop_params: false). `unavailable` are LanguageModels that can't be served; of those in `outdated` the
    previous version is. `fingerprint` tells its text from others'.
    """

    groups: dict[str, Group]
    model_list: list[dict[str, Any]] = field(default_factory=list)
    aliases: dict[str, str] = field(default_factory=dict)
    shared: dict[str, tuple[str, ...]] = field(default_factory=dict)
    shared_strategy: str = Strategy.ROUND_ROBIN.value
    unavailable: tuple[UnavailableModel, ...] = ()
    outdated: tuple[UnavailableModel, ...] = ()
    refuses_unsupported: bool = False
    litellm_settings: dict[str, Any] = field(default_factory=dict)
    variables: dict[str, str] = field(default_factory=dict)
    redis: dict[str, Any] = field(default_factory=dict)
    fingerprint: str = ""

    @property
    def callbacks(self) -> list[str]:
        """Callbacks of LiteLLM's that somebody configured by hand: its SDK calls them, in the translator."""
        lists = [self.litellm_settings.get(name) or () for name in ("callbacks", "success_callback", "failure_callback")]
        return [name for names in lists for name in names if isinstance(name, str) and name not in OWN_CALLBACKS]

    @property
    def needs_translator(self) -> bool:
        """Whether requests are certain to need LiteLLM: then the translator starts with the gateway."""
        chats = (group.upstream is None or "chat" not in group.upstream.routes for group in self.groups.values())
        return any(chats) or bool(self.callbacks)

    @property
    def traces(self) -> bool:
        """Whether requests become traces (observability.tracing)."""
        return "otel" in (self.litellm_settings.get("callbacks") or ())

    @property
    def metrics(self) -> bool:
        """Whether GET /metrics is open (observability.metrics)."""
        return "prometheus" in (self.litellm_settings.get("callbacks") or ())

    @classmethod
    def load(cls, path: Path) -> Configuration:
        """Return the configuration in a file. Raises OSError, yaml.YAMLError, KeyError and TypeError: launch wrote the file."""
        text = path.read_text(encoding="utf-8")
        return replace(cls.of(yaml.load(text, Loader=_Loader)), fingerprint=fingerprint(text))  # noqa: S506 - a safe loader

    @classmethod
    def of(cls, config: Mapping[str, Any]) -> Configuration:
        """Return a parsed configuration."""
        section = config["callback_settings"][SECTION]
        litellm = config.get("litellm_settings") or {}
        return cls(
            groups=contract.groups(section),
            model_list=list(config.get("model_list") or ()),
            aliases=dict((config.get("router_settings") or {}).get("model_group_alias") or {}),
            shared=contract.shared_names(section),
            shared_strategy=section.get("shared_strategy", Strategy.ROUND_ROBIN.value),
            unavailable=tuple(unavailable_models.unavailable(section).values()),
            outdated=tuple(unavailable_models.outdated(section).values()),
            refuses_unsupported=litellm.get("drop_params") is False,
            litellm_settings=dict(litellm),
            variables=dict(config.get("environment_variables") or {}),
            redis=dict(section.get("redis") or {}),
        )
