"""The open routes of the gateway."""

from __future__ import annotations

import pytest

from langop_model.gateway.access import open_routes
from langop_model.gateway.access.open_routes import Protocol, Purpose
from langop_model.gateway.access.request_schemas import SCHEMAS
from langop_model.gateway.upstreams.base import Route


def test_every_question_has_a_request_schema():
    asked = {route.schema for route in open_routes.ROUTES.values() if route.purpose is Purpose.ASK}
    assert asked | {"generate_content"} == set(SCHEMAS)


def test_probes_scrapes_and_the_root_need_no_key():
    free = {path for (_, path), route in open_routes.ROUTES.items() if not route.needs_key}
    assert free == {"/", "/metrics", "/metrics/", "/health/liveliness", "/health/liveness", "/health/readiness"}


@pytest.mark.parametrize("name", ["gpt-4o", "meta/llama-3:8b", "ft:gpt-4o-mini:org::id", "a@1", "a.b", "..a", "a..b/c"])
def test_a_models_name_may_have_slashes_and_colons(name: str):
    route = open_routes.find("GET", f"/v1/models/{name}")
    assert route is not None
    assert route.model == name


@pytest.mark.parametrize(
    "name",
    ["", ".", "..", "../x", "any/x/../../files", "a/..", "a/./b", "a?b", "a%2e", "a b", "a\nb", "a\r\nX: y", "a\\b", "é"],
)
def test_a_name_with_anything_else_is_refused(name: str):
    assert open_routes.find("GET", f"/v1/models/{name}") is None
    assert open_routes.find("POST", f"/v1beta/models/{name}:generateContent") is None


@pytest.mark.parametrize(("method", "streams"), [("generateContent", False), ("streamGenerateContent", True)])
def test_geminis_paths_name_the_model(method: str, streams: bool):
    route = open_routes.find("POST", f"/v1beta/models/google/gemini-2.5-flash:{method}")
    assert route is not None
    assert (route.model, route.stream, route.protocol) == ("google/gemini-2.5-flash", streams, Protocol.GEMINI)
    assert route.route is Route.GENERATE_CONTENT


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/v1/chat/completions/"),
        ("POST", "/V1/chat/completions"),
        ("POST", "//v1/chat/completions"),
        ("GET", "/v1/responses/resp_1"),
        ("POST", "/key/generate"),
        ("GET", "/openapi.json"),
        ("GET", "/v1/chat/completions"),
    ],
)
def test_anything_else_is_closed(method: str, path: str):
    assert open_routes.find(method, path) is None


def test_a_path_lists_its_methods():
    assert open_routes.methods("/v1/chat/completions") == ["POST"]
    assert open_routes.methods("/key/info") == []


@pytest.mark.parametrize("path", ["/", "/v1/models", "/v1/models/a/b", "/health", "/health/readiness", "/metrics"])
def test_head_is_open_where_get_is(path: str):
    """Monitors and load balancers ask so; RFC 9110 demands both of every server."""
    assert open_routes.find("HEAD", path) == open_routes.find("GET", path)
    assert open_routes.methods(path) == ["GET", "HEAD"]


def test_a_question_has_no_head():
    assert open_routes.find("HEAD", "/v1/chat/completions") is None
    assert open_routes.methods("/v1/chat/completions") == ["POST"]
