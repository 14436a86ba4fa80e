"""What the templates need and a template should not compute: deployments, shares of a limit, resolved references."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from langop_model.renderer import catalogue, credentials, endpoints, model_names, parameters
from langop_model.renderer.catalogue import Provider
from langop_model.renderer.credentials import Credentials
from langop_model.renderer.endpoints import VERSION_QUERY
from langop_model.renderer.findings import Findings, Path
from langop_model.renderer.limit_split import split_limit
from langop_model.renderer.record import Record
from langop_model.renderer.settings import Settings

ANY = "*"  # the modelName of a resource that serves whatever its provider has
_RESERVED_ID = r"(endpoint|fallback)-"  # what this project itself names deployments by


class Deployment:
    """One endpoint of a model, as LiteLLM counts them.

    `endpoint` is None where the provider's own address is meant. `priority` is None when no endpoint of the model has
    one. `requests_per_minute` is its share of the model's limit, None without one. `says` are fields of a spec that the
    URL gives, such as apiVersion. `address_path` is the field that gives its address, or would.
    """

    def __init__(
        self,
        id: str,  # noqa: A002
        path: Path,
        endpoint: str | None = None,
        region: str | None = None,
        *,
        weight: int = 100,
    ) -> None:
        self.id = id
        self.path = path
        self.endpoint = endpoint
        self.region = region
        self.weight = weight
        self.priority: int | None = None
        self.requests_per_minute: int | None = None
        self.says: Mapping[str, str] = {}
        self.address_path: Path = ("spec", "endpoint")


class Fallback(Record):
    """Entry `number` of spec.fallbacks: `group` is the model group to ask, `url` its address when it is another proxy."""

    number: int
    ref: str
    group: str
    conditions: list[str]
    url: str | None = None


class Model:
    """A resource, ready for the templates.

    `group` is the name that LiteLLM knows it by: its modelName, `<name>/*` for a modelName of `*`. `aliases` are the other
    names that clients may ask for it by; `written_name` is one of them where modelName was not written as the provider's own
    name. `namespace` and `name` together are the resource's own in a whole cluster.
    `parameters` are those that spec.configuration.additionalParameters and spec.params name, by LiteLLM's names. `share` is its
    weight and priority among the resources of one modelName.
    """

    def __init__(  # noqa: PLR0913 - what a plan is made of
        self,
        *,
        name: str,
        group: str,
        provider: Provider,
        spec: dict[str, Any],
        user_spec: dict[str, Any],
        deployments: list[Deployment],
        findings: Findings,
        credentials: Credentials,
        parameters: dict[str, Any],
        share: dict[str, int] | None = None,
        written_name: str = "",
    ) -> None:
        self.name = name
        self.group = group
        self.provider = provider
        self.spec = spec
        self.user_spec = user_spec
        self.deployments = deployments
        self.findings = findings
        self.credentials = credentials
        self.parameters = parameters
        self.share = share or {}
        self.fallbacks: list[Fallback] = []
        self.aliases: list[str] = []
        self.written_name = written_name
        self.namespace = "default"

    @property
    def serves_any(self) -> bool:
        """Whether clients name the provider's models themselves."""
        return bool(self.spec["modelName"] == ANY)

    @property
    def shares_its_name(self) -> bool:
        """Whether other resources of the gateway have the same modelName."""
        return bool(self.group == f"{self.spec['modelName']}@{self.name}")

    @property
    def balanced(self) -> bool:
        """Whether LiteLLM has a choice between endpoints."""
        return len(self.deployments) > 1

    def place_of(self, parameter: str) -> Path:
        """Return where the spec names a parameter."""
        return parameters.place(self.spec, parameter)

    def report(self, code: str, *path: str | int, **values: Any) -> str:
        """Record a finding about this model; what a template calls. Returns nothing to write."""
        self.findings.add(code, *path, **values)
        return ""


def make(name: str, spec: dict[str, Any], user_spec: dict[str, Any], settings: Settings, found: Findings) -> Model:
    """Return the plan of one valid spec.

    `spec` has the resource's defaults, `user_spec` is the spec as written. References to other models are resolved later,
    for all models together.
    """
    provider = catalogue.of_spec(spec)
    deployments = _deployments(name, spec, found)
    written = spec["modelName"]
    spec["modelName"] = model_names.read(provider, written, [deployment.endpoint for deployment in deployments], found)
    _read_addresses(provider, spec, deployments, found)
    _report_loopback(provider, deployments, settings, found)
    _share_limit(spec.get("rateLimits", {}), deployments, found)
    named = parameters.of_spec(provider, spec, found)
    _read_versions(spec, named, found)
    return Model(
        name=name,
        group=f"{name}/{ANY}" if spec["modelName"] == ANY else spec["modelName"],
        provider=provider,
        spec=spec,
        user_spec=user_spec,
        deployments=deployments,
        findings=found,
        credentials=credentials.of_spec(provider, spec, settings.secrets_folder, found),
        parameters=named,
        share=parameters.share(spec, named, found),
        written_name=written if written != spec["modelName"] else "",
    )


def resource_name(model_name: str) -> str:
    """Return a resource name for a spec that has none: its modelName in the characters that Kubernetes allows."""
    return re.sub(r"[^a-z0-9.]+", "-", model_name.lower()).strip("-.") or "model"


