"""What the environment of a process means to the renderer, which reads none by itself."""

from __future__ import annotations

import re
from collections.abc import Mapping

from langop_model.contract.environment import names_memcached, names_redis
from langop_model.renderer.record import Record

SERVICE_ACCOUNT_NAMESPACE = "/var/run/secrets/kubernetes.io/serviceaccount/namespace"
SECRETS = ("LITELLM_MASTER_KEY", "LANGOP_GATEWAY_HMAC_SECRET")  # for the authentication of clients
SECRETS_FOLDER = "/etc/secrets"
DEFAULT_SIBLING_URL = "http://{ref}.{namespace}.svc.cluster.local:4000/v1"
_POD_OF_A_DEPLOYMENT = r"^(?P<name>.+)-[a-z0-9]{6,10}-[a-z0-9]{5}$"


class Settings(Record):
    """What the place of a rendering decides, besides the specification.

    `model_name` and `namespace` name a resource that does not name itself. `sibling_url` is the address of another
    model's proxy, with {ref} and {namespace}. `secrets_folder` is where Secrets are mounted. `master_key`, `agent_keys`,
    `redis`, `memcached` and `trace_endpoint` say whether the process environment will hold LITELLM_MASTER_KEY,
    LANGOP_GATEWAY_HMAC_SECRET, an address of Redis or memcached, and OTEL_EXPORTER_OTLP_ENDPOINT; never their values.
    `extra_config` is a YAML text, a LiteLLM configuration that is written by hand. `in_pod` says that a loopback address is
    that of the gateway's own pod. `ignored` are codes of lint rules that are switched off. `empty_secrets` are the variables of
    SECRETS that are set and hold nothing.
    """

    model_name: str = ""
    namespace: str = "default"
    sibling_url: str = DEFAULT_SIBLING_URL
    secrets_folder: str = SECRETS_FOLDER
    master_key: bool = False
    agent_keys: bool = False
    redis: bool = False
    memcached: bool = False
    trace_endpoint: bool = False
    extra_config: str = ""
    in_pod: bool = False
    ignored: frozenset[str] = frozenset()
    empty_secrets: tuple[str, ...] = ()

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> Settings:
        """Return the settings that `environment` asks for.

        LANGOP_MODEL_NAME, LANGOP_NAMESPACE, LANGOP_SIBLING_URL, LANGOP_SECRETS_PATH, LANGOP_GATEWAY_EXTRA_CONFIG, and whether
        LiteLLM's own are set.
        """
        return cls(
            model_name=environment.get("LANGOP_MODEL_NAME", ""),
            namespace=environment.get("LANGOP_NAMESPACE") or "default",
            sibling_url=environment.get("LANGOP_SIBLING_URL") or DEFAULT_SIBLING_URL,
            secrets_folder=environment.get("LANGOP_SECRETS_PATH") or SECRETS_FOLDER,
            master_key=bool(environment.get("LITELLM_MASTER_KEY", "").strip()),
            agent_keys=bool(environment.get("LANGOP_GATEWAY_HMAC_SECRET", "").strip()),
            redis=names_redis(environment),
            memcached=names_memcached(environment),
            trace_endpoint=bool(
                environment.get("OTEL_EXPORTER_OTLP_ENDPOINT") or environment.get("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")
            ),
            extra_config=environment.get("LANGOP_GATEWAY_EXTRA_CONFIG", ""),
            empty_secrets=tuple(name for name in SECRETS if name in environment and not environment[name].strip()),
        )

    @classmethod
    def in_container(cls, environment: Mapping[str, str]) -> Settings:
        """Return the settings inside a pod, where the host name and the service account tell name and namespace too.

        With LANGOP_LOCAL=true the gateway runs on a machine of its own, and loopback addresses are servers there.
        """
        settings = cls.from_environment(environment)
        settings = settings.replace(in_pod=environment.get("LANGOP_LOCAL", "").lower() not in ("true", "1"))
        pod = re.match(_POD_OF_A_DEPLOYMENT, environment.get("HOSTNAME", ""))
        if not settings.model_name and pod:
            settings = settings.replace(model_name=pod["name"])
        if not environment.get("LANGOP_NAMESPACE"):
            from pathlib import Path

            file = Path(SERVICE_ACCOUNT_NAMESPACE)
            settings = settings.replace(namespace=file.read_text(encoding="utf-8").strip()) if file.is_file() else settings
        return settings
