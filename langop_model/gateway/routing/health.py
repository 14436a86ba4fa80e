"""Active checks of endpoints: spec.loadBalancing.healthCheck.

A check costs nothing where the provider has a request for it (GET models); elsewhere it is a completion of one token.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import logging
from collections.abc import Callable, Mapping
from typing import Any

import httpx
import litellm

from langop_model.contract.settings import Check, HealthCheck
from langop_model.gateway.routing.call import Served
from langop_model.gateway.routing.endpoints import Endpoints, State

log = logging.getLogger("langop.health")


class Watch:
    """Checks one of `endpoints` for as long as the process lives, and says in its `state` whether it is down.

    `parameters` returns those of its deployment, with the keys as they are now.
    """

    def __init__(
        self,
        endpoints: Endpoints,
        state: State,
        settings: HealthCheck,
        deployment: Mapping[str, Any],
        parameters: Callable[[], dict[str, Any]],
    ) -> None:
        self.endpoints = endpoints
        self.parameters = parameters
        self.state = state
        self.settings = settings
        self.deployment = deployment
        self.bad = 0

    async def run(self) -> None:
        """Check at the interval, from one start to the next; never end."""
        loop = asyncio.get_running_loop()
        while True:
            started = loop.time()
            self.learn(await self.check())
            await asyncio.sleep(max(0.0, started + self.settings.interval - loop.time()))

    async def check(self) -> bool:
        """Whether the endpoint answers within the timeout."""
        try:
            async with asyncio.timeout(self.settings.timeout):
                label = self.deployment["model_info"].get("health_check")
                await (self._ask(Check(**label)) if label else self._complete())
        except Exception as problem:  # noqa: BLE001 - whatever it is, the endpoint does not answer
            log.debug("%s: %s", self.state.endpoint.id, problem)
            return False
        return True

    def learn(self, good: bool) -> None:
        """Count a check, and act where a threshold is reached."""
        state = self.state
        state.checked_at = self.endpoints.clock()
        state.successful_checks, self.bad = (state.successful_checks + 1, 0) if good else (0, self.bad + 1)
        if state.is_down(self.endpoints.clock()) and state.successful_checks >= self.settings.healthy_threshold:
            self.endpoints.returned(state)
            log.warning("%s answers again after %s good checks", state.endpoint.id, state.successful_checks)
        elif not state.checked_down and self.bad >= self.settings.unhealthy_threshold:
            state.checked_down = True
            log.warning("%s is left out after %s failed checks", state.endpoint.id, self.bad)

    async def _ask(self, check: Check) -> None:
        key = self.parameters().get("api_key", "")
        headers = {**check.headers, check.key_header: f"{check.key_prefix}{key}"}
        answer = await _client().get(check.url, headers=headers, timeout=self.settings.timeout)
        # A server without this path answers 404: it is there. A key that is refused would be refused for a request too.
        if answer.status_code >= 500 or answer.status_code in (401, 403):
            raise httpx.HTTPStatusError(f"status {answer.status_code}", request=answer.request, response=answer)

    async def _complete(self) -> None:
        parameters = {**self.parameters(), "max_tokens": 1, "timeout": self.settings.timeout, "num_retries": 0}
        await litellm.acompletion(messages=[{"role": "user", "content": "Hi"}], **parameters)


@functools.cache
def _client() -> httpx.AsyncClient:
    """One client for all checks: to read the certificates takes longer than a check."""
    return httpx.AsyncClient()


def start(served: Served, deployments: Mapping[str, Mapping[str, Any]]) -> list[asyncio.Task[None]]:
    """Start checking the endpoints of a group that asks for it. Keep the tasks: the event loop does not."""
    settings = served.group.health_check
    if settings is None:
        return []
    with contextlib.suppress(RuntimeError):  # no event loop: nobody serves
        loop = asyncio.get_running_loop()
        watches = [_watch(served, state, settings, deployments[state.endpoint.id]) for state in served.endpoints.states]
        return [loop.create_task(watch.run()) for watch in watches]
    return []


def _watch(served: Served, state: State, settings: HealthCheck, deployment: Mapping[str, Any]) -> Watch:
    return Watch(served.endpoints, state, settings, deployment, lambda: served.keys.fill(deployment["litellm_params"]))
