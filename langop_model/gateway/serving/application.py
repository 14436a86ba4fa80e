"""The ASGI application of a worker, with its start and its end."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence

from langop_model.gateway.access import body_memory, request_body
from langop_model.gateway.app import Gateway
from langop_model.gateway.asgi import Message, Receive, Send
from langop_model.gateway.configuration import Configuration
from langop_model.gateway.services import Services
from langop_model.gateway.serving.shared_metrics import INTERVAL, SharedMetrics


class Application:
    """The gateway of one configuration. `translators` and `wake` are for Services.

    Its counts go into `metrics` at its end; where there are several `workers` each second, with what it knows of its models.
    """

    def __init__(
        self,
        configuration: Configuration,
        environment: Mapping[str, str],
        translators: Sequence[str] = (),
        wake: Callable[[], None] = lambda: None,
        metrics: SharedMetrics | None = None,
        *,
        workers: int = 1,
    ) -> None:
        self.metrics = metrics
        self.workers = workers
        self.configuration = configuration
        self.environment = environment
        self.translators = translators
        self.wake = wake
        self.gateway: Gateway | None = None
        self.room = body_memory.MAX_BODIES_SIZE  # bytes of bodies beside a translator

    def __call__(self, scope: Message, receive: Receive, send: Send) -> Awaitable[None]:
        """Serve a request, or follow the server's life."""
        if scope["type"] == "lifespan":
            return self._live(receive, send)
        assert self.gateway is not None  # noqa: S101 - the server asks after the start only
        return self.gateway(scope, receive, send)

    async def _live(self, receive: Receive, send: Send) -> None:
        await receive()
        self.room = body_memory.beside_translator(body_memory.container_limit(), self.workers)
        if self.configuration.needs_translator:
            self._leave_room()
        services = Services(self.configuration, self.environment, self.translators, self._wake, self.metrics)
        services.start()
        if self.workers > 1:
            services.tasks.append(asyncio.get_running_loop().create_task(self._share(services)))
        self.gateway = Gateway(services)
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await services.aclose()
        self._write_metrics(services)
        await send({"type": "lifespan.shutdown.complete"})

    def _wake(self) -> None:
        self._leave_room()
        self.wake()

    def _leave_room(self) -> None:
        """Leave the translator the memory that it needs."""
        request_body.memory.most = self.room

    async def _share(self, services: Services) -> None:
        while self.metrics is not None:
            await asyncio.sleep(INTERVAL)
            self._write_metrics(services)
            self.metrics.write_health(services.health())

    def _write_metrics(self, services: Services) -> None:
        if self.metrics is not None:
            self.metrics.write(services.snapshot())
