"""The open routes: by method and path. Anything else is answered with 404 or 405.

A path must match character by character: what differs in case, slashes or encoding is another path, and closed. A route with
an id of the client's making (`/v1/responses/<id>`) would reach a provider past the limits of a model, so none is open.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum, auto
from functools import lru_cache

from langop_model.gateway.upstreams.base import Route


class Protocol(Enum):
    """Whose API a route belongs to: the format of its errors and streams."""

    OPENAI = auto()
    ANTHROPIC = auto()
    GEMINI = auto()


class Purpose(Enum):
    """What a path is for, where it is no question to a model."""

    ASK = auto()
    LIST_MODELS = auto()
    LIVENESS = auto()
    READINESS = auto()
    HEALTH = auto()
    METRICS = auto()
    ROOT = auto()


LOGGED = (Purpose.ASK, Purpose.LIST_MODELS)
WITH_KEY = (*LOGGED, Purpose.HEALTH)


@dataclass(frozen=True, slots=True)
class OpenRoute:
    """An open route. `path` is what logs and metrics call it; `schema` names the request schema of its body.

    `model` is the model that the path names, empty where the body does; `stream` says the same of streaming.
    """

    method: str
    path: str
    purpose: Purpose = Purpose.ASK
    route: Route | None = None
    schema: str = ""
    protocol: Protocol = Protocol.OPENAI
    model: str = ""
    stream: bool | None = None

    @property
    def needs_key(self) -> bool:
        """Whether it needs a key where one is required. Probes, Prometheus and the root path do not."""
        return self.purpose in WITH_KEY

    @property
    def is_logged(self) -> bool:
        """Whether a request gets a line in the request log. Probes and scrapes would fill it."""
        return self.purpose in LOGGED


def _ask(route: Route, path: str, schema: str, *, also: tuple[str, ...] = (), v1_only: bool = False) -> list[OpenRoute]:
    paths = (f"/v1{path}", *(() if v1_only else (path,)), *also)
    protocol = Protocol.ANTHROPIC if route in (Route.MESSAGES, Route.COUNT_TOKENS) else Protocol.OPENAI
    return [OpenRoute("POST", each, Purpose.ASK, route, schema, protocol) for each in paths]


_ROUTES = [
    *_ask(Route.CHAT, "/chat/completions", "chat"),
    *_ask(Route.COMPLETIONS, "/completions", "completion"),
    *_ask(Route.EMBEDDINGS, "/embeddings", "embedding"),
    *_ask(Route.RESPONSES, "/responses", "response"),
    *_ask(Route.MODERATIONS, "/moderations", "moderation"),
    *_ask(Route.SPEECH, "/audio/speech", "speech"),
    *_ask(Route.TRANSCRIPTIONS, "/audio/transcriptions", "transcription"),
    *_ask(Route.IMAGES, "/images/generations", "image"),
    *_ask(Route.IMAGE_EDITS, "/images/edits", "image_edit"),
    *_ask(Route.RERANK, "/rerank", "rerank", also=("/v2/rerank",)),
    *_ask(Route.MESSAGES, "/messages", "message", v1_only=True),
    *_ask(Route.COUNT_TOKENS, "/messages/count_tokens", "message_count", v1_only=True),
    OpenRoute("GET", "/v1/models", Purpose.LIST_MODELS),
    OpenRoute("GET", "/models", Purpose.LIST_MODELS),
    OpenRoute("GET", "/health/liveliness", Purpose.LIVENESS),
    OpenRoute("GET", "/health/liveness", Purpose.LIVENESS),
    OpenRoute("GET", "/health/readiness", Purpose.READINESS),
    OpenRoute("GET", "/health", Purpose.HEALTH),
    OpenRoute("GET", "/metrics", Purpose.METRICS),
    OpenRoute("GET", "/metrics/", Purpose.METRICS),
    OpenRoute("GET", "/", Purpose.ROOT),
]
ROUTES = {(route.method, route.path): route for route in _ROUTES}
_READING = ["GET", "HEAD"]
METHODS: dict[str, list[str]] = {}
for _route in _ROUTES:
    METHODS.setdefault(_route.path, []).extend(_READING if _route.method == "GET" else [_route.method])
OPEN = "chat/completions, completions, embeddings, responses, messages, moderations, audio, images, rerank, models, metrics"

# No query, no escape, nothing that ends a header.
_NAME = r"[A-Za-z0-9._:/@+-]{1,256}"
_ONE_MODEL = re.compile(rf"(?:/v1)?/models/({_NAME})")
_GEMINI = re.compile(rf"/v1(?:beta)?/models/({_NAME}):(generateContent|streamGenerateContent)")


@lru_cache(maxsize=1024)
def is_model_name(text: str) -> bool:
    """Whether `text` can name a model. It may become part of a provider's path, so it has no dot segments."""
    return re.fullmatch(_NAME, text) is not None and not {".", ".."} & set(text.split("/"))


def find(method: str, path: str) -> OpenRoute | None:
    """Return the open route of a request; None where there is none.

    HEAD is open where GET is, and the server omits the body (RFC 9110, 9.3.2): uptime monitors, load balancers and clients that
    look whether a base URL answers ask so.
    """
    if method == "HEAD":
        method = "GET"
    route = ROUTES.get((method, path))
    if route is not None:
        return route
    if method == "GET" and (match := _ONE_MODEL.fullmatch(path)) and is_model_name(match[1]):
        return OpenRoute(method, "/v1/models/{model}", Purpose.LIST_MODELS, model=match[1])
    if method == "POST" and (match := _GEMINI.fullmatch(path)) and is_model_name(match[1]):
        named = f"/v1beta/models/{{model}}:{match[2]}"
        streamed = match[2].startswith("stream")
        return OpenRoute(
            method, named, Purpose.ASK, Route.GENERATE_CONTENT, "generate_content", Protocol.GEMINI, match[1], streamed
        )
    return None


def protocol_of(path: str) -> Protocol:
    """Return whose API a path belongs to, also one that is not open: a client can read only its own errors."""
    if path == "/v1/messages" or path.startswith("/v1/messages/"):
        return Protocol.ANTHROPIC
    is_gemini = path.startswith("/v1beta/") or (path.startswith("/v1/models/") and "enerateContent" in path)
    return Protocol.GEMINI if is_gemini else Protocol.OPENAI


def methods(path: str) -> list[str]:
    """Return the methods that a path is open for."""
    return METHODS.get(path) or (["POST"] if _GEMINI.fullmatch(path) else _READING if _ONE_MODEL.fullmatch(path) else [])
