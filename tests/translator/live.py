"""The translator's process, and the upstream of the gateway that asks it, in the event loop of a test."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Mapping
from typing import Any

from langop_model.contract.settings import Endpoint, Group, Upstream
from langop_model.gateway.serving.translator_process import TranslatorProcess, passed
from langop_model.gateway.upstreams.base import Answer, Route, UpstreamRequest
from langop_model.gateway.upstreams.deployments import Deployments
from langop_model.gateway.upstreams.translation import Translation

KEY = "sk-not-a-real-key-4711"
MESSAGES = [{"role": "user", "content": "hello there"}]


class Live:
    """One deployment, asked through the translator at `path`."""

    def __init__(self, path: str, parameters: Mapping[str, Any], *, native: tuple[str, ...] | None = (), **more: Any) -> None:
        entry = {"model_info": {"id": "one"}, "litellm_params": {"api_key": KEY, **parameters}}
        self.translation = Translation([path], Deployments([entry]), **more)
        self.endpoint = Endpoint("one")
        upstream = None if native is None else Upstream("m", {route: f"/{route}" for route in native})
        self.group = Group("mine", "resource", (self.endpoint,), upstream=upstream)

    async def send(self, route: Route, body: Mapping[str, Any], *, timeout: float = 20.0, **more: Any) -> Answer:
        """Ask."""
        request = UpstreamRequest(
            route, "mine", {"model": "mine", **body}, timeout=timeout, call_id="call-1", shown_model="mine", **more
        )
        return await self.translation.send(self.group, self.endpoint, request)

    async def events(self, route: Route, body: Mapping[str, Any], **more: Any) -> tuple[list[bytes], Answer]:
        """Ask for a stream, and take it to its end."""
        answer = await self.send(route, body, stream=True, **more)
        assert answer.events is not None
        return [event async for event in answer.events], answer


def started(**more: Any) -> TranslatorProcess:
    """Start a translator with nothing of this process's environment but what it needs."""
    process = TranslatorProcess(**more)
    process.start(passed(os.environ, ("COVERAGE_",)))
    return process


def wait_until_ready(process: TranslatorProcess, within: float = 60.0) -> None:
    """Wait until it serves."""
    deadline = time.monotonic() + within
    while not process.healthy():
        assert process.look(), "the translator has ended"
        assert time.monotonic() < deadline, "the translator is not ready"
        time.sleep(0.05)


async def soon(condition: Any, within: float = 20.0) -> None:
    """Wait until a condition holds."""
    deadline = time.monotonic() + within
    while not condition():
        assert time.monotonic() < deadline
        await asyncio.sleep(0.02)
