"""Authentication, what is open, and that a caller can't replace what the specification chose."""

from __future__ import annotations

import socket
from typing import Any

import httpx
import pytest
from openai import AuthenticationError, OpenAI

from tests.live.guarded import AGENT, AGENTS_KEY, MASTER_KEY, Guarded
from tests.live.observed import KEY, ObservedGateway, question
from tests.support import plain_http

ADMIN = [
    ("GET", "/ui/"), ("GET", "/openapi.json"), ("GET", "/redoc"), ("GET", "/docs"), ("GET", "/routes"),
    ("GET", "/v1/model/info"), ("GET", "/model/info"), ("POST", "/model/new"), ("POST", "/key/generate"),
    ("GET", "/credentials"), ("POST", "/config/update"),
    ("POST", "/cache/flushall"), ("GET", "/debug/asyncio-tasks"), ("GET", "/router/settings"),
    ("GET", "/health/readiness/details"), ("GET", "/health/services"), ("POST", "/health/test_connection"),
    ("GET", "/metrics/x"),
    ("GET", "/get/config/callbacks"), ("GET", "/public/model_hub"), ("GET", "/sso/key/generate"), ("POST", "/v1/files"),
    ("POST", "/openai/v1/chat/completions"), ("POST", "/anthropic/v1/messages"), ("POST", "/bedrock/model/x/invoke"),
    ("POST", "/vertex_ai/v1/projects/x"), ("POST", "/engines/not-cached/chat/completions"), ("POST", "/mcp"),
    ("POST", "/v1/batches"),
    ("GET", "/v1/responses/resp_1"), ("DELETE", "/v1/responses/resp_1"), ("POST", "/v1/files/x"),
    ("POST", "/utils/token_counter"),
]  # fmt: skip


@pytest.mark.parametrize(("method", "path"), ADMIN)
def test_an_open_gateway_has_closed_routes(observed: ObservedGateway, method: str, path: str):
    """Administration, pass-through and documentation."""
    body = {"model": "not-cached", "messages": [{"role": "user", "content": "Hello"}]}
    answer = plain_http.request(method, f"{observed.gateway.url}{path}", json=body if method == "POST" else None)
    assert answer.status_code == 404
    assert answer.json()["error"]["code"] == "not_found"
    assert observed.provider.requests == []


def test_head_has_the_head_of_get(observed: ObservedGateway):
    """Its headers, and no body: the connection serves the next request as well."""
    with httpx.Client() as client:
        for path in ("/", "/v1/models", "/health/readiness"):
            whole, head = client.get(observed.gateway.url + path), client.head(observed.gateway.url + path)
            assert (head.status_code, head.content) == (200, b"")
            assert head.headers["content-type"] == whole.headers["content-type"]


def test_a_websocket_is_refused(observed: ObservedGateway):
    with socket.create_connection(("127.0.0.1", observed.gateway.port), timeout=30) as connection:
        connection.sendall(
            b"GET /v1/realtime?model=not-cached HTTP/1.1\r\nHost: gateway\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
            b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
        )
        assert connection.recv(100).startswith(b"HTTP/1.1 404 ")


def test_an_open_gateway_takes_any_key_and_hands_it_to_nobody(observed: ObservedGateway):
    text = question()
    assert observed.post("not-cached", text, headers={"Authorization": "Bearer sk-of-the-client"}).status_code == 200
    (seen,) = observed.seen(text)
    assert seen.headers["authorization"] == f"Bearer {KEY}"


# A gateway with a master key and agents' keys.


@pytest.mark.parametrize("key", [MASTER_KEY, AGENTS_KEY])
def test_a_good_key_is_served_and_the_provider_gets_its_own(guarded: Guarded, key: str):
    assert guarded.chat(key).status_code == 200
    assert guarded.provider.requests[-1].headers["authorization"] == f"Bearer {KEY}"


@pytest.mark.parametrize("key", [None, "wrong", MASTER_KEY[:-1], AGENTS_KEY[:-1], AGENTS_KEY.replace(AGENT, "another")])
def test_a_missing_or_wrong_key_is_401_and_the_provider_is_not_asked(guarded: Guarded, key: str | None):
    answer = guarded.chat(key)
    assert (answer.status_code, answer.headers["www-authenticate"]) == (401, "Bearer")
    assert answer.json()["error"]["code"] == "invalid_api_key"
    assert guarded.provider.requests == []


def test_openais_client_understands_the_refusal(guarded: Guarded):
    client = OpenAI(base_url=f"{guarded.gateway.url}/v1", api_key="not-needed", max_retries=0)
    with pytest.raises(AuthenticationError, match="needs a key"):
        client.models.list()


@pytest.mark.parametrize("header", ["x-api-key", "api-key"])
def test_the_keys_of_other_apis_clients_are_read_where_they_send_them(guarded: Guarded, header: str):
    body = {"model": "guarded-claude", "max_tokens": 5, "messages": [{"role": "user", "content": "Hello"}]}
    assert guarded.ask("POST", "/v1/messages", None, headers={header: AGENTS_KEY}, json=body).status_code == 200
    assert guarded.provider.requests[-1].headers["x-api-key"] == KEY
    assert guarded.ask("POST", "/v1/messages", None, headers={header: "wrong"}, json=body).status_code == 401


