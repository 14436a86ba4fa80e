"""The translator's HTTP server on its unix socket: one call each request, as many at a time as come."""

from __future__ import annotations

import asyncio
import contextlib
import os
from pathlib import Path

import orjson
from aiohttp import web

from langop_model.gateway.upstreams.base import Usage
from langop_model.gateway.upstreams.redaction import secrets_of
from langop_model.gateway.upstreams.translator_protocol import (
    DROPPED_HEADER,
    FAILED,
    HEALTH,
    PATH,
    STREAM_TYPE,
    USAGE_HEADER,
    Call,
    Failure,
    Frame,
    InvalidCallError,
    dump_frame,
    dump_usage,
    load_call,
)
from langop_model.translator import exchanges, logs, operations
from langop_model.translator.exchanges import Exchange
from langop_model.translator.failures import failure_of
from langop_model.translator.operations import Streamed, Whole

TRACE = "traceparent"  # W3C trace context
MAX_CALL_SIZE = 512 * 1024 * 1024  # bytes; the gateway limits bodies long before


class Server:
    """Answers calls. `observed`: LiteLLM's callbacks see them."""

    def __init__(self, *, observed: bool = False) -> None:
        self.observed = observed
        self.in_flight = 0
        self.application = web.Application()
        self.application.router.add_post(PATH, self.translate)
        self.application.router.add_get(HEALTH, self.health)

    async def health(self, _: web.Request) -> web.Response:
        """Say that calls are served, and how many are now."""
        return web.Response(
            body=orjson.dumps({"status": "ready", "in_flight": self.in_flight}), content_type="application/json"
        )

    async def translate(self, request: web.Request) -> web.StreamResponse:
        """Answer one call. It is cancelled when its connection closes, and the provider's work with it."""
        self.in_flight += 1
        try:
            return await self._answer(request)
        finally:
            self.in_flight -= 1

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        try:
            call = load_call(await _body(request))
        except InvalidCallError as problem:
            return _failed(Failure("translator", 500, f"not a call: {problem}", reached=False))
        logs.remember(secrets_of(call.parameters, call.variables.values()))
        exchange = exchanges.watch(_trace(call))
        try:
            answer = await operations.run(call, exchange, observed=self.observed)
            if isinstance(answer, Whole):
                return _whole(answer)
            first = await answer.events.begin()
        except Exception as error:  # noqa: BLE001 - whatever LiteLLM raises is an answer
            return _failed(_said(error, exchange))
        return await _stream(request, answer, first)


async def _body(request: web.Request) -> bytearray:
    """Return the body of a call. aiohttp's own `read` copies it, and keeps it as long as the request lives."""
    body = bytearray()
    async for part in request.content.iter_any():
        body += part
        if len(body) > MAX_CALL_SIZE:
            raise InvalidCallError(f"it has more than {MAX_CALL_SIZE} bytes")
    return body


def _trace(call: Call) -> dict[str, str]:
    """Take the trace out of the headers that LiteLLM gets."""
    found = call.headers.pop(TRACE, None)
    return {TRACE: found} if found else {}


def _said(error: Exception, exchange: Exchange) -> Failure:
    failure = failure_of(error, exchange)
    if failure.kind == "malformed":
        logs.LOGGER.warning("an answer could not be read: %s", type(error).__name__)
    return failure


def _failed(failure: Failure) -> web.Response:
    return web.Response(status=FAILED, body=failure.dump(), content_type="application/json")


def _headers(usage: Usage | None, dropped: tuple[str, ...]) -> dict[str, str]:
    headers = {USAGE_HEADER: dump_usage(usage).decode()} if usage else {}
    return {**headers, DROPPED_HEADER: ",".join(dropped)} if dropped else headers


def _whole(answer: Whole) -> web.Response:
    headers = {**_headers(answer.usage, answer.dropped), "content-type": answer.content_type}
    return web.Response(body=answer.body, headers=headers)


async def _stream(request: web.Request, answer: Streamed, first: list[bytes]) -> web.StreamResponse:
    response = web.StreamResponse(headers={**_headers(None, answer.dropped), "content-type": STREAM_TYPE})
    try:
        await response.prepare(request)
        await response.write(b"".join(dump_frame(Frame.EVENT, event) for event in first))
        try:
            async for event in answer.events:
                await response.write(dump_frame(Frame.EVENT, event))
        except ConnectionError:
            raise
        except Exception as error:  # noqa: BLE001 - the stream's end says it
            await response.write(dump_frame(Frame.FAILURE, _said(error, answer.events.exchange).dump()))
        else:
            await response.write(dump_frame(Frame.USAGE, dump_usage(answer.events.usage)) + dump_frame(Frame.END))
        await response.write_eof()
    except ConnectionError:
        pass  # the client has left
    finally:
        await answer.events.aclose()
    return response


async def serve(path: Path, parent: int | None, *, observed: bool = False) -> None:
    """Serve on a unix socket until the task is cancelled, or `parent`, a descriptor, is closed at its other end."""
    over = asyncio.Event()
    loop = asyncio.get_running_loop()
    if parent is not None:
        os.set_blocking(parent, False)
        loop.add_reader(parent, over.set)
    runner = web.AppRunner(
        Server(observed=observed).application, handler_cancellation=True, access_log=None, shutdown_timeout=1
    )
    await runner.setup()
    with contextlib.suppress(FileNotFoundError):
        path.unlink()
    await web.UnixSite(runner, str(path), backlog=2048).start()
    path.chmod(0o600)
    try:
        await over.wait()
    finally:
        await runner.cleanup()
        with contextlib.suppress(FileNotFoundError):
            path.unlink()
