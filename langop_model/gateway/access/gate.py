"""ASGI middleware in front of LiteLLM: lets the data plane through and nothing else, for those with a key, in good shape.

LiteLLM checks no key of its own behind it: without a database it answers 400 or 500 to a wrong one.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from langop_model.gateway import metrics, request_log
from langop_model.gateway.access import bodies, errors, health_report, keys, routes
from langop_model.gateway.access.errors import APIError
from langop_model.gateway.access.keys import Keys
from langop_model.gateway.access.request_schemas import SCHEMAS
from langop_model.gateway.access.routes import Kind, Route
from langop_model.gateway.internals import litellm_proxy
from langop_model.gateway.request_log import Line
from langop_model.gateway.scope import App, Message, Receive, RequestScope, Send

# The headers that LiteLLM gets. Others choose timeouts, retries, tags, callbacks, organizations or credentials there.
HANDED_ON = frozenset({b"host", b"accept", b"user-agent", b"anthropic-version", b"anthropic-beta"})
TEXT = re.compile(rb"[\t\x20-\x7e]*")  # LiteLLM fails at a header that is none
TRACEPARENT = re.compile(rb"[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}")
JSON = b"application/json"
CALL_ID = b"x-litellm-call-id"
UNTRACED = {"fastapi.telemetry": None}  # what FastAPI (fastapi/applications.py) looks for before it makes a span
# What LiteLLM's answers tell of the provider: its address, and its own headers (organization, cookies).
KEPT_BACK = (b"x-litellm-model-api-base", b"llm_provider-")

Headers = list[tuple[bytes, bytes]]


@dataclass(frozen=True)
class Surroundings:
    """What the gate asks of others.

    Whose keys are good, and whether the configuration's own `custom_auth` decides that instead; which models are served; what
    GET /health says; and where the lines of the request log go.
    """

    accepted: Keys
    has_own_auth: Callable[[], bool]
    is_served: Callable[[str], bool]
    report: Callable[[], dict[str, Any]]
    write: Callable[[Any], None]


class Gate:
    """Lets a request through to `app`, or answers it; and sees to its line in the request log."""

    def __init__(self, app: App, surroundings: Surroundings) -> None:
        self.app = app
        self.around = surroundings

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Serve one connection. A websocket is closed: what LiteLLM serves over them is not part of the data plane."""
        if scope["type"] == "websocket":
            await receive()
            await send({"type": "websocket.close", "code": 1008})
        elif scope["type"] == "http":
            await self._logged(scope, receive, send)
        else:
            await self.app(scope, receive, send)

    async def _logged(self, scope: Message, receive: Receive, send: Send) -> None:
        route = routes.find(scope["method"], scope["path"])
        line = Line(scope["method"][:20], route.path if route else scope["path"][:100], self.around.write)
        answer = _Answer(send, line)
        token = request_log.present.set(line)
        try:
            await self._serve(route, scope, receive, answer)
        except APIError as refusal:
            line.note(error=refusal.code or refusal.type)
            metrics.TURNED_AWAY.labels(refusal.status).inc()
            await errors.refuse(answer, refusal)
        except bodies.Gone:
            return
        except Exception as defect:
            line.note(error=type(defect).__name__)
            if not answer.status:
                await errors.refuse(answer, APIError(500, "the gateway has failed: its log says why"))
            raise  # the server logs it
        finally:
            request_log.present.reset(token)
            if route is None or route.is_logged:
                asks_model = route is not None and route.kind is Kind.MODEL
                line.end(answer.seen(), with_figures=asks_model and answer.status < 400)

    async def _serve(self, route: Route | None, scope: Message, receive: Receive, send: Send) -> None:
        if route is None:
            raise _closed(scope["method"], scope["path"])
        credentials = self._credentials(route, scope["headers"]) if route.needs_key else []
        if route.kind is Kind.HEALTH:
            await errors.answer(send, 200, errors.json_bytes(self.around.report()))
            return
        body, found = await self._body(route, dict(scope["headers"]), receive) if route.body else (b"", {})
        handed_on = _handed_on(scope, route, body, credentials)
        if route.body and not SCHEMAS[route.body].is_form:
            handed_on |= litellm_proxy.already_parsed(found)
        await self.app(handed_on, bodies.replayed(body, receive), send)

    def _credentials(self, route: Route, headers: Headers) -> Headers:
        """Return the headers that show LiteLLM a key, if it asks for one. Raises APIError with 401.

        A configuration's own `custom_auth` is asked by LiteLLM, so not for what the gate answers itself.
        """
        if self.around.has_own_auth() and route.kind is not Kind.HEALTH:
            return [(name, value) for name, value in headers if name in keys.HEADERS]
        if not self.around.accepted.required:
            return []
        for key in keys.offered(headers):
            caller = self.around.accepted.caller(key)
            if caller is not None:
                _note(agent=caller.agent)
                return [(b"authorization", b"Bearer " + key.encode())]
        message = "this gateway needs a key: send it as Authorization: Bearer <key>"
        raise APIError(401, message, "invalid_api_key", headers=((b"www-authenticate", b"Bearer"),))

    async def _body(self, route: Route, headers: dict[bytes, bytes], receive: Receive) -> tuple[bytes, dict[str, Any]]:
        body = await bodies.read(receive, headers)
        found = await bodies.check(body, headers, SCHEMAS[route.body])
        model = found["model"]
        _note(model_group=model, stream=found.get("stream") or None)
        if not self.around.is_served(model):
            message = f"the model {model[:100]!a} is not served here. GET /v1/models lists those that are"
            raise APIError(404, message, "model_not_found", "model")
        return body, found