@pytest.mark.parametrize(
    ("path", "status"),
    [("/health/liveliness", 200), ("/health/liveness", 200), ("/health/readiness", 200), ("/metrics", 200), ("/health", 401)],
)
def test_probes_and_scrapes_need_no_key_and_the_state_of_endpoints_does(guarded: Guarded, path: str, status: int):
    assert guarded.ask("GET", path, None).status_code == status
    assert guarded.ask("GET", path).status_code == 200


def test_the_agent_is_in_the_log_and_in_no_label(guarded: Guarded):
    call_id = guarded.chat(AGENTS_KEY).headers["x-langop-call-id"]
    (line,) = guarded.lines("guarded", 1, call_id=call_id)
    assert line["agent"] == AGENT
    assert not [sample for sample in guarded.samples() if AGENT in sample.labels.values()]


def test_a_request_with_the_master_key_has_no_agent(guarded: Guarded):
    (line,) = guarded.lines("guarded", 1, call_id=guarded.chat().headers["x-langop-call-id"])
    assert "agent" not in line


# What a caller can't replace.

STEERING: dict[str, Any] = {
    "api_key": "sk-caller", "api_base": "http://elsewhere", "base_url": "http://elsewhere", "api_version": "1",
    "extra_headers": {"Authorization": "Bearer sk-caller"}, "headers": {"x": "y"}, "extra_body": {"model": "dearer"},
    "extra_query": {"a": "b"}, "user_config": {"model_list": []}, "model_list": [], "custom_llm_provider": "ollama",
    "organization": "org", "litellm_credential_name": "x", "aws_region_name": "x", "vertex_project": "x", "azure_ad_token": "x",
    "fallbacks": [{"model": "x", "api_base": "http://elsewhere"}], "mock_response": "x", "timeout": 0.001, "num_retries": -1,
    "guardrails": [], "cache": {"namespace": "another"}, "litellm_metadata": {}, "tags": ["x"],
    "input_cost_per_token": 0, "langfuse_host": "http://elsewhere", "specific_deployment": True, "caching": False,
}  # fmt: skip


@pytest.mark.parametrize("name", STEERING)
def test_a_field_that_would_steer_the_gateway_is_refused_by_its_name(guarded: Guarded, name: str):
    body = {"model": "guarded", "messages": [{"role": "user", "content": "Hello"}], name: STEERING[name]}
    answer = guarded.ask("POST", "/v1/chat/completions", json=body)
    assert answer.status_code == 400
    assert answer.json()["error"]["param"].partition(".")[0] == name
    assert guarded.provider.requests == []


def test_headers_and_queries_steer_nothing(guarded: Guarded):
    headers = {
        "x-litellm-timeout": "0.001", "x-litellm-num-retries": "no number", "x-litellm-tags": "a,b",
        "openai-organization": "org", "x-litellm-api-key": MASTER_KEY,
        "api-key": "sk-caller", "x-anything": "y", "x-litellm-disable-callbacks": "prometheus",
    }  # fmt: skip
    url = "/v1/chat/completions?api_base=http://elsewhere&api_key=sk-caller&api-version=1&model=another"
    body = {"model": "guarded", "messages": [{"role": "user", "content": "Hello"}]}
    assert guarded.ask("POST", url, headers=headers, json=body).status_code == 200
    seen = guarded.provider.requests[-1]
    assert seen.headers["authorization"] == f"Bearer {KEY}"
    assert not seen.headers.keys() & {"openai-organization", "x-anything", "api-key", "x-litellm-tags"}
    assert seen.body["model"] == "guarded"


def test_a_form_steers_nothing_either(guarded: Guarded):
    form = {"model": "guarded", "api_base": "http://elsewhere"}
    answer = guarded.ask("POST", "/v1/audio/transcriptions", data=form, files={"file": ("a.wav", b"RIFF")})
    assert (answer.status_code, answer.json()["error"]["param"]) == (400, "api_base")


@pytest.mark.parametrize("model", ["guarded/endpoint-0", "guarded,guarded-claude", "openai/guarded", "*", "guarded*"])
def test_a_model_is_asked_for_by_its_names_only(guarded: Guarded, model: str):
    """The id of a deployment, as LiteLLM takes it, would go past the model's limits, and a list would ask several models."""
    answer = guarded.chat(model=model)
    assert (answer.status_code, answer.json()["error"]["code"]) == (404, "model_not_found")


def test_an_answer_does_not_tell_where_the_provider_is(guarded: Guarded):
    answer = guarded.chat()
    assert guarded.provider.url not in str(answer.headers)
    assert not [name for name in answer.headers if name.startswith("llm_provider-")]


def test_an_answer_does_not_say_which_server_gave_it(guarded: Guarded):
    assert "server" not in guarded.chat().headers
