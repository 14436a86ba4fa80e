"""Errors in the format of the client's protocol."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from langop_model.gateway.access import error_formats, open_routes
from langop_model.gateway.access.open_routes import Protocol
from langop_model.gateway.upstreams import error_body
from langop_model.gateway.upstreams.base import FailureKind, UpstreamError

OPENAI = {"error": {"message": "too hot", "type": "invalid_request_error", "param": "temperature", "code": "out_of_range"}}
ANTHROPIC = {"type": "error", "error": {"type": "overloaded_error", "message": "too hot"}, "request_id": "req_1"}
GEMINI = {"error": {"code": 400, "message": "too hot", "status": "INVALID_ARGUMENT", "details": [{"reason": "X"}]}}
FLAT = {"object": "error", "message": "too hot", "type": "BadRequestError", "param": None, "code": 400}
DETAIL = {"detail": [{"loc": ["body", "messages", 0, "content"], "msg": "str type expected", "type": "type_error.str"}]}


def answered(protocol: Protocol, provider: Any, status: int = 400) -> Any:
    """What the client gets for an error body of the provider."""
    body = orjson.dumps(provider)
    details = error_body.details_of(body)
    error = UpstreamError(
        FailureKind.HTTP,
        status,
        details.message,
        cause="x",
        body=body,
        type=details.type,
        code=details.code,
        param=details.param,
    )
    return orjson.loads(error_formats.body_of(protocol, error))


@pytest.mark.parametrize(
    ("protocol", "body"),
    [(Protocol.OPENAI, OPENAI), (Protocol.ANTHROPIC, ANTHROPIC), (Protocol.GEMINI, GEMINI)],
)
def test_a_providers_body_in_the_clients_format_stays(protocol: Protocol, body: Any):
    assert answered(protocol, body) == body


@pytest.mark.parametrize("body", [OPENAI, ANTHROPIC, GEMINI, FLAT])
def test_every_client_reads_every_providers_message(body: Any):
    assert answered(Protocol.OPENAI, body)["error"]["message"] == "too hot"
    assert answered(Protocol.ANTHROPIC, body)["error"]["message"] == "too hot"
    assert answered(Protocol.GEMINI, body)["error"]["message"] == "too hot"


def test_an_openai_error_has_all_four_members():
    assert answered(Protocol.OPENAI, {"error": {"message": "no"}}) == {
        "error": {"message": "no", "type": None, "param": None, "code": None}
    }


def test_a_members_of_openrouters_error_stay():
    found = answered(
        Protocol.OPENAI, {"error": {"message": "no", "code": 502, "metadata": {"provider_name": "x"}}, "user_id": "u"}
    )
    assert found["error"]["metadata"] == {"provider_name": "x"}
    assert "user_id" not in found


def test_an_anthropic_client_gets_anthropics_type_for_a_status():
    assert answered(Protocol.ANTHROPIC, OPENAI, 429) == {
        "type": "error",
        "error": {"type": "rate_limit_error", "message": "too hot"},
    }


def test_a_gemini_client_gets_googles_word_for_a_status():
    assert answered(Protocol.GEMINI, OPENAI, 429)["error"] == {
        "code": 429,
        "message": "too hot",
        "status": "RESOURCE_EXHAUSTED",
    }


def test_fastapis_detail_is_readable():
    found = answered(Protocol.OPENAI, DETAIL, 422)["error"]
    assert found["message"] == "body.messages.0.content: str type expected"
    assert found["param"] == "messages.0.content"


@pytest.mark.parametrize(
    ("path", "protocol"),
    [
        ("/v1/messages", Protocol.ANTHROPIC),
        ("/v1/messages/batches", Protocol.ANTHROPIC),
        ("/v1/messagesx", Protocol.OPENAI),
        ("/v1beta/models/m:countTokens", Protocol.GEMINI),
        ("/v1/models/m:generateContent", Protocol.GEMINI),
        ("/v1/models/m", Protocol.OPENAI),
        ("/v1/chat/completions", Protocol.OPENAI),
        ("/nowhere", Protocol.OPENAI),
    ],
)
def test_a_closed_path_belongs_to_an_api_too(path: str, protocol: Protocol):
    assert open_routes.protocol_of(path) is protocol


def test_the_method_of_a_gemini_path_is_known():
    assert open_routes.methods("/v1beta/models/m:generateContent") == ["POST"]


def test_an_error_event_of_anthropics_has_its_name():
    error = UpstreamError(FailureKind.STREAM, 529, "no", cause="x", body=orjson.dumps(ANTHROPIC))
    event = error_formats.error_event(Protocol.ANTHROPIC, error)
    assert event == b"event: error\ndata: " + orjson.dumps(ANTHROPIC) + b"\n\n"
