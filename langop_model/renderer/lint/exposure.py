"""Rules about what others may read: keys on the network, and what people ask, in logs."""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import ip_address
from urllib.parse import urlsplit

from langop_model.renderer import endpoints
from langop_model.renderer.lint.rule import Problem, problem, stated
from langop_model.renderer.plan import Model

# Names that no public resolver has: Kubernetes' services, RFC 6761 and 6762, RFC 8375, and ICANN's .internal.
PRIVATE_DOMAINS = ("svc", "local", "localhost", "test", "internal", "home.arpa")


def key_in_clear(model: Model) -> Iterator[Problem]:
    """Over http, anyone on the network path to a public host can read the key, and the prompts."""
    if not model.credentials.items:
        return
    for deployment in model.deployments:
        url = deployment.endpoint or model.provider.address
        if urlsplit(url).scheme == "http" and _is_public(endpoints.host(url), model.namespace):
            yield problem(*deployment.address_path, host=endpoints.host(url))


def content_in_log(model: Model) -> Iterator[Problem]:
    """What people write to a model is often personal, and logs are kept, and read by many.

    In a manifest, logRequests is true unless it says otherwise, as soon as there is the object logging.
    """
    logging = model.spec.get("observability", {}).get("logging", {})
    for field, content in (("logRequests", "every prompt"), ("logResponses", "every answer")):
        if not logging.get(field):
            continue
        path = ("observability", "logging", field)
        by_default = "" if stated(model, *path) else ", which is its default"
        yield problem("spec", *path, content=content, by_default=by_default)


def _is_public(host: str, namespace: str) -> bool:
    """Whether a host is no service of the cluster (also as NAME.NAMESPACE), no private address and no name of one word."""
    try:
        return ip_address(host).is_global
    except ValueError:
        domains = (*PRIVATE_DOMAINS, namespace)
        return "." in host and not any(host.endswith(f".{domain}") for domain in domains)
