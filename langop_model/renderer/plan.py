"""What the templates need and a template should not compute: deployments, shares of a limit, resolved references."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from langop_model.renderer import catalogue, credentials, parameters
from langop_model.renderer.catalogue import Provider
from langop_model.renderer.credentials import Credentials
from langop_model.renderer.findings import Findings, Path
from langop_model.renderer.shares import divide

ANY = "*"  # the modelName of a resource that serves whatever its provider has
_RESERVED_ID = re.compile(r"(endpoint|fallback)-")  # what this project itself names deployments by


@dataclass(slots=True)
class Deployment:
    """One endpoint of a model, as LiteLLM counts them.

    `endpoint` is None where the provider's own address is meant. `order` is None when no endpoint of the model has a
    priority. `requests_per_minute` is its share of the model's limit, None without one.
    """

    id: str
    path: Path
    endpoint: str | None = None
    region: str | None = None
    weight: int = 100
    order: int | None = None
    requests_per_minute: int | None = None


@dataclass(slots=True)
class Fallback:
    """Entry `index` of spec.fallbacks: `group` is the model group to ask, `url` its address when it is another proxy."""

    index: int
    ref: str
    group: str
    conditions: list[str]
    url: str | None = None


@dataclass(slots=True)
class Model:
    """A resource, ready for the templates.

    `group` is the name that LiteLLM knows it by: its modelName, `<name>/*` for a modelName of `*`. `aliases` are the other
    names that clients may ask for it by. `namespace` and `name` together are the resource's own in a whole cluster.
    `parameters` are those that spec.configuration.additionalParameters and spec.params name, by LiteLLM's names.
    """

    name: str
    group: str
    provider: Provider
    spec: dict[str, Any]
    stated: dict[str, Any]
    deployments: list[Deployment]
    findings: Findings
    credentials: Credentials = field(default_factory=Credentials)
    parameters: dict[str, Any] = field(default_factory=dict)
    fallbacks: list[Fallback] = field(default_factory=list)
    aliases: list[str] = field(default_factory=list)
    namespace: str = "default"

    @property
    def serves_any(self) -> bool:
        """Whether clients name the provider's models themselves."""
        return bool(self.spec["modelName"] == ANY)

    @property
    def balanced(self) -> bool:
        """Whether LiteLLM has a choice between endpoints."""
        return len(self.deployments) > 1

    @property
    def limited_per_minute(self) -> bool:
        """Whether requests or tokens per minute are limited."""
        limits = self.spec.get("rateLimits", {})
        return "requestsPerMinute" in limits or "tokensPerMinute" in limits

    def report(self, code: str, *path: str | int, **values: Any) -> str:
        """Record a finding about this model; what a template calls. Returns nothing to write."""
        self.findings.add(code, *path, **values)
        return ""


def make(name: str, spec: dict[str, Any], stated: dict[str, Any], secrets_folder: str, found: Findings) -> Model:
    """Return the plan of one valid spec.

    `spec` has the resource's defaults, `stated` is what its author wrote. References to other models are resolved later,
    for all models together.
    """
    provider = catalogue.of_spec(spec)
    deployments = _deployments(name, spec, found)
    _check_addresses(provider, deployments, found)
    _share_limit(spec.get("rateLimits", {}), deployments, found)
    return Model(
        name=name,
        group=f"{name}/{ANY}" if spec["modelName"] == ANY else spec["modelName"],
        provider=provider,
        spec=spec,
        stated=stated,
        deployments=deployments,
        findings=found,
        credentials=credentials.of_spec(provider, spec, secrets_folder, found),
        parameters=parameters.of_spec(provider, spec, found),
    )


def resource_name(model_name: str) -> str:
    """Return a resource name for a spec that has none: its modelName in the letters of Kubernetes."""
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
        for deployment in regions:
            deployment.endpoint = deployment.endpoint or spec["endpoint"]
    if not endpoints and not regions and _asked_for_several(spec):
        found.add("LM210", "spec", reason="every region is disabled or every endpoint has the weight 0")
    _set_order(deployments)
    _set_ids(name, deployments)
    return deployments


def _check_addresses(provider: Provider, deployments: list[Deployment], found: Findings) -> None:
    """Record an endpoint that the provider needs and has not, or has and can't use."""
    for deployment in deployments:
        path = deployment.path if len(deployment.path) > 1 else ("spec", "endpoint")
        if deployment.endpoint is None and not provider.address:
            found.add("LM120", *path, provider=provider.name, form=provider.form)
        elif deployment.endpoint is not None and provider.fixed:
            found.add("LM216", *path, provider=provider.name, address=provider.address)


def _from_endpoints(spec: dict[str, Any], found: Findings) -> Iterator[Deployment]:
    endpoints = spec.get("loadBalancing", {}).get("endpoints", [])
    nothing_for_all = not any(endpoint["weight"] for endpoint in endpoints)
    for index, endpoint in enumerate(endpoints):
        path: Path = ("spec", "loadBalancing", "endpoints", index)
        if not endpoint["weight"] and not nothing_for_all:
            found.add("LM408", *path)
            continue
        yield Deployment("", path, endpoint["url"], endpoint.get("region"), endpoint["weight"] or 1, endpoint.get("priority"))


def _from_regions(spec: dict[str, Any], found: Findings) -> Iterator[Deployment]:
    for index, region in enumerate(spec.get("regions", [])):
        path: Path = ("spec", "regions", index)
        if not region["enabled"]:
            found.add("LM409", *path)
            continue
        yield Deployment("", path, region.get("endpoint"), region["name"], order=region.get("priority"))


def _asked_for_several(spec: dict[str, Any]) -> bool:
    return bool(spec.get("regions") or spec.get("loadBalancing", {}).get("endpoints"))


def _set_order(deployments: list[Deployment]) -> None:
    """LiteLLM leaves out every deployment without an order as soon as one has it: all or none. Absent is 0, as in Go."""
    if any(deployment.order is not None for deployment in deployments):
        for deployment in deployments:
            deployment.order = deployment.order or 0


def _set_ids(name: str, deployments: list[Deployment]) -> None:
    """Give each deployment an id that is unique, readable in metrics, and stable when a key rotates.

    It always holds a slash: an id that is a name of LiteLLM's price list would change that name's price.
    """
    regions = [deployment.region for deployment in deployments]
    for index, deployment in enumerate(deployments):
        own = deployment.region if deployment.region and regions.count(deployment.region) == 1 else None
        deployment.id = f"{name}/{own if own and not _RESERVED_ID.match(own) else f'endpoint-{index}'}"


def _share_limit(limits: dict[str, int], deployments: list[Deployment], found: Findings) -> None:
    """Divide the requests of a minute; tokens and concurrent requests are counted for all endpoints together."""
    if "requestsPerMinute" not in limits:
        return
    parts = divide(limits["requestsPerMinute"], [deployment.weight for deployment in deployments])
    for deployment, part in zip(deployments, parts, strict=True):
        deployment.requests_per_minute = part
    without = ", ".join(deployment.id for deployment in deployments if not deployment.requests_per_minute)
    if without:
        path: Path = ("spec", "rateLimits", "requestsPerMinute")
        found.add("LM304", *path, limit=limits["requestsPerMinute"], deployments=without)
