"""What is changed in LiteLLM when it has read its configuration, and before anybody is served."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from langop_model.gateway.scope import App, Message, Receive, Send


class AfterStart:
    """ASGI middleware: takes `steps`, one after the other, when `app` has started."""

    def __init__(self, app: App, steps: Sequence[Callable[[], None]]) -> None:
        self.app = app
        self.steps = steps

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        await self.app(scope, receive, self._stepping(send) if scope["type"] == "lifespan" else send)

    def _stepping(self, send: Send) -> Send:
        async def stepping_send(message: Message) -> None:
            if message["type"] == "lifespan.startup.complete":
                for step in self.steps:
                    step()
            await send(message)

        return stepping_send
