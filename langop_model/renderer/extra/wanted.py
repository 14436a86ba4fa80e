"""What the extra configuration asks for, in the words of the renderer."""

from __future__ import annotations

from typing import Any

from langop_model.renderer.findings import Finding, Path
from langop_model.renderer.record import Record
from langop_model.renderer.settings import Settings

VARIABLE = "LANGOP_GATEWAY_EXTRA_CONFIG"
ALL = "*"  # the name that means every model group


class Default(Record):
    """A value for a field of the specs that do not state it. `path` is its key in the extra configuration.

    `within`: only where the object that holds the field is there. `models` are the names of those that it is for: none, all.
    """

    path: Path
    field: tuple[str, ...]
    value: Any
    within: bool = False
    models: frozenset[str] = frozenset()


class NamedFallback(Record):
    """Models to ask, in order, when the model `name` (ALL: any) fails for one of `causes`."""

    path: Path
    name: str
    targets: tuple[str, ...]
    causes: tuple[str, ...]


class Group(Record):
    """A model group of entries of model_list that are written by hand: the `entries`, and its `section` of the contract."""

    name: str
    path: Path
    entries: list[dict[str, Any]]
    section: dict[str, Any]
    aliases: list[str]


class Extra:
    """The extra configuration, divided by what becomes of it.

    `cooldown` (allowed_fails, seconds, enabled) and `redis` (its address) are sections of the contract. `aliases` are names of
    a model: alias to its path and the model's name; `shared` are those of a modelName that several resources have, each with
    their groups. `passed` is merged into the configuration as it is. `variables` are variables of the pod that it refers to:
    the name for the gateway's processes to the pod's own. `used` are the paths of what a model took. `text` is the whole.
    """

    def __init__(self) -> None:
        self.defaults: list[Default] = []
        self.fallbacks: list[NamedFallback] = []
        self.aliases: dict[str, tuple[Path, str]] = {}
        self.groups: list[Group] = []
        self.cooldown: dict[str, Any] = {}
        self.redis: dict[str, Any] = {}
        self.passed: dict[str, Any] = {}
        self.variables: dict[str, str] = {}
        self.findings: list[Finding] = []
        self.shared: dict[str, list[str]] = {}
        self.used: set[Path] = set()
        self.text = ""

    @property
    def caches(self) -> bool:
        """Whether answers are kept of models that do not say whether."""
        return any(default.field == ("caching", "enabled") and default.value for default in self.defaults)

    @property
    def strategy(self) -> str:
        """The strategy among resources of one modelName, in the words of spec.loadBalancing.strategy; empty for none."""
        found = (default.value for default in self.defaults if default.field == ("loadBalancing", "strategy"))
        return next(found, "")

    def settings(self, settings: Settings) -> Settings:
        """Return `settings` with what the extra configuration adds to the pod's environment."""
        named = "LITELLM_MASTER_KEY" in self.variables
        return settings.replace(master_key=settings.master_key or named, redis=settings.redis or bool(self.redis))


NOTHING = Extra()
