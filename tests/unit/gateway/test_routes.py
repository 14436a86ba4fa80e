"""What is open, and what is another path."""

from __future__ import annotations

import pytest

from langop_model.gateway.access import routes
from langop_model.gateway.access.request_schemas import SCHEMAS
from langop_model.gateway.access.routes import Kind

OPEN = [
    ("POST", "/v1/chat/completions", Kind.MODEL),
    ("POST", "/chat/completions", Kind.MODEL),
    ("POST", "/v1/completions", Kind.MODEL),
    ("POST", "/v1/embeddings", Kind.MODEL),
    ("POST", "/v1/responses", Kind.MODEL),
    ("POST", "/v1/messages", Kind.MODEL),
    ("POST", "/v1/messages/count_tokens", Kind.TOKENIZER),
    ("POST", "/v1/audio/speech", Kind.MODEL),
    ("POST", "/audio/transcriptions", Kind.MODEL),
    ("POST", "/v1/images/generations", Kind.MODEL),
    ("POST", "/v1/images/edits", Kind.MODEL),
    ("POST", "/rerank", Kind.MODEL),
    ("POST", "/v2/rerank", Kind.MODEL),
    ("GET", "/v1/models", Kind.LIST),
    ("GET", "/models", Kind.LIST),
    ("GET", "/v1/models/gpt-4o", Kind.LIST),
    ("GET", "/models/llama3.2:1b", Kind.LIST),
    ("GET", "/health", Kind.HEALTH),
    ("GET", "/health/liveliness", Kind.PROBE),
    ("GET", "/health/liveness", Kind.PROBE),
    ("GET", "/health/readiness", Kind.PROBE),
    ("GET", "/metrics", Kind.METRICS),
    ("GET", "/metrics/", Kind.METRICS),
]


@pytest.mark.parametrize(("method", "path", "kind"), OPEN)
def test_the_data_plane_is_open(method: str, path: str, kind: Kind):
    route = routes.find(method, path)
    assert route is not None
    assert route.kind is kind


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/v1/chat/completions"),
        ("DELETE", "/v1/models/gpt-4o"),
        ("POST", "/metrics"),
        ("POST", "/V1/chat/completions"),
        ("POST", "/v1/chat/completions/"),
        ("POST", "//v1/chat/completions"),
        ("POST", "/v1//chat/completions"),
        ("POST", "/v1/./chat/completions"),
        ("POST", "/v1/models/../chat/completions"),
        ("POST", "/v1/chat%2fcompletions"),
        ("POST", "/v1/chat/completions%00"),
        ("POST", "/v1/chat/completions;x=1"),
        ("POST", "v1/chat/completions"),
        ("GET", "/v1/models/"),
        ("GET", "/v1/models/.."),
        ("GET", "/v1/models/..."),
        ("GET", "/v1/models/a/../../key/info"),
        ("GET", "/v1/models/a/b"),
        ("GET", "/v1/models/ü"),
        ("GET", "/v1/models/a\n"),
        ("GET", "/"),
        ("GET", "/ui/"),
        ("GET", "/openapi.json"),
        ("GET", "/health/readiness/details"),
        ("GET", "/health/drain"),
        ("POST", "/openai/v1/chat/completions"),
        ("POST", "/anthropic/v1/messages"),
        ("POST", "/engines/gpt-4o/chat/completions"),
        ("GET", "/v1/responses/resp_1"),
        ("GET", "/v1/model/info"),
        ("POST", "/cache/flushall"),
    ],
)
def test_everything_else_is_closed(method: str, path: str):
    assert routes.find(method, path) is None


@pytest.mark.parametrize("route", routes.ROUTES.values(), ids=lambda route: f"{route.method} {route.path}")
def test_probes_and_scrapes_need_no_key_and_have_no_line_and_the_rest_does(route: routes.Route):
    is_asked_by_machines = route.path.startswith(("/metrics", "/health/"))
    assert route.needs_key is not is_asked_by_machines
    assert route.is_logged is not (is_asked_by_machines or route.path == "/health")


def test_every_body_has_a_schema():
    assert {route.body for route in routes.ROUTES.values() if route.method == "POST"} <= set(SCHEMAS)


def test_a_path_says_which_methods_it_takes():
    assert routes.methods("/v1/chat/completions") == ["POST"]
    assert routes.methods("/key/info") == []
