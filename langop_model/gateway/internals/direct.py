"""The direct way to LiteLLM's chat completions: its own function, without what FastAPI does around it for each request.

The same middleware, routing and dependencies stand before each of LiteLLM's 670 routes: a tenth of a request's CPU. Behind the
gate, which has chosen the route, read the body and dropped the headers that they look at, they do nothing.
The one place that takes LiteLLM's route apart; tests/litellm/test_direct.py fails when a new LiteLLM builds it differently.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import orjson
from fastapi.encoders import jsonable_encoder
from starlette.middleware.errors import ServerErrorMiddleware
from starlette.middleware.exceptions import ExceptionMiddleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from langop_model.gateway.internals import caller, litellm_proxy
from langop_model.gateway.scope import App, Message, Receive, Send

# What orjson would write in its own way goes to FastAPI's encoder instead.
OPTIONS = (
    orjson.OPT_NON_STR_KEYS
    | orjson.OPT_PASSTHROUGH_DATETIME
    | orjson.OPT_PASSTHROUGH_DATACLASS
    | orjson.OPT_PASSTHROUGH_SUBCLASS
)
PATHS = frozenset({"/v1/chat/completions", "/chat/completions"})

# LiteLLM's middleware that a chat completion still passes, and the others: why nothing is lost without each of them.
KEPT = frozenset({"AdmissionControlMiddleware", "SecurityHeadersMiddleware", "InFlightRequestsMiddleware"})
LEFT_OUT = {
    "RequestSizeLimitMiddleware": "the gate has read the body, and limits it; LiteLLM does for licensees only",
    "LazyFeatureMiddleware": "makes routes with their first request; this one is made",
    "GZipBufferedResponseMiddleware": "the gate hands no Accept-Encoding on",
    "RedisRequestBatchMiddleware": "batches reads of keys and teams from redis; there are none",
    "BudgetReservationReleaseMiddleware": "budgets of keys and teams need a database",
    "BillableRequestMetricsMiddleware": "counts for a licence, or into a database",
    "PrometheusAuthMiddleware": "looks at /metrics only",
    "CORSMiddleware": "the gate hands no Origin on",
}


class Direct:
    """ASGI application: POST to one of PATHS goes the direct way, where it `may`; all else to LiteLLM's application."""

    def __init__(self, app: Any, may: Callable[[], bool]) -> None:
        self.app = app
        self.may = may
        self.direct = _with_middleware(app, _chat_completion)

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        is_chat = scope["type"] == "http" and scope["method"] == "POST" and scope["path"] in PATHS
        if is_chat and self.may():
            await self.direct({**scope, "app": self.app}, receive, send)  # where LiteLLM's route finds it
        else:
            await self.app(scope, receive, send)


def is_open() -> bool:
    """Whether nobody looks at what FastAPI does: a configuration's own `custom_auth` may, and a trace has a span of it."""
    return not (litellm_proxy.has_own_auth() or litellm_proxy.is_traced())


def _with_middleware(app: Any, inner: App) -> App:
    """Return `inner` behind LiteLLM's handlers of errors and the middleware that is KEPT, in LiteLLM's order."""
    handlers = {key: handler for key, handler in app.exception_handlers.items() if key not in (500, Exception)}
    stack: Any = ExceptionMiddleware(inner, handlers=handlers)
    for middleware in reversed(app.user_middleware):
        if middleware.cls.__name__ in KEPT:
            stack = middleware.cls(stack, *middleware.args, **middleware.kwargs)
    outermost: App = ServerErrorMiddleware(stack, handler=app.exception_handlers.get(Exception))
    return outermost


async def _chat_completion(scope: Message, receive: Receive, send: Send) -> None:
    """What LiteLLM's route does: who asks, the answer, as JSON or as the stream that it is."""
    from litellm.proxy.proxy_server import chat_completion

    request = Request(scope, receive, send)
    user = await caller.of(request)
    given = Given()
    response = _response(await chat_completion(request, given, None, user), given)
    await response(scope, receive, send)


class Given(Response):
    """What LiteLLM gives headers to: 24 of them. Starlette would look through all before each one."""

    def __init__(self) -> None:
        super().__init__()
        self.raw_headers.clear()
        self.named: dict[str, str] = {}

    @property
    def headers(self) -> Any:
        """The headers, by name."""
        return self.named

    def all(self) -> list[tuple[bytes, bytes]]:
        """The headers as they are sent, and what was set without their names: cookies."""
        named = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in self.named.items()]
        return [*named, *self.raw_headers]


def _response(content: Any, given: Given) -> Response:
    """Return `content` as FastAPI sends it, with the headers that LiteLLM has `given`; a stream is a response already."""
    if isinstance(content, Response):
        return content
    try:
        text = orjson.dumps(content, default=jsonable_encoder, option=OPTIONS)
        response = Response(text, media_type="application/json")
    except TypeError:  # an integer of more than 64 bits
        response = JSONResponse(jsonable_encoder(content))
    response.raw_headers.extend(given.all())
    return response
