"""What the section `callback_settings.langop` holds, as dataclasses and enums; section.py reads it."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from langop_model.contract.strategy import Strategy

SECTION = "langop"
WILDCARD = "/*"  # the end of the name of a group that serves every model of its provider: <resource>/*


class Cause(StrEnum):
    """Why a fallback is asked: the values of spec.fallbacks[].conditions. ERROR means any of them."""

    CONTENT_POLICY = "content_policy"
    CONTEXT_WINDOW = "context_window"
    ERROR = "error"
    RATE_LIMIT = "rate_limit"
    SERVER_ERROR = "server_error"
    TIMEOUT = "timeout"


class Delivery(StrEnum):
    """How a provider's credential reaches LiteLLM: as text, as the path of its file, or as a folder."""

    FOLDER = "folder"
    PATH = "path"
    TEXT = "text"


@dataclass(frozen=True, slots=True)
class Limits:
    """Limits of one model over all its endpoints; None for no limit. `wait` is how long a request may queue, in seconds."""

    requests_per_minute: int | None = None
    tokens_per_minute: int | None = None
    concurrent_requests: int | None = None
    wait: float = 300.0

    @property
    def holds(self) -> bool:
        """Whether a request holds something until its answer is complete: a place, or reserved tokens."""
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
    """A model group to ask when this one fails for one of `causes`."""

    group: str
    causes: frozenset[str]


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A deployment by its id: its weight, its share of the requests per minute, and its priority, lower first.

    `url` is its address, to which the paths of the group's Upstream are appended; empty where LiteLLM knows the address.
    """

    id: str
    weight: int = 1
    requests_per_minute: int | None = None
    priority: int = 0
    url: str = ""


@dataclass(frozen=True, slots=True)
class KeyHeader:
    """The header that carries the provider's key: its name, the text before the key, and the key's parameter in LiteLLM."""

    name: str
    prefix: str = ""
    parameter: str = "api_key"


@dataclass(frozen=True, slots=True)
class ModelRules:
    """What models take whose whole name matches the pattern `match`, beside what their Upstream says."""

    match: str
    drops: tuple[str, ...] = ()
    renames: dict[str, str] = field(default_factory=dict)
    translates: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Upstream:
    """How the provider of a group is asked without LiteLLM, in its own protocol, which is also the client's.

    `model` is its name of the model; of a group that serves any, what comes before the name that the client asked for.
    `routes` are the routes that it serves in the client's protocol, each with its path below the endpoint, or its whole URL;
    `{model}` in a path is the model.
    `streams` are the paths of those whose streams have another one.
    `key` is the header of the key; None where it takes none. `headers` and `query` go with each request.

    `extra_body` are members that each request gets, whatever the client says. `developer_role`: it knows the role `developer`,
    which is called `system` elsewhere.

    Of the members of a request: `drops` are hints that it does not take, and that are dropped; `renames` have another name
    there; a request with one of `translates` goes through LiteLLM, any request with `*`. Each is a condition in the language of
    langop_model/gateway/upstreams/conditions.py. `models` are further rules for models whose name fits, of a group that serves
    any.
    """

    model: str
    routes: dict[str, str] = field(default_factory=dict)
    streams: dict[str, str] = field(default_factory=dict)
    key: KeyHeader | None = None
    headers: dict[str, str] = field(default_factory=dict)
    query: dict[str, str] = field(default_factory=dict)
    drops: tuple[str, ...] = ()
    renames: dict[str, str] = field(default_factory=dict)
    translates: tuple[str, ...] = ()
    extra_body: dict[str, Any] = field(default_factory=dict)
    models: tuple[ModelRules, ...] = ()
    developer_role: bool = False


@dataclass(frozen=True, slots=True)
class UnsupportedDefaults:
    """The defaults, by their names in `Group.defaults`, that models do not take whose whole name matches `match`."""

    match: str
    names: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class HealthCheck:
    """Active checks of every endpoint. Times in seconds; thresholds in checks."""

    interval: float
    timeout: float
    healthy_threshold: int
    unhealthy_threshold: int


@dataclass(frozen=True, slots=True)
class Cooldown:
    """When an endpoint is skipped: after more than `allowed_fails` failures in a row, for `seconds`; never if not `enabled`.

    None: the gateway's own.
    """

    allowed_fails: int | None = None
    seconds: float | None = None
    enabled: bool = True


@dataclass(frozen=True, slots=True)
class Redis:
    """Where redis is, if the configuration says it and not REDIS_HOST: one server, a cluster, or behind Sentinel.

    Texts may be os.environ/NAME; url comes before host. Nodes of a cluster are {host, port}, those of Sentinel [host, port].
    """

    url: str | None = None
    host: str | None = None
    port: int | str | None = None
    username: str | None = None
    password: str | None = None
    db: int | None = None
    ssl: bool = False
    ssl_ca_certs: str | None = None
    cluster_nodes: tuple[dict[str, Any], ...] = ()
    sentinel_nodes: tuple[tuple[str, int], ...] = ()
    service_name: str | None = None
    sentinel_password: str | None = None


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
    """

    variable: str
    file: str = ""
    folder: str = ""
    names: tuple[str, ...] = ()
    delivery: str = Delivery.TEXT.value


@dataclass(frozen=True, slots=True)
class Log:
    """Whether the line of a request holds its messages, and whether it holds the answer's."""

    requests: bool
    responses: bool


@dataclass(frozen=True, slots=True)
class Caching:
    """Answers of a group that are kept: in which backend, for how many seconds (None: without end), in how many megabytes."""

    backend: str
    ttl: float | None = None
    megabytes: float | None = None


@dataclass(frozen=True, slots=True)
class Group:
    """Everything about one model group. Replicas know each other by the LanguageModel's `namespace` and name, `resource`.

    `keys` are by LiteLLM's parameter. `defaults` are members of a request that it gets unless the client gives them, by the
    names of chat completions. Of a group that serves any model, the first of `unsupported_defaults` that fits the model's name
    says which of them it is not sent. `timeout` bounds an attempt, in seconds; of a stream
    `stream_timeout`, if there is one, bounds the wait for each event. Clients can't ask for an `internal` group: it is the
    fallback of another one. `weight` and `priority` are its share of a modelName that several resources have.

    `routes` are those that its provider serves, relayed or translated; None where that is not for this gateway to say. A model
    that can chat serves the other text routes too. `accepts` are members of a request that clients may send beside those that
    schema/request-members.json names.
    """

    name: str
    resource: str
    endpoints: tuple[Endpoint, ...]
    strategy: str = Strategy.RANDOM.value
    limits: Limits = field(default_factory=Limits)
    retries: Retries = field(default_factory=Retries)
    fallbacks: tuple[Fallback, ...] = ()
    health_check: HealthCheck | None = None
    log: Log = field(default_factory=lambda: Log(requests=False, responses=False))
    namespace: str = "default"
    keys: dict[str, Key] = field(default_factory=dict)
    timeout: float = 300.0
    stream_timeout: float | None = None
    upstream: Upstream | None = None
    defaults: dict[str, Any] = field(default_factory=dict)
    unsupported_defaults: tuple[UnsupportedDefaults, ...] = ()
    caching: Caching | None = None
    internal: bool = False
    cooldown: Cooldown = field(default_factory=Cooldown)
    weight: int = 1
    priority: int = 0
    routes: tuple[str, ...] | None = None
    accepts: tuple[str, ...] = ()
