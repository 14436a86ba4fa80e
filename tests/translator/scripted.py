"""A provider on loopback that answers as a script says and remembers what it was asked: in the event loop of the test."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Self

from aiohttp import web

USAGE = {"prompt_tokens": 5, "completion_tokens": 7, "total_tokens": 12}
CHAT = {
    "id": "chatcmpl-1",
    "object": "chat.completion",
    "created": 1700000000,
    "model": "theirs",
    "choices": [{"index": 0, "message": {"role": "assistant", "content": "hello"}, "finish_reason": "stop"}],
    "usage": USAGE,
}
TEXT = {**CHAT, "object": "text_completion", "choices": [{"index": 0, "text": "hello", "finish_reason": "stop"}]}
EMBEDDING = {
    "object": "list",
    "data": [{"object": "embedding", "index": 0, "embedding": [0.5, 0.25]}],
    "model": "theirs",
    "usage": USAGE,
}
MODERATION = {"id": "modr-1", "model": "theirs", "results": [{"flagged": False, "categories": {}, "category_scores": {}}]}
IMAGE = {"created": 1700000000, "data": [{"b64_json": "aGVsbG8="}]}
RERANK = {"id": "r1", "results": [{"index": 0, "relevance_score": 0.9}], "meta": {"billed_units": {"search_units": 1}}}
RESPONSE = {
    "id": "resp_1",
    "object": "response",
    "created_at": 1700000000,
    "status": "completed",
    "model": "theirs",
    "output": [
        {
            "type": "message",
            "id": "msg_1",
            "status": "completed",
            "role": "assistant",
            "content": [{"type": "output_text", "text": "hello", "annotations": []}],
        }
    ],
    "usage": {"input_tokens": 5, "output_tokens": 7, "total_tokens": 12},
    "parallel_tool_calls": True,
    "tool_choice": "auto",
    "tools": [],
}
ANSWERS: Mapping[str, Any] = {
    "/chat/completions": CHAT,
    "/completions": TEXT,
    "/embeddings": EMBEDDING,
    "/moderations": MODERATION,
    "/images/generations": IMAGE,
    "/images/edits": IMAGE,
    "/audio/transcriptions": {"text": "hello"},
    "/rerank": RERANK,
    "/responses": RESPONSE,
}


def chunk(delta: Mapping[str, Any], finish: str | None = None, **more: Any) -> bytes:
    """Return an event of a streamed chat."""
    choice = {"index": 0, "delta": delta, "finish_reason": finish}
    part = {
        "id": "chatcmpl-1",
        "object": "chat.completion.chunk",
        "created": 1700000000,
        "model": "theirs",
        "choices": [choice],
    }
    return f"data: {json.dumps({**part, **more})}\n\n".encode()


STREAM = (
    chunk({"role": "assistant", "content": "hel"}),
    chunk({"content": "lo"}),
    chunk({}, "stop"),
    chunk({}, usage=USAGE, choices=[]),
    b"data: [DONE]\n\n",
)


def text_chunk(text: str, finish: str | None = None) -> bytes:
    """Return an event of a streamed text completion."""
    choice = {"index": 0, "text": text, "finish_reason": finish}
    part = {"id": "cmpl-1", "object": "text_completion", "created": 1700000000, "model": "theirs", "choices": [choice]}
    return f"data: {json.dumps(part)}\n\n".encode()


TEXT_STREAM = (text_chunk("hel"), text_chunk("lo"), text_chunk("", "stop"), b"data: [DONE]\n\n")


@dataclass
class Asked:
    """One request."""

    path: str
    headers: Mapping[str, str]
    body: Any
    left: asyncio.Event = field(default_factory=asyncio.Event)


Behaviour = Callable[[web.Request, Asked], Awaitable[web.StreamResponse]]


class Scripted:
    """`async with Scripted() as provider`: `provider.behave` is what answers; None for a good answer of OpenAI's."""

    def __init__(self) -> None:
        self.asked: list[Asked] = []
        self.behave: Behaviour | None = None
        self.url = ""

    async def __aenter__(self) -> Self:
        """Start."""
        application = web.Application(client_max_size=64 * 1024 * 1024)
        application.router.add_route("*", "/{path:.*}", self._answer)
        self._runner = web.AppRunner(application, handler_cancellation=True, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        self.url = f"http://127.0.0.1:{self._runner.addresses[0][1]}"
        return self

    async def __aexit__(self, *_: object) -> None:
        """Stop."""
        await self._runner.cleanup()

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        data = await request.read()
        try:
            body = json.loads(data)
        except ValueError:
            body = data
        asked = Asked(request.path, dict(request.headers), body)
        self.asked.append(asked)
        try:
            return await (self.behave or good)(request, asked)
        except asyncio.CancelledError:
            asked.left.set()
            raise


async def good(request: web.Request, asked: Asked) -> web.StreamResponse:
    """Answer as OpenAI does."""
    if isinstance(asked.body, dict) and asked.body.get("stream"):
        return await streamed(request, STREAM)
    if asked.path.endswith("/audio/speech"):
        return web.Response(body=b"ID3-sound", content_type="audio/mpeg")
    # The longer paths first: /chat/completions ends with /completions too.
    answer = next(answer for path, answer in ANSWERS.items() if asked.path.endswith(path))
    return web.json_response(answer)


async def streamed(
    request: web.Request, events: tuple[bytes, ...], *, cut: bool = False, then: float = 0.0
) -> web.StreamResponse:
    """Answer with events; `cut` closes the connection without an end, `then` waits before it, in seconds."""
    response = web.StreamResponse(headers={"content-type": "text/event-stream"})
    await response.prepare(request)
    for event in events:
        await response.write(event)
    await asyncio.sleep(then)
    if cut and request.transport is not None:
        request.transport.close()
        return response
    await response.write_eof()
    return response


def failing(status: int, body: Any = None, **headers: str) -> Behaviour:
    """Return a behaviour that refuses each request."""
    content = body if body is not None else {"error": {"message": "no such luck", "type": "some_type", "code": "some_code"}}

    async def fail(_: web.Request, __: Asked) -> web.StreamResponse:
        return web.json_response(
            content, status=status, headers={name.replace("_", "-"): value for name, value in headers.items()}
        )

    return fail


def page(text: str, content_type: str = "text/html") -> Behaviour:
    """Return a behaviour that answers each request with a page."""

    async def show(_: web.Request, __: Asked) -> web.StreamResponse:
        return web.Response(text=text, content_type=content_type)

    return show


async def hanging(_: web.Request, __: Asked) -> web.StreamResponse:
    """Never answer."""
    await asyncio.sleep(3600)
    raise AssertionError