class _Answer:
    """What is sent to the client, and what is seen of it. An answer that tells of a failure is sent when it is whole."""

    def __init__(self, send: Send, line: Line) -> None:
        self.send = send
        self.line = line
        self.status = 0
        self.is_complete = False
        self.held: Message | None = None
        self.parts: list[bytes] = []

    async def __call__(self, message: Message) -> None:
        """Send a part of the answer."""
        if message["type"] == "http.response.start":
            self.status = message["status"]
            message = {**message, "headers": [*_open(message.get("headers", ())), (CALL_ID, self.line.call_id.encode())]}
            if self.status >= 400:
                self.held = message
                return
        elif message["type"] == "http.response.body":
            self.is_complete = not message.get("more_body", False)
            if self.held is not None:
                await self._failure(self.held, message.get("body", b""))
                return
        await self.send(message)

    async def _failure(self, start: Message, part: bytes) -> None:
        self.parts.append(part)
        if not self.is_complete:
            return
        body = errors.without_traceback(b"".join(self.parts))
        if self.status >= 500 and self.line.untranslatable is not None:
            refusal = errors.untranslatable(self.line.untranslatable)
            self.status, body = refusal.status, refusal.body()
        headers = [(name, value) for name, value in start["headers"] if name.lower() != b"content-length"]
        length = (b"content-length", b"%d" % len(body))
        await self.send({**start, "status": self.status, "headers": [*headers, length]})
        await self.send({"type": "http.response.body", "body": body})

    def seen(self) -> int:
        """Return the status that the client saw of the whole answer."""
        return self.status if self.is_complete else request_log.LEFT


def _open(headers: Iterable[tuple[bytes, bytes]]) -> Headers:
    return [(name, value) for name, value in headers if not name.lower().startswith((*KEPT_BACK, CALL_ID))]


def _note(**members: Any) -> None:
    line = request_log.present.get()
    if line is not None:
        line.note(**members)


def _closed(method: str, path: str) -> APIError:
    """The answer to a route that is not open: 405 where the path is, for another method."""
    if allowed := routes.methods(path):
        return APIError(405, f"{path} takes {' or '.join(allowed)}", headers=((b"allow", ", ".join(allowed).encode()),))
    message = f"{method[:20]} {path[:100]!a} is not served here. This gateway serves {routes.SERVED}"
    return APIError(404, message, "not_found")


def _handed_on(scope: Message, route: Route, body: bytes, credentials: Headers) -> dict[str, Any]:
    """The connection as LiteLLM sees it: its own path, and the headers and query parameters that are open."""
    headers = [(name, value) for name, value in scope["headers"] if _is_handed_on(name, value)]
    headers += [*credentials, (CALL_ID, _call_id())]
    if route.body:
        given = dict(scope["headers"]).get(b"content-type", JSON)
        headers += [(b"content-type", given if SCHEMAS[route.body].is_form else JSON), (b"content-length", b"%d" % len(body))]
    path = route.litellms or route.path
    query = b"&".join(part for part in scope.get("query_string", b"").split(b"&") if part.partition(b"=")[0] in route.query)
    untraced = {} if route.is_logged else UNTRACED
    return {**scope, **untraced, "path": path, "raw_path": path.encode(), "query_string": query, "headers": headers}


def _call_id() -> bytes:
    line = request_log.present.get()
    return line.call_id.encode() if line is not None else b""


def _is_handed_on(name: bytes, value: bytes) -> bool:
    form = TRACEPARENT if name == b"traceparent" else TEXT if name in HANDED_ON else None
    return form is not None and form.fullmatch(value) is not None


def around(app: App) -> App:
    """Return LiteLLM's application as this gateway serves it."""
    surroundings = Surroundings(
        accepted=keys.accepted(),
        has_own_auth=litellm_proxy.has_own_auth,
        is_served=litellm_proxy.is_served,
        report=health_report.report,
        write=request_log.write,
    )
    return RequestScope(Gate(app, surroundings))
