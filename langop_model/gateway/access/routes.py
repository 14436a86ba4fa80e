"""What is open: the data plane, by method and path. All else that LiteLLM serves is closed, also what it learns to serve.

The path of a request must be one of these letter by letter: what differs in case, slashes or encoding is another path, and
closed. LiteLLM has more routes of the same kind, which stay closed: `/v1/responses/<id>` and its like go to a provider with an
id of the caller's making, past the limits; `/engines/<model>/` and `/openai/deployments/<model>/` are other names of the same.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from enum import Enum, auto


class Kind(Enum):
    """What serves a route: a model, its tokenizer, LiteLLM's list of models, a probe, the state of endpoints, the metrics."""

    MODEL = auto()
    TOKENIZER = auto()
    LIST = auto()
    PROBE = auto()
    HEALTH = auto()
    METRICS = auto()


@dataclass(frozen=True, slots=True)
class Route:
    """An open route. `body` names the shape of its body (bodies.py); `query` the parameters that are handed on.

    `litellms` is LiteLLM's path for it, where that is another.
    """

    method: str
    path: str
    kind: Kind
    body: str = ""
    query: frozenset[bytes] = frozenset()
    litellms: str = ""

    @property
    def needs_key(self) -> bool:
        """Whether it is for those who have a key, where one is needed. Probes and Prometheus have none."""
        return self.kind not in (Kind.PROBE, Kind.METRICS)

    @property
    def is_logged(self) -> bool:
        """Whether a request has a line in the request log. Probes and scrapes would fill it."""
        return self.kind in (Kind.MODEL, Kind.TOKENIZER, Kind.LIST)


def _asked(path: str, body: str, *others: str) -> list[Route]:
    """A question to a model, with and without /v1, and under `others`."""
    return [Route("POST", each, Kind.MODEL, body) for each in (f"/v1{path}", path, *others)]


_ROUTES = [
    *_asked("/chat/completions", "chat"),
    *_asked("/completions", "completion"),
    *_asked("/embeddings", "embedding"),
    *_asked("/responses", "response"),
    *_asked("/audio/speech", "speech"),
    *_asked("/audio/transcriptions", "transcription"),
    *_asked("/images/generations", "image"),
    *_asked("/images/edits", "image_edit"),
    *_asked("/rerank", "rerank", "/v2/rerank"),
    # Anthropic's clients add ?beta=true. LiteLLM has these two with /v1 only.
    *(
        Route("POST", path, kind, body, frozenset({b"beta"}))
        for path, kind, body in (
            ("/v1/messages", Kind.MODEL, "message"),
            ("/v1/messages/count_tokens", Kind.TOKENIZER, "message_count"),
        )
    ),
    *(Route("GET", path, Kind.LIST) for path in ("/v1/models", "/models")),
    *(Route("GET", path, Kind.PROBE) for path in ("/health/liveliness", "/health/liveness", "/health/readiness")),
    Route("GET", "/health", Kind.HEALTH),
    # LiteLLM answers /metrics with a redirect to /metrics/, which strict scrapers do not follow.
    *(Route("GET", path, Kind.METRICS, litellms="/metrics/") for path in ("/metrics", "/metrics/")),
]
ROUTES = {(route.method, route.path): route for route in _ROUTES}
PATHS: dict[str, list[str]] = {}
for _route in _ROUTES:
    PATHS.setdefault(_route.path, []).append(_route.method)

MODEL = Route("GET", "/v1/models/{model_id}", Kind.LIST)
_ONE_MODEL = re.compile(r"(/v1)?/models/(?!\.+$)[\w.:@-]+", re.ASCII)  # no slash: LiteLLM's own route takes none
PATHS_OF_LITELLM = frozenset({route.litellms or route.path for route in _ROUTES} | {MODEL.path})
SERVED = "chat/completions, completions, embeddings, responses, messages, audio, images, rerank, models, health and metrics"


def find(method: str, path: str) -> Route | None:
    """Return the open route that a request asks for."""
    route = ROUTES.get((method, path))
    if route is None and method == MODEL.method and _ONE_MODEL.fullmatch(path):
        return replace(MODEL, litellms=path)
    return route


def methods(path: str) -> list[str]:
    """Return the methods that a path is open for."""
    return PATHS.get(path, [])
