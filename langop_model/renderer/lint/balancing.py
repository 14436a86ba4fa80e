"""Rules about endpoints: which there are, and what they weigh."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from langop_model.contract.strategy import Strategy
from langop_model.renderer import endpoints
from langop_model.renderer.findings import Path
from langop_model.renderer.lint.rule import Problem, problem
from langop_model.renderer.plan import Deployment, Model

ENDPOINTS: Path = ("spec", "loadBalancing", "endpoints")


def endpoint_twice(model: Model) -> Iterator[Problem]:
    """One address twice is one endpoint: it gets a double share, is checked twice, and no failure of it is survived."""
    first: dict[tuple[str, ...], Deployment] = {}
    for deployment in model.deployments:
        if deployment.endpoint is None:
            continue
        address = (deployment.endpoint, *(f"{name}={value}" for name, value in sorted(deployment.says.items())))
        if first.setdefault(address, deployment) is not deployment:
            inherited = deployment.address_path == ("spec", "endpoint")
            yield problem(*(deployment.path if inherited else deployment.address_path), address=deployment.endpoint)


def all_weights_zero(model: Model) -> Iterator[Problem]:
    """A weight of 0 means that an endpoint gets nothing. Where all have it, nothing would be left: all get the same."""
    written = _written(model)
    if len(written) > 1 and all(endpoint.get("weight") == 0 for endpoint in written):
        yield problem(*ENDPOINTS)


def weights_of_another_strategy(model: Model) -> Iterator[Problem]:
    """Only the strategy weighted goes by weights: under another they divide nothing but requestsPerMinute.

    Without that limit they have no effect at all, which is LM404.
    """
    balancing = model.spec.get("loadBalancing", {})
    strategy = balancing.get("strategy")
    limited = "requestsPerMinute" in model.spec.get("rateLimits", {})
    weights = {endpoint["weight"] for endpoint in balancing.get("endpoints", [])}
    if not (model.balanced and limited and len(weights - {0}) > 1) or strategy == Strategy.WEIGHTED:
        return
    for index, endpoint in enumerate(_written(model)):
        if endpoint.get("weight"):
            yield problem(*ENDPOINTS, index, "weight", strategy=strategy)


def address_without_version(model: Model) -> Iterator[Problem]:
    """Servers with OpenAI's protocol have their API below a version, such as /v1 or /openai/v1.

    An address with another path is mostly that of a user interface or of another protocol, and answers 404.
    """
    for deployment in model.deployments:
        if deployment.endpoint is not None and endpoints.lacks_version(model.provider, deployment.endpoint):
            yield problem(*deployment.address_path, address=deployment.endpoint)


def _written(model: Model) -> list[dict[str, Any]]:
    written: list[dict[str, Any]] = model.user_spec.get("loadBalancing", {}).get("endpoints", [])
    return written
