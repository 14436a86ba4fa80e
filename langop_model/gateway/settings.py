"""What the configuration says to this package: its section `callback_settings.langop`, where LiteLLM keeps it for callbacks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

SECTION = "langop"


@dataclass(frozen=True, slots=True)
class Limits:
    """Limits of one model over all its endpoints; None where there is none. `wait` is how long a call may queue, in seconds."""

    requests_per_minute: int | None = None
    tokens_per_minute: int | None = None
    concurrent_requests: int | None = None
    wait: float = 300.0

    @property
    def holds(self) -> bool:
        """Whether a call holds something until its answer is complete: a place, or tokens that are set aside for it."""
        return bool(self.tokens_per_minute or self.concurrent_requests)

    @property
    def any(self) -> bool:
        """Whether there is a limit."""
        return bool(self.requests_per_minute) or self.holds


@dataclass(frozen=True, slots=True)
class Retries:
    """Retries after the first attempt, the waits between them in seconds, and the HTTP status codes that are retried."""

    attempts: int = 0
    initial_backoff: float = 1.0
    max_backoff: float = 30.0
    multiplier: float = 2.0
    status_codes: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class Fallback:
    """A model group to ask when this one fails for one of `causes` (langop_model/gateway/routing/causes.py)."""

    group: str
    causes: frozenset[str]


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A deployment by its id: its weight, its share of the requests per minute, and its priority, lower first."""

    id: str
    weight: int = 1
    requests_per_minute: int | None = None
    priority: int = 0


@dataclass(frozen=True, slots=True)
class HealthCheck:
    """Active checks of every endpoint. Times in seconds; thresholds in checks."""

    interval: float
    timeout: float
    healthy_threshold: int
    unhealthy_threshold: int


@dataclass(frozen=True, slots=True)
class Check:
    """A request that costs nothing and shows that an endpoint answers: GET `url` with the key in `key_header`."""

    url: str
    key_header: str
    key_prefix: str
    headers: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Key:
    """Where a key of the provider is mounted, and the variable of the process that LiteLLM reads it from.

    It is in `file`, or in that file of `folder` whose name is one of `names`; without names the folder itself is it.
    `handed` says what LiteLLM gets: the file's text, its path, or a folder of its own with the same files.
    """

    variable: str
    file: str = ""
    folder: str = ""
    names: tuple[str, ...] = ()
    handed: str = "text"


@dataclass(frozen=True, slots=True)
class Log:
    """Whether the line of a request holds its messages, and whether it holds the answer's."""

    requests: bool
    responses: bool


@dataclass(frozen=True, slots=True)
class Group:
    """Everything about one model group. Replicas know each other by the LanguageModel's `namespace` and name, `resource`.

    `keys` are by LiteLLM's parameter.
    """

    name: str
    resource: str
    endpoints: tuple[Endpoint, ...]
    strategy: str = "random"
    limits: Limits = field(default_factory=Limits)
    retries: Retries = field(default_factory=Retries)
    fallbacks: tuple[Fallback, ...] = ()
    health_check: HealthCheck | None = None
    log: Log = field(default_factory=lambda: Log(requests=False, responses=False))
    namespace: str = "default"
    keys: dict[str, Key] = field(default_factory=dict)


def groups(settings: Mapping[str, Any]) -> dict[str, Group]:
    """Return the groups of a `callback_settings.langop` section by name. The renderer has checked it: nothing is forgiven."""
    return {name: _group(name, section) for name, section in settings["models"].items()}


def shared_names(settings: Mapping[str, Any]) -> dict[str, tuple[str, ...]]:
    """Return the modelNames that several LanguageModels have, each with the groups that serve it."""
    return {name: tuple(groups) for name, groups in settings.get("shared", {}).items()}


def keys(section: Mapping[str, Any]) -> dict[str, Key]:
    """Return the keys of one group's section by LiteLLM's parameter."""
    entries = section.get("keys", {})
    return {name: Key(**{**entry, "names": tuple(entry.get("names", ()))}) for name, entry in entries.items()}


def _group(name: str, section: Mapping[str, Any]) -> Group:
    retries = dict(section.get("retries", {}))
    check = section.get("health_check")
    return Group(
        name=name,
        resource=section["resource"],
        namespace=section["namespace"],
        endpoints=tuple(Endpoint(**endpoint) for endpoint in section["endpoints"]),
        strategy=section.get("strategy", "random"),
        limits=Limits(**section.get("limits", {})),
        retries=Retries(**{**retries, "status_codes": frozenset(retries.get("status_codes", ()))}),
        fallbacks=tuple(Fallback(entry["group"], frozenset(entry["causes"])) for entry in section.get("fallbacks", ())),
        health_check=HealthCheck(**check) if check else None,
        log=Log(**section.get("log", {"requests": False, "responses": False})),
        keys=keys(section),
    )
