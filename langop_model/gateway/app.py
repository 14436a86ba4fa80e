"""The gateway as an ASGI application: from a request's path to the last byte of its answer."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Protocol

from langop_model.gateway import call_ids, http_headers
from langop_model.gateway.access import error_formats, open_routes, request_body
from langop_model.gateway.access.authentication import ClientKeys
from langop_model.gateway.access.errors import APIError
from langop_model.gateway.access.open_routes import OpenRoute, Purpose
from langop_model.gateway.access.request_body import Body, ClientDisconnectedError
from langop_model.gateway.access.request_schemas import SCHEMAS
from langop_model.gateway.accounting.recorder import Accounting
from langop_model.gateway.asgi import ABORT, WHEN_LEFT, WHOLE_ANSWER, WHOLE_BODY, Message, Receive, Send
from langop_model.gateway.routing.dispatcher import Call, Dispatcher, Served
from langop_model.gateway.routing.group_resolution import GroupNames
from langop_model.gateway.upstreams.base import UpstreamError

EVENT_STREAM = b"text/event-stream; charset=utf-8"


class Services(Protocol):
    """What the application needs beside the dispatcher."""

    keys: ClientKeys
    names: GroupNames
    dispatcher: Dispatcher
    accounting: Accounting

    async def answer(self, purpose: Purpose, route: OpenRoute, headers: Mapping[bytes, bytes]) -> tuple[int, bytes, bytes]:
        """Answer a path that is no question to a model: status, content type and body."""

    def unavailable(self, model: str) -> str | None:
        """Return why a model of the specification is not served; None for a name that no specification has."""


class Gateway:
    """The application. It serves HTTP; its server builds the services when it starts."""

    def __init__(self, services: Services) -> None:
        self.services = services

    def __call__(self, scope: Message, receive: Receive, send: Send) -> Awaitable[None]:
        if scope["type"] == "http":
            return _Exchange(self.services, scope, receive, send).run()
        return _refuse_websocket(scope, receive, send)


async def _refuse_websocket(scope: Message, receive: Receive, send: Send) -> None:
    if scope["type"] == "websocket":
        await receive()
        await send({"type": "websocket.close", "code": 1008})


class _Exchange:
    """One request and its answer."""

    __slots__ = (
        "body_size", "call_id", "extensions", "has_left", "headers", "method", "path", "raw_headers", "receive", "record",
        "route", "send", "services", "status", "task",
    )  # fmt: skip

    def __init__(self, services: Services, scope: Message, receive: Receive, send: Send) -> None:
        self.services = services
        self.receive = receive
        self.send = send
        self.method: str = (method := scope["method"])
        self.path: str = (path := scope["path"])
        self.raw_headers = scope["headers"]
        self.headers: dict[bytes, bytes] = (headers := dict(scope["headers"]))
        self.extensions: Mapping[str, Callable[..., Any]] = scope.get("extensions", {})
        self.route = route = open_routes.find(method, path)
        self.call_id = call_id = call_ids.new()
        self.task: asyncio.Task[Any] | None = None  # while the client's leaving ends it
        self.has_left = False
        self.body_size = self.status = 0
        traceparent = headers.get(b"traceparent")
        self.record = services.accounting.begin(
            method[:20],
            path[:100] if route is None else route.path,
            None if route is None else route.route,
            call_id,
            None if traceparent is None else traceparent.decode("latin-1"),
        )

    async def run(self) -> None:
        try:
            await self._serve()
        except ClientDisconnectedError:
            self.record.left()
        except asyncio.CancelledError:
            self.record.left()
            if not self.has_left:
                raise
        except APIError as error:
            self.record.finished(error.status, error=error.code or error_formats.openai_type(error.status))
            await self._refuse(error)
        except Exception as defect:
            self.record.finished(500, error=type(defect).__name__)
            if not self.status:
                await self._refuse(APIError(500, "the gateway has failed: its log says why"))
            raise  # the server logs it
        finally:
            request_body.memory.give_back(self.body_size)
            if self.task is not None:
                self.task = None
                self.extensions[WHEN_LEFT](None)

    def leave(self) -> None:
        """Cancel the request of a client that has left: the provider's work ends with it."""
        if self.task is not None:
            self.has_left = True
            self.task.cancel()

    async def _serve(self) -> None:
        route = self.route
        if route is None:
            raise self._closed()
        agent = None
        if route.needs_key:
            caller = self.services.keys.authenticate(self.raw_headers)
            if caller is None:
                message = "this gateway needs a key: send it as Authorization: Bearer <key>"
                raise APIError(401, message, "invalid_api_key", headers=((b"www-authenticate", b"Bearer"),))
            agent = self.record.agent = caller.agent
        if route.route is None:  # no question to a model
            status, content_type, content = await self.services.answer(route.purpose, route, self.headers)
            if route.is_logged:
                self.record.finished(status)
            own = http_headers.of_call(self.call_id) if route.is_logged else []
            await self._send_whole(status, content_type, content, own)
            return
        raw = request_body.take_whole(self.extensions.get(WHOLE_BODY))
        if raw is None:
            raw = await request_body.read(self.receive, self.headers)
        self.body_size = len(raw)
        if WHEN_LEFT in self.extensions:
            self.task = asyncio.current_task()
            self.extensions[WHEN_LEFT](self.leave)
        await self._ask(route, request_body.parse(raw, self.headers, SCHEMAS[route.schema]), agent)

    async def _ask(self, route: OpenRoute, body: Body, agent: str | None) -> None:
        members = body.members
        model = route.model or members["model"]
        stream = route.stream if route.stream is not None else members.get("stream") is True
        services = self.services
        resolved = services.names.resolve(model) if open_routes.is_model_name(model) else None
        if resolved is None:
            self.record.model, self.record.stream = model, stream
            raise self._not_served(model)
        assert route.route is not None  # noqa: S101 - every question has one
        call = Call(
            route.route,
            model,
            resolved,
            members,
            stream,
            body.files,
            http_headers.forwarded(self.headers),
            self.call_id,
            agent,
            members.get("num_retries"),
            members.get("disable_fallbacks") is not True,
        )
        dispatcher, record = services.dispatcher, self.record
        record.asked(dispatcher.runtimes[resolved.groups[0]].group, members, model, stream)
        try:
            served = await dispatcher.serve(call, record)
        except UpstreamError as error:
            record.finished(error.status, failure=error)
            await self._send_failure(error)
            return
        await self._send_answer(served)

    def _send_answer(self, served: Served) -> Awaitable[None]:
        """Return what sends an answer."""
        answer, record = served.answer, self.record
        record.dropped = served.dropped
        if served.runtime.cache is not None:
            record.cached(served.is_hit, len(answer.body or b""), served.runtime.group.name)
        if answer.body is None:
            return self._send_stream(served)
        cost = record.price(answer.usage) if answer.usage is not None else None
        record.whole(answer.body)
        record.finished(answer.status)
        headers = http_headers.of_answer(served, self.call_id, cost)
        return self._send_whole(answer.status, answer.content_type.encode(), answer.body, headers)

    async def _send_stream(self, served: Served) -> None:
        answer, record = served.answer, self.record
        assert answer.events is not None  # noqa: S101 - an answer is whole or has events
        content_type = answer.content_type.encode() if answer.is_binary else EVENT_STREAM
        error = ""
        try:
            headers = [(b"content-type", content_type), *http_headers.of_answer(served, self.call_id, None)]
            await self._start(answer.status, headers)
            record.first_event()
            async for event in answer.events:
                if record.wants_events:
                    record.event(event)
                await self.send({"type": "http.response.body", "body": event, "more_body": True})
        except UpstreamError as failure:
            error = failure.cause
            if not answer.is_binary:
                await self.send({"type": "http.response.body", "body": self._error_event(failure), "more_body": True})
        finally:
            await answer.aclose()
            if answer.usage is not None:
                record.price(answer.usage)  # also of a client that has left: it had this much
        record.finished(answer.status, answer.usage, error)
        if error and answer.is_binary and (abort := self.extensions.get(ABORT)) is not None:
            abort()  # sound has no word for an error: only a connection that breaks says that the rest is missing
        else:
            await self.send({"type": "http.response.body", "body": b""})

    def _error_event(self, error: UpstreamError) -> bytes:
        return error_formats.error_event(self.protocol, error)

    @property
    def protocol(self) -> open_routes.Protocol:
        """Whose API the client speaks."""
        return self.route.protocol if self.route is not None else open_routes.protocol_of(self.path)

    def _start(self, status: int, headers: http_headers.Headers) -> Awaitable[None]:
        """Return what sends the head of an answer."""
        self.status = status
        return self.send({"type": "http.response.start", "status": status, "headers": headers})

    async def _send_whole(self, status: int, content_type: bytes, body: bytes, headers: http_headers.Headers) -> None:
        own = [(b"content-type", content_type), *headers]
        answer = self.extensions.get(WHOLE_ANSWER)
        if answer is not None and answer(status, own, body):
            self.status = status
            return
        await self._start(status, [*own, (b"content-length", b"%d" % len(body))])
        await self.send({"type": "http.response.body", "body": body})

    async def _send_failure(self, error: UpstreamError) -> None:
        """Send the error of a provider: its own body where that is in the client's format."""
        own = http_headers.of_failure(error, self.call_id)
        await self._send_whole(error.status, request_body.JSON, error_formats.body_of(self.protocol, error), own)

    async def _refuse(self, error: APIError) -> None:
        body = error_formats.error_body(self.protocol, error.status, error.message, code=error.code, param=error.param)
        await self._send_whole(error.status, request_body.JSON, body, [*http_headers.of_call(self.call_id), *error.headers])

    def _not_served(self, model: str) -> APIError:
        reason = self.services.unavailable(model)
        if reason is not None:
            return APIError(503, reason, "model_unavailable", "model")
        shown = model[:100]
        message = f"the model {shown!a} is not served here. GET /v1/models lists those that are"
        return APIError(404, message, "model_not_found", "model")

    def _closed(self) -> APIError:
        """Return the error for a path that is not open: 405 where it is, for another method."""
        if allowed := open_routes.methods(self.path):
            named = ", ".join(allowed).encode()
            return APIError(405, f"{self.path} takes {' or '.join(allowed)}", headers=((b"allow", named),))
        shown = self.path[:100]
        message = f"{self.method[:20]} {shown!a} is not served here. This gateway serves {open_routes.OPEN}"
        return APIError(404, message, "not_found")
