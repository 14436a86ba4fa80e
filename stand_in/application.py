"""Between the server and the protocols: each request is recorded, and answered as the behaviour says."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol
from urllib.parse import parse_qsl

from starlette.requests import ClientDisconnect, Request

from stand_in import anthropic, azure, bedrock, google, openai, small, tokens
from stand_in.answer import Answer
from stand_in.behaviour import EVERYWHERE, Behaviour, Behaviours, Status
from stand_in.call import Call
from stand_in.recording import Recorder, Seen

if TYPE_CHECKING:
    from starlette.types import Receive, Scope, Send


class ProviderProtocol(Protocol):
    """What a module which speaks a provider's protocol has."""

    def answers(self, method: str, path: str) -> bool:
        """Tell whether a request is this protocol's."""

    def answer(self, call: Call) -> Answer:
        """Answer a request."""

    def refuse(self, call: Call, status: Status) -> Answer:
        """Fail as the provider does."""


PROTOCOLS: tuple[ProviderProtocol, ...] = (azure, anthropic, bedrock, google, openai, small)


class Application:
    """The ASGI application. `drop` closes the connection of a client, given as ASGI's scope has it."""

    def __init__(self, recorder: Recorder, behaviours: Behaviours, drop: Callable[[object], None]) -> None:
        self.endpoints: set[str] = set()
        self._recorder = recorder
        self._behaviours = behaviours
        self._drop = drop
        self._released = asyncio.Event()

    def release(self) -> None:
        """Answer the requests that hang now. Only for the server's event loop."""
        self._released.set()
        self._released = asyncio.Event()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, until its client leaves."""
        arrived = time.monotonic()
        request = Request(scope, receive)
        try:
            body = _parsed(await request.body(), request.headers.get("content-type", ""))
        except ClientDisconnect:
            return
        endpoint, path = self._split(scope["path"])
        # Credentials come from another service than the model, which doesn't fail when the model does.
        behaviour = Behaviour() if tokens.exchanges(path) else self._behaviours.take(endpoint)
        # Taken before the request can be seen, because who sees it may release it at once.
        released = self._released
        query, headers = dict(request.query_params), dict(request.headers)
        seen = self._recorder.arrive(lambda number: Seen(number, endpoint, request.method, path, query, headers, body, arrived))
        answering = asyncio.ensure_future(self._converse(seen, behaviour, released, send))
        leaving = asyncio.ensure_future(_left(receive))
        try:
            await asyncio.wait((answering, leaving), return_when=asyncio.FIRST_COMPLETED)
            if answering.done() and not answering.result():
                self._drop(scope["client"])
                await leaving
        finally:
            answering.cancel()
            leaving.cancel()
            self._recorder.leave(seen.number)

    def _split(self, path: str) -> tuple[str, str]:
        first, slash, rest = path[1:].partition("/")
        return (first, slash + rest) if first in self.endpoints else (EVERYWHERE, path)

    async def _converse(self, seen: Seen, behaviour: Behaviour, released: asyncio.Event, send: Send) -> bool:
        """Answer a request as told. False if the connection is to be dropped instead."""
        if "delay" in behaviour:
            await asyncio.sleep(behaviour["delay"])
        if behaviour.get("hang"):
            await released.wait()
        if behaviour.get("disconnect"):
            return False
        answer = _answer(seen, behaviour)
        await send({"type": "http.response.start", "status": answer.status, "headers": _headers(answer, behaviour)})
        chunks = answer.chunks[: behaviour.get("end_after")] if answer.streamed else answer.chunks
        last = len(chunks) - 1
        stop = behaviour.get("break_after") if answer.streamed else None
        for index, chunk in enumerate(chunks):
            if index == stop:
                return False
            if index and "chunk_delay" in behaviour:
                await asyncio.sleep(behaviour["chunk_delay"])
            if index == last:
                # Before the client has it: the client's next request is not at the same time as this one.
                self._recorder.finish(seen.number)
            await send({"type": "http.response.body", "body": chunk, "more_body": index < last})
        return True


def _parsed(body: bytes, content_type: str) -> object:
    if content_type.startswith("application/x-www-form-urlencoded"):
        return dict(parse_qsl(body.decode()))
    try:
        return json.loads(body)
    except ValueError:
        return None


async def _left(receive: Receive) -> None:
    """Return when the client has closed its connection."""
    while (await receive())["type"] != "http.disconnect":
        pass


def _headers(answer: Answer, behaviour: Behaviour) -> list[tuple[bytes, bytes]]:
    headers = {"content-type": answer.content_type, **answer.headers}
    if not answer.streamed:
        headers["content-length"] = str(len(answer.chunks[0]))
    if answer.status >= 400 and "retry_after" in behaviour:
        headers["retry-after"] = f"{behaviour['retry_after']:g}"
    return [(name.encode(), value.encode()) for name, value in headers.items()]


def _answer(seen: Seen, behaviour: Behaviour) -> Answer:
    if tokens.exchanges(seen.path):
        return tokens.token()
    if "answer" in behaviour:
        return behaviour["answer"]
    body = seen.body if isinstance(seen.body, dict) else {}
    call = Call(seen.number, seen.method, seen.path.rstrip("/"), seen.query, body, behaviour, seen.headers, seen.endpoint)
    protocol = next((each for each in PROTOCOLS if each.answers(call.method, call.path)), None)
    if protocol is None:
        return openai.unknown(call)
    status = behaviour.get("status", 200)
    if not isinstance(status, int) or status >= 400:
        return protocol.refuse(call, status)
    if seen.method == "POST" and not isinstance(seen.body, dict):
        return protocol.refuse(call, 400)
    return protocol.answer(call)
