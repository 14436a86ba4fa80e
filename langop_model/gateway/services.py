"""Everything a worker serves with, built from a configuration when its event loop runs."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any
from typing import Protocol as Interface

import orjson

from langop_model import __version__
from langop_model.contract.settings import Check
from langop_model.gateway import end_of_turn
from langop_model.gateway.access import health_page, health_status, worker_health
from langop_model.gateway.access.authentication import ClientKeys
from langop_model.gateway.access.error_formats import error_body
from langop_model.gateway.access.open_routes import OpenRoute, Protocol, Purpose
from langop_model.gateway.accounting import exposition, gauges, prices, traces
from langop_model.gateway.accounting.gauges import Gauges
from langop_model.gateway.accounting.metrics import Metrics
from langop_model.gateway.accounting.prices import Prices
from langop_model.gateway.accounting.recorder import Accounting
from langop_model.gateway.accounting.request_log import RequestLog
from langop_model.gateway.accounting.traces import Traces
from langop_model.gateway.configuration import Configuration
from langop_model.gateway.limits.usage import used_of
from langop_model.gateway.routing.dispatcher import Dispatcher
from langop_model.gateway.routing.endpoints import Endpoints, State
from langop_model.gateway.routing.group_resolution import GroupNames
from langop_model.gateway.routing.health_checks import HealthChecker, Probe
from langop_model.gateway.routing.runtime import GroupRuntime
from langop_model.gateway.shared_state import SharedState, redis_environment
from langop_model.gateway.supervisor_state import SupervisorState
from langop_model.gateway.upstreams import failure_causes
from langop_model.gateway.upstreams.base import Route, Upstream, UpstreamRequest
from langop_model.gateway.upstreams.deployments import Deployments
from langop_model.gateway.upstreams.relay import Relay
from langop_model.gateway.upstreams.translation import Translation

JSON = b"application/json"
TEXT = b"text/plain; charset=utf-8"
HTML = b"text/html; charset=utf-8"
STARTED = int(time.time())


class Peers(Interface):
    """What the other workers have counted, and what they know."""

    def others(self) -> list[bytes]:
        """Return the snapshots of the other workers."""

    def retired(self) -> bytes | None:
        """Return what ended workers had counted."""

    def health_of_others(self) -> list[bytes]:
        """Return what the other workers know of their models (worker_health.dump)."""

    def state(self) -> SupervisorState | None:
        """Return what the supervisor knows."""


class Services:
    """The services of one worker (app.Services).

    `translators` are the sockets of the translators; `wake` asks the supervisor to start them. `peers` are the other workers.
    """

    def __init__(
        self,
        configuration: Configuration,
        environment: Mapping[str, str],
        translators: Sequence[str] = (),
        wake: Callable[[], None] = lambda: None,
        peers: Peers | None = None,
    ) -> None:
        self.peers = peers
        self.configuration = configuration
        self.keys = ClientKeys.from_environment(environment)
        self.names = GroupNames(
            configuration.groups, configuration.aliases, configuration.shared, configuration.shared_strategy
        )
        self.deployments = Deployments(configuration.model_list)
        self.relay = Relay(self.deployments)
        self.translation = Translation(
            translators,
            self.deployments,
            classify=failure_causes.classify,
            drop=not configuration.refuses_unsupported,
            wake=wake,
        )
        self.shared = shared = SharedState(redis_environment(environment, configuration.redis))
        self.runtimes = {
            name: GroupRuntime(
                group,
                shared.admission(group),
                Endpoints(group),
                self.relay,
                self.translation,
                shared.cache(group, configuration.model_list),
            )
            for name, group in configuration.groups.items()
        }
        self.accounting = _accounting(configuration, environment)
        self.gauges = Gauges(self.accounting.metrics, self.runtimes.values(), shared)
        self.names.endpoints = {name: runtime.endpoints for name, runtime in self.runtimes.items()}
        self.dispatcher = Dispatcher(self.runtimes, refuses_unsupported=configuration.refuses_unsupported)
        self.tasks: list[asyncio.Task[None]] = []

    def start(self) -> None:
        """Start the health checks, and what is shared with other processes."""
        self.shared.start((runtime.group, runtime.endpoints) for runtime in self.runtimes.values())
        loop = asyncio.get_running_loop()
        for runtime in self.runtimes.values():
            settings = runtime.group.health_check
            for state in runtime.endpoints.states if settings else ():
                assert settings is not None  # noqa: S101 - the loop is empty otherwise
                checker = HealthChecker(runtime.endpoints, state, settings, self._probe(runtime))
                self.tasks.append(loop.create_task(checker.run()))

    async def aclose(self) -> None:
        """Stop the checks and close the connections."""
        for task in self.tasks:
            task.cancel()
        await self.relay.aclose()
        await self.translation.aclose()
        await self.shared.aclose()
        self.accounting.settlement.settle()
        if self.accounting.traces is not None:
            await self.accounting.traces.aclose()

    async def answer(
        self,
        purpose: Purpose,
        route: OpenRoute,
        headers: Mapping[bytes, bytes],
    ) -> tuple[int, bytes, bytes]:
        """Answer a path that is no question to a model."""
        if purpose is Purpose.LIST_MODELS:
            return self._models(route.model)
        if purpose is Purpose.ROOT:
            line = f"langop/model {__version__}: an OpenAI-compatible gateway. GET /v1/models lists its models\n"
            return 200, TEXT, line.encode()
        if purpose is Purpose.METRICS and not self.configuration.metrics:
            message = "GET /metrics is closed: spec.observability.metrics of every model is false"
            return 404, JSON, error_body(Protocol.OPENAI, 404, message, code="not_found")
        if purpose is Purpose.METRICS:
            return await self._metrics(headers)
        if purpose is Purpose.HEALTH:
            return await self._health(b"text/html" in headers.get(b"accept", b""))
        return 200, JSON, b'{"status":"healthy"}'

    def snapshot(self) -> bytes:
        """Return what this worker has counted and what its gauges are, for the worker that answers a scrape."""
        self.accounting.settlement.settle()
        self.gauges.read()
        return self.accounting.metrics.snapshot()

    def health(self) -> bytes:
        """Return what this worker knows of its models, for the worker that answers GET /health."""
        return worker_health.dump(self.runtimes.values(), self.configuration.fingerprint, self.shared.redis_up)

    async def _health(self, as_page: bool) -> tuple[int, bytes, bytes]:
        limited = {name: runtime.admission for name, runtime in self.runtimes.items() if runtime.group.limits.any}
        known = health_status.Known(
            dict(zip(limited, await used_of(list(limited.values())), strict=True)),
            self.accounting.metrics.regions,
            self.shared.redis_up,
            [worker_health.load(each, self.configuration.fingerprint) for each in self.peers.health_of_others()]
            if self.peers is not None
            else (),
            self.peers.state() if self.peers is not None else None,
        )
        found = health_status.report(self.runtimes.values(), self.configuration, known)
        return (200, HTML, health_page.page(found)) if as_page else (200, JSON, orjson.dumps(found))

    async def _metrics(self, headers: Mapping[bytes, bytes]) -> tuple[int, bytes, bytes]:
        media_type = exposition.content_type(headers.get(b"accept", b"").decode("latin-1"))
        self.accounting.settlement.settle()
        await self.gauges.read_shared()
        others: list[bytes] = []
        retired = None
        if self.peers is not None:
            others, retired = self.peers.others(), self.peers.retired()
            if (state := self.peers.state()) is not None:
                others.append(gauges.snapshot_of(state))
        return 200, media_type.encode(), self.accounting.metrics.text(others, retired, media_type)

    def unavailable(self, model: str) -> str | None:
        """Return why a model of the specification is not served; None for a name that no specification has."""
        return next((each.reason for each in self.configuration.unavailable if each.serves(model)), None)

    def _models(self, name: str) -> tuple[int, bytes, bytes]:
        if not name:
            entries = [_entry(each) for each in self.names.listed()]
            return 200, JSON, orjson.dumps({"object": "list", "data": entries})
        if self.names.resolve(name) is None:
            message = f"the model {name!a} is not served here. GET /v1/models lists those that are"
            return 404, JSON, error_body(Protocol.OPENAI, 404, message, code="model_not_found", param="model")
        return 200, JSON, orjson.dumps(_entry(name))

    def _probe(self, runtime: GroupRuntime) -> Probe:
        group = runtime.group

        async def probe(state: State) -> None:
            label = self.deployments.label(state.endpoint, "health_check")
            if label:
                check = Check(**label)
                key = self.deployments.key(group, state.endpoint, "api_key")
                await self.relay.check(check, key)
                return
            question = _smallest_question(runtime)
            if question is not None:
                upstream, request = question
                await upstream.send(group, state.endpoint, request)

        return probe


def _accounting(configuration: Configuration, environment: Mapping[str, str]) -> Accounting:
    regions = {
        entry["model_info"]["id"]: entry["model_info"]["region"]
        for entry in configuration.model_list
        if entry["model_info"].get("region")
    }
    level = configuration.variables.get("LITELLM_LOG", "INFO")
    metrics = Metrics(configuration.groups.values(), regions)
    metrics.describe(
        configuration.fingerprint,
        served=len({(group.namespace, group.resource) for group in configuration.groups.values()})
        - len(configuration.outdated),
        outdated=len(configuration.outdated),
        unavailable=len(configuration.unavailable),
    )
    return Accounting(
        metrics,
        RequestLog(level),
        Prices(prices.deployments({"model_list": configuration.model_list})),
        Traces(environment=environment) if traces.are_on(environment) and configuration.traces else None,
        end_of_turn.of(asyncio.get_running_loop()),
    )


SMALLEST: dict[Route, dict[str, Any]] = {
    Route.CHAT: {"messages": [{"role": "user", "content": "Hi"}], "max_tokens": 1},
    Route.EMBEDDINGS: {"input": "Hi"},
    Route.RERANK: {"query": "Hi", "documents": ["Hi"]},
}


def _smallest_question(runtime: GroupRuntime) -> tuple[Upstream, UpstreamRequest] | None:
    """Return a question that costs next to nothing, and how it is asked; None for a model of pictures or audio."""
    group = runtime.group
    route = next((route for route in SMALLEST if group.routes is None or route in group.routes), None)
    if route is None:
        return None
    prepared = runtime.parameters.prepare(route, SMALLEST[route], False, group.name)
    return runtime.upstream(prepared), UpstreamRequest(route, group.name, prepared.body, timeout=group.timeout)


def _entry(name: str) -> dict[str, Any]:
    return {"id": name, "object": "model", "created": STARTED, "owned_by": "langop"}
