"""The floors: a server and a client relay bytes, and nothing else. The gateway's own, or its libraries as they are.

python -m tools.gateway_bench.bare_relay PORT PROVIDER gateway|libraries
"""

from __future__ import annotations

import functools
import sys
from typing import Any

import aiohttp
import uvicorn
from yarl import URL

from langop_model.gateway.serving.connections import Connections
from langop_model.gateway.serving.protocol import Protocol
from langop_model.gateway.upstreams import answers
from langop_model.gateway.upstreams.http_client import HTTPClient, Target
from langop_model.gateway.upstreams.relay import MAX_ANSWER_SIZE

JSON = {"Content-Type": "application/json"}


class BareRelay:
    """Sends each POST on to the provider with the gateway's client, and its answer back."""

    def __init__(self, provider: str) -> None:
        self.provider = provider
        self.client: HTTPClient | None = None
        self.targets: dict[str, Target] = {}

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        """Serve a request."""
        if self.client is None:
            self.client = HTTPClient()  # needs an event loop
        if scope["method"] != "POST":
            await _answer(send, b"{}")
            return
        body = (await receive()).get("body", b"")
        path = scope["path"]
        target = self.targets.get(path) or self.targets.setdefault(path, self.client.target(URL(self.provider + path)))
        headers = JSON
        if b"text/event-stream" in dict(scope["headers"]).get(b"accept", b""):
            headers = {**JSON, "Accept": "text/event-stream"}
        response = await self.client.post(target, headers, body)
        if response.headers.get("content-type", "").startswith("text/event-stream"):
            await send(_start(b"text/event-stream"))
            while chunk := await response.content.readany():
                await send({"type": "http.response.body", "body": chunk, "more_body": True})
            await send({"type": "http.response.body", "body": b""})
        else:
            await _answer(send, await answers.read(response, MAX_ANSWER_SIZE))
        response.release()


class LibrariesRelay:
    """Does the same for whole answers with aiohttp's session."""

    def __init__(self, provider: str) -> None:
        self.provider = provider
        self.session: aiohttp.ClientSession | None = None

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        """Serve a request."""
        if self.session is None:
            connector = aiohttp.TCPConnector(limit=0)
            self.session = aiohttp.ClientSession(
                connector=connector, cookie_jar=aiohttp.DummyCookieJar(), auto_decompress=False
            )
        if scope["method"] != "POST":
            await _answer(send, b"{}")
            return
        body = (await receive()).get("body", b"")
        async with self.session.post(self.provider + scope["path"], data=body, headers=JSON) as response:
            await _answer(send, await response.read())


async def _answer(send: Any, body: bytes) -> None:
    start = _start(b"application/json")
    start["headers"].append((b"content-length", b"%d" % len(body)))
    await send(start)
    await send({"type": "http.response.body", "body": body})


def _start(content_type: bytes) -> dict[str, Any]:
    return {"type": "http.response.start", "status": 200, "headers": [(b"content-type", content_type)]}


def main(port: str, provider: str, kind: str) -> None:
    """Serve on a port what a provider answers."""
    app: Any = BareRelay(provider) if kind == "gateway" else LibrariesRelay(provider)
    http: Any = functools.partial(Protocol, Connections()) if kind == "gateway" else "httptools"
    uvicorn.run(
        app, port=int(port), loop="uvloop", http=http,
        proxy_headers=False, access_log=False, lifespan="off", log_level="error",
    )  # fmt: skip


if __name__ == "__main__":
    main(*sys.argv[1:])
