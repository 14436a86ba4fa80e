"""The ASGI application of a worker: it reads the configuration when its server starts."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from langop_model.gateway.app import Gateway
from langop_model.gateway.configuration import Configuration
from langop_model.gateway.scope import Message, Receive, Send
from langop_model.gateway.services import Services


class Application:
    """The gateway with its start and its end. `translators` and `wake` are for Services."""

    def __init__(
        self,
        config: Path,
        environment: Mapping[str, str],
        translators: Sequence[str] = (),
        wake: Callable[[], None] = lambda: None,
    ) -> None:
        self.config = config
        self.environment = environment
        self.translators = translators
        self.wake = wake
        self.gateway: Gateway | None = None

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Serve a request, or follow the server's life."""
        if scope["type"] == "lifespan":
            await self._live(receive, send)
            return
        assert self.gateway is not None  # noqa: S101 - the server asks after the start only
        await self.gateway(scope, receive, send)

    async def _live(self, receive: Receive, send: Send) -> None:
        await receive()
        services = Services(Configuration.load(self.config), self.environment, self.translators, self.wake)
        services.start()
        self.gateway = Gateway(services)
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await services.aclose()
        await send({"type": "lifespan.shutdown.complete"})
