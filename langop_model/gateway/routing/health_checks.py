"""Active health checks of endpoints: spec.loadBalancing.healthCheck.

A check costs nothing where the provider has a request for it (GET models); elsewhere it is a completion of one token.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from langop_model.contract.settings import Cause, HealthCheck
from langop_model.gateway.routing import endpoint_log
from langop_model.gateway.routing.endpoints import Endpoints, LastError, State
from langop_model.gateway.upstreams.base import CLIENT_ERROR, CheckFailedError, UpstreamError

Probe = Callable[[State], Awaitable[None]]
"""Asks an endpoint. Raises an exception whose text says why it is down, without keys and addresses."""


class HealthChecker:
    """Checks one of `endpoints` for as long as the process lives, and says in its `state` whether it is down."""

    def __init__(self, endpoints: Endpoints, state: State, settings: HealthCheck, probe: Probe) -> None:
        self.endpoints = endpoints
        self.state = state
        self.settings = settings
        self.probe = probe
        self.failed_checks = 0
        self.reason = ""
        self.error = ("", 0)  # the cause and the HTTP status of the last failure

    async def run(self) -> None:
        """Check at the interval, from one start to the next; never end."""
        loop = asyncio.get_running_loop()
        while True:
            started = loop.time()
            is_good = await self.check()
            self.state.check_seconds = loop.time() - started
            self.learn(is_good)
            await asyncio.sleep(max(0.0, started + self.settings.interval - loop.time()))

    async def check(self) -> bool:
        """Return whether the endpoint answers within the timeout."""
        try:
            async with asyncio.timeout(self.settings.timeout):
                await self.probe(self.state)
        except Exception as problem:  # noqa: BLE001 - whatever it is, the endpoint does not answer
            self.reason, self.error = self._why(problem)
            return False
        self.reason = ""
        return True

    def _why(self, problem: Exception) -> tuple[str, tuple[str, int]]:
        """Return the reason of a failed check in words, and its cause with the HTTP status."""
        if isinstance(problem, TimeoutError):
            return f"no answer within {self.settings.timeout:g} s", (Cause.TIMEOUT.value, 0)
        text = str(problem) or type(problem).__name__
        if isinstance(problem, UpstreamError):
            return text, (problem.cause, problem.status)
        status = problem.status if isinstance(problem, CheckFailedError) else 0
        return text, (CLIENT_ERROR if 400 <= status < 500 else Cause.SERVER_ERROR.value, status)

    def learn(self, is_good: bool) -> None:
        """Count a check, and act where a threshold is reached."""
        state, now = self.state, self.endpoints.clock()
        state.checked_at = now
        state.checks[is_good] += 1
        state.check_error = None if is_good else LastError(*self.error, now)
        state.successful_checks, self.failed_checks = (
            (state.successful_checks + 1, 0) if is_good else (0, self.failed_checks + 1)
        )
        if state.is_down(now) and state.successful_checks >= self.settings.healthy_threshold:
            self.endpoints.returned(state)
            endpoint_log.returned(state.endpoint, f"{state.successful_checks} successful checks")
        elif not state.checked_down and self.failed_checks >= self.settings.unhealthy_threshold:
            state.checked_down = True
            state.goes_down(now)
            endpoint_log.skipped(state.endpoint, f"{self.failed_checks} failed checks", self.reason)
