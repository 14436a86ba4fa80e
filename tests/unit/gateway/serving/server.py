"""A server of a worker's connections, for an application of the test."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import uvicorn

from langop_model.gateway.serving.connections import Connections
from langop_model.gateway.serving.protocol import Protocol


@dataclass
class Server:
    """A server that accepts connections at `port`."""

    config: uvicorn.Config
    state: uvicorn.server.ServerState = field(default_factory=uvicorn.server.ServerState)
    port: int = 0


@asynccontextmanager
async def serving(app: Any, limits: Connections) -> AsyncIterator[Server]:
    """Serve an application in the event loop of the test."""
    config = uvicorn.Config(app, lifespan="off", log_config=None, ws="none", interface="asgi3")
    config.load()
    served = Server(config)
    listening = await asyncio.get_running_loop().create_server(
        lambda: Protocol(limits, config=config, server_state=served.state, app_state={}), "127.0.0.1", 0
    )
    served.port = listening.sockets[0].getsockname()[1]
    try:
        yield served
    finally:
        listening.close()