def _deployments(name: str, spec: dict[str, Any], found: Findings) -> list[Deployment]:
    endpoints = list(_from_endpoints(spec, found))
    regions = list(_from_regions(spec, found))
    deployments = endpoints + regions or [Deployment("", ("spec",), spec.get("endpoint"))]
    if (endpoints or regions) and "endpoint" in spec:
        unused = not any(deployment.endpoint is None for deployment in regions)
        if unused:
            because = "spec.loadBalancing.endpoints" if endpoints else "each region"
            found.add("LM403", "spec", "endpoint", because=f"{because} names the endpoints")
        for deployment in (each for each in regions if each.endpoint is None):
            deployment.endpoint, deployment.address_path = spec["endpoint"], ("spec", "endpoint")
    if not endpoints and not regions and _asked_for_several(spec):
        found.add("LM210", "spec", reason="every region is disabled or every endpoint has the weight 0")
    _set_priorities(deployments)
    _set_ids(name, deployments)
    return deployments


def _read_addresses(provider: Provider, spec: Mapping[str, Any], deployments: list[Deployment], found: Findings) -> None:
    """Read each endpoint as the base address that it means, and record one that is missing, or of no use."""
    named_by = "provider" if "provider" in spec else "litellmProvider"
    for deployment in deployments:
        path = deployment.address_path
        if deployment.endpoint is None:
            if not provider.address:
                found.add("LM120", *path, provider=provider.name, form=provider.endpoint_format)
        elif provider.endpoint_locked:
            found.add("LM216", *path, provider=provider.name, address=provider.address)
        else:
            endpoint = endpoints.read(provider, deployment.endpoint, spec["modelName"], path, found, named_by)
            deployment.endpoint, deployment.says = endpoint.base, endpoint.fields


def _report_loopback(provider: Provider, deployments: list[Deployment], settings: Settings, found: Findings) -> None:
    """Record an address that is the gateway's own pod: as the provider's own it is of no use there, as an endpoint rarely."""
    for deployment in deployments:
        path, address = deployment.address_path, deployment.endpoint or provider.address
        if not endpoints.is_loopback(address):
            continue
        if deployment.endpoint is None:
            found.add("LM136" if settings.in_pod else "LM137", *path, provider=provider.name, address=address)
        elif settings.in_pod:
            found.add("LM138", *path, address=address)


def _read_versions(spec: dict[str, Any], named: dict[str, Any], found: Findings) -> None:
    """Cut the name of Azure's query from a version that was copied with it: api-version=2024-10-21 is 2024-10-21."""
    by_parameter = "spec.params" if "api_version" in spec.get("params", {}) else "spec.configuration.additionalParameters"
    for values, name, path in ((spec, "apiVersion", "spec"), (named, "api_version", by_parameter)):
        version = re.fullmatch(VERSION_QUERY, f"?{str(values.get(name, '')).removeprefix('?')}")
        if version is not None:
            values[name] = version["version"]
            found.add("LM133", *path.split("."), name, value=values[name])


def _from_endpoints(spec: dict[str, Any], found: Findings) -> Iterator[Deployment]:
    endpoints = spec.get("loadBalancing", {}).get("endpoints", [])
    nothing_for_all = not any(endpoint["weight"] for endpoint in endpoints)
    for index, endpoint in enumerate(endpoints):
        path: Path = ("spec", "loadBalancing", "endpoints", index)
        if not endpoint["weight"] and not nothing_for_all:
            found.add("LM408", *path)
            continue
        deployment = Deployment("", path, endpoint["url"], endpoint.get("region"), weight=endpoint["weight"] or 1)
        deployment.priority, deployment.address_path = endpoint.get("priority"), (*path, "url")
        yield deployment


def _from_regions(spec: dict[str, Any], found: Findings) -> Iterator[Deployment]:
    for index, region in enumerate(spec.get("regions", [])):
        path: Path = ("spec", "regions", index)
        if not region["enabled"]:
            found.add("LM409", *path)
            continue
        deployment = Deployment("", path, region.get("endpoint"), region["name"])
        deployment.priority = region.get("priority")
        deployment.address_path = (*path, "endpoint") if "endpoint" in region else path
        yield deployment


def _asked_for_several(spec: dict[str, Any]) -> bool:
    return bool(spec.get("regions") or spec.get("loadBalancing", {}).get("endpoints"))


def _set_priorities(deployments: list[Deployment]) -> None:
    """Where one endpoint has a priority, an absent one is 0, as in Go."""
    if any(deployment.priority is not None for deployment in deployments):
        for deployment in deployments:
            deployment.priority = deployment.priority or 0


def _set_ids(name: str, deployments: list[Deployment]) -> None:
    """Give each deployment an id that is unique, readable in metrics, and stable when a key rotates.

    It always holds a slash: an id that is a name of LiteLLM's price list would change that name's price.
    """
    regions = [deployment.region for deployment in deployments]
    for index, deployment in enumerate(deployments):
        own = deployment.region if deployment.region and regions.count(deployment.region) == 1 else None
        deployment.id = f"{name}/{own if own and not re.match(_RESERVED_ID, own) else f'endpoint-{index}'}"


def _share_limit(limits: dict[str, int], deployments: list[Deployment], found: Findings) -> None:
    """Divide the requests of a minute; tokens and concurrent requests are counted for all endpoints together."""
    if "requestsPerMinute" not in limits:
        return
    parts = split_limit(limits["requestsPerMinute"], [deployment.weight for deployment in deployments])
    for deployment, part in zip(deployments, parts, strict=True):
        deployment.requests_per_minute = part
    without = ", ".join(deployment.id for deployment in deployments if not deployment.requests_per_minute)
    if without:
        path: Path = ("spec", "rateLimits", "requestsPerMinute")
        found.add("LM304", *path, limit=limits["requestsPerMinute"], deployments=without)
