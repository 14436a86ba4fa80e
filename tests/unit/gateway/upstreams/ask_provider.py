"""Asks a provider through the relay, also as a process: `python -m tests.unit.gateway.upstreams.ask_provider URL`."""

from __future__ import annotations

import asyncio
import sys

from langop_model.contract.settings import Endpoint, Group, Upstream
from langop_model.gateway.upstreams.base import Route, UpstreamError, UpstreamRequest
from langop_model.gateway.upstreams.deployments import Deployments
from langop_model.gateway.upstreams.relay import Relay
from tests.support.raw_provider import said


async def ask(url: str) -> str:
    """Return what the provider at `url` says, or the message of the failure."""
    endpoint = Endpoint(id="e", url=url)
    relay = Relay(Deployments([]))
    request = UpstreamRequest(Route.CHAT, "m", {"messages": []}, timeout=10)
    try:
        return said(
            await relay.send(Group("m", "m", (endpoint,), upstream=Upstream("m", {"chat": "/chat"})), endpoint, request)
        )
    except UpstreamError as error:
        return error.message
    finally:
        await relay.aclose()


if __name__ == "__main__":
    print(asyncio.run(ask(sys.argv[1])))  # noqa: T201
