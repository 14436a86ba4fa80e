"""What the dispatcher tells of its work, for logs, metrics and traces: accounting.recorder.Recorder listens."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from langop_model.contract.settings import Group
from langop_model.gateway.upstreams.base import UpstreamError


class Observer(Protocol):
    """Follows one request. Times in seconds."""

    def waits(self) -> None:
        """Note that the request waits for the limits of its model."""

    def admitted(self, group: str = "") -> None:
        """Note that the limits of a group allow an attempt."""

    def refused(self, limit: str, group: str = "", queued: int = 0) -> None:
        """Note that a limit refused the request, behind which `queued` others wait."""

    def backs_off(self, seconds: float) -> None:
        """Note a wait before a retry."""

    def falls_back(self, group: str, fallback: str, cause: str) -> None:
        """Note that another group is asked."""

    def attempt(self, group: Group, endpoint: str, model: str = "") -> Mapping[str, str] | None:
        """Note that an endpoint is asked. Return the headers that continue the trace at the provider, if there are any."""

    def failed(self, failure: UpstreamError) -> None:
        """Note that the attempt has failed, before its answer or within it."""

    def answered(self, status: int = 200) -> None:
        """Note that the attempt's whole answer has arrived."""
