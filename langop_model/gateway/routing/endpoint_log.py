"""The lines about endpoints that go down and come back: which one, where it is, and why."""

from __future__ import annotations

import logging
from urllib.parse import urlsplit

from langop_model.contract.settings import Endpoint

log = logging.getLogger("langop.endpoints")


def skipped(endpoint: Endpoint, after: str, reason: str) -> None:
    """Say that an endpoint gets no requests, `after` what and for which `reason`, which holds no text of a caller."""
    address = address_of(endpoint)
    place = f" ({address})" if address else ""
    members = {"event": "endpoint_down", "endpoint": endpoint.id, "url": address, "reason": reason}
    shown = {name: value for name, value in members.items() if value}
    log.warning("endpoint %s is skipped after %s: %s%s", endpoint.id, after, reason, place, extra=shown)


def returned(endpoint: Endpoint, after: str) -> None:
    """Say that an endpoint gets requests again, `after` what."""
    members = {"event": "endpoint_up", "endpoint": endpoint.id}
    log.info("endpoint %s is healthy again after %s", endpoint.id, after, extra=members)


def address_of(endpoint: Endpoint) -> str:
    """Return an endpoint's address without user, password and query; empty where LiteLLM knows it."""
    parts = urlsplit(endpoint.url)
    host = parts.netloc.rpartition("@")[2]
    return f"{parts.scheme}://{host}{parts.path}" if host else ""
