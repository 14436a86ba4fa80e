"""What the gate lets through, what LiteLLM sees of it, and what the client sees of the answer."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest
from prometheus_client import REGISTRY

from langop_model.gateway import request_log
from langop_model.gateway.access.authentication import signature
from langop_model.gateway.access.gate import Gate, Surroundings
from langop_model.gateway.access.keys import Keys

CHAT = {"model": "served", "messages": [{"role": "user", "content": "Hello"}]}
AGENTS_KEY = f"sk-langop-agent-7.{signature('s3cret', 'agent-7')}"
BOTH = Keys("sk-master", "s3cret")


@dataclass
class World:
    """A gate with an application behind it that keeps what it gets, and answers 200."""

    accepted: Keys = field(default_factory=Keys)
    own_auth: bool = False
    seen: list[dict[str, Any]] = field(default_factory=list)
    lines: list[dict[str, Any]] = field(default_factory=list)
    answer: Callable[[Any], Any] | None = None

    async def app(self, scope: Any, receive: Any, send: Any) -> None:
        """LiteLLM's part."""
        body = (await receive())["body"] if scope["type"] == "http" else b""
        self.seen.append({**scope, "body": body, "headers": dict(scope.get("headers", ()))})
        if self.answer is not None:
            await self.answer(send)
            return
        headers = [(b"x-litellm-model-api-base", b"http://inside"), (b"llm_provider-set-cookie", b"c"), (b"x-kept", b"yes")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": b"{}"})

    def ask(self, method: str, path: str, body: Any = None, headers: dict[str, str] | None = None, **scope: Any) -> Answer:
        """Send one request."""
        content = b"" if body is None else body if isinstance(body, bytes) else json.dumps(body).encode()
        given = [(name.lower().encode(), value.encode()) for name, value in (headers or {}).items()]
        request = {"type": "http", "method": method, "path": path, "headers": given, "query_string": b"", **scope}
        sent: list[dict[str, Any]] = []

        async def receive() -> dict[str, Any]:
            return {"type": "http.request", "body": content, "more_body": False}

        async def send(message: Any) -> None:
            sent.append(message)

        around = Surroundings(
            accepted=self.accepted,
            has_own_auth=lambda: self.own_auth,
            is_served=lambda model: model == "served",
            report=lambda: {"status": "healthy"},
            write=lambda members: self.lines.append(dict(members)),
        )

        async def served() -> None:
            await Gate(self.app, around)(request, receive, send)
            await asyncio.sleep(0.03)  # the line of an answer whose figures never come

        asyncio.run(served())
        return Answer(sent)


@dataclass
class Answer:
    """What the gate has sent."""

    sent: list[dict[str, Any]]

    @property
    def status(self) -> int:
        """Its status."""
        status: int = self.sent[0]["status"]
        return status

    @property
    def headers(self) -> dict[bytes, bytes]:
        """Its headers."""
        return dict(self.sent[0]["headers"])

    @property
    def error(self) -> dict[str, Any]:
        """Its error."""
        error: dict[str, Any] = json.loads(self.sent[1]["body"])["error"]
        return error


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(request_log, "FIGURES_WITHIN", 0.01)


def test_an_open_request_passes_with_its_body():
    world = World()
    assert world.ask("POST", "/v1/chat/completions", CHAT).status == 200
    assert json.loads(world.seen[0]["body"]) == CHAT


def test_a_closed_route_is_answered_in_openais_shape_and_litellm_is_not_asked():
    world = World()
    answer = world.ask("GET", "/key/list")
    assert (answer.status, answer.error["type"], answer.error["code"]) == (404, "invalid_request_error", "not_found")
    assert answer.headers[b"content-type"] == b"application/json"
    assert world.seen == []


def test_a_wrong_method_is_told_the_right_one():
    answer = World().ask("GET", "/v1/chat/completions")
    assert (answer.status, answer.headers[b"allow"]) == (405, b"POST")


def test_a_websocket_is_closed():
    world = World()
    assert world.ask("GET", "/v1/realtime", type="websocket").sent == [{"type": "websocket.close", "code": 1008}]
    assert world.seen == []


def test_the_start_and_the_end_of_the_process_pass():
    world = World()
    world.ask("", "", type="lifespan")
    assert [scope["type"] for scope in world.seen] == ["lifespan"]


@pytest.mark.parametrize("key", ["", "wrong", "sk-langop-agent-7.0"])
@pytest.mark.parametrize(("method", "path"), [("POST", "/v1/chat/completions"), ("GET", "/v1/models"), ("GET", "/health")])
def test_where_a_key_is_needed_a_wrong_one_is_401(method: str, path: str, key: str):
    world = World(BOTH)
    answer = world.ask(method, path, CHAT, {"authorization": f"Bearer {key}"} if key else {})
    assert (answer.status, answer.headers[b"www-authenticate"]) == (401, b"Bearer")
    assert (answer.error["type"], answer.error["code"]) == ("authentication_error", "invalid_api_key")
    assert world.seen == []


@pytest.mark.parametrize("path", ["/health/liveliness", "/health/liveness", "/health/readiness", "/metrics"])
def test_a_probe_and_a_scrape_need_no_key(path: str):
    assert World(BOTH).ask("GET", path).status == 200


def test_a_closed_route_is_closed_with_a_key_too():
    assert World(BOTH).ask("GET", "/key/list", headers={"authorization": "Bearer sk-master"}).status == 404


@pytest.mark.parametrize("header", ["authorization", "x-api-key", "api-key", "x-litellm-api-key"])
@pytest.mark.parametrize("key", ["sk-master", AGENTS_KEY])
def test_a_good_key_passes_in_each_header_and_litellm_gets_it_in_one(header: str, key: str):
    world = World(BOTH)
    value = f"Bearer {key}" if header == "authorization" else key
    assert world.ask("POST", "/v1/chat/completions", CHAT, {header: value}).status == 200
    headers = world.seen[0]["headers"]
    assert headers[b"authorization"] == f"Bearer {key}".encode()
    assert not headers.keys() & {b"x-api-key", b"api-key", b"x-litellm-api-key"}


def test_an_open_gateway_gives_nobodys_key_to_litellm():
    world = World()
    world.ask("POST", "/v1/chat/completions", CHAT, {"authorization": "Bearer sk-ant-oat-of-the-client", "x-api-key": "k"})
    assert not world.seen[0]["headers"].keys() & {b"authorization", b"x-api-key"}


def test_a_configuration_with_its_own_auth_decides_alone():
    world = World(BOTH, own_auth=True)
    assert world.ask("POST", "/v1/chat/completions", CHAT, {"authorization": "Bearer a-jwt"}).status == 200
    assert world.seen[0]["headers"][b"authorization"] == b"Bearer a-jwt"


def test_a_configuration_with_its_own_auth_does_not_open_the_state_of_endpoints():
    """The gate answers that itself: LiteLLM, and so its auth, is not asked."""
    assert World(BOTH, own_auth=True).ask("GET", "/health", headers={"authorization": "Bearer a-jwt"}).status == 401
    assert World(BOTH, own_auth=True).ask("GET", "/health", headers={"authorization": "Bearer sk-master"}).status == 200


def test_of_the_headers_litellm_gets_those_that_steer_nothing():
    world = World()
    harmless = {"user-agent": "u", "anthropic-beta": "b", "traceparent": f"00-{'a' * 32}-{'b' * 16}-01"}
    steering = {
        "x-litellm-timeout": "1", "x-litellm-tags": "t", "openai-organization": "o", "cookie": "c", "x-forwarded-for": "f",
        "x-anything": "x", "content-encoding": "gzip", "transfer-encoding": "chunked", "x-litellm-call-id": "theirs",
    }  # fmt: skip
    world.ask("POST", "/v1/chat/completions", CHAT, {**harmless, **steering})
    headers = world.seen[0]["headers"]
    assert headers.keys() == {*(name.encode() for name in harmless), b"content-type", b"content-length", b"x-litellm-call-id"}
    assert headers[b"content-type"] == b"application/json"
    assert headers[b"content-length"] == b"%d" % len(world.seen[0]["body"])
    assert headers[b"x-litellm-call-id"] != b"theirs"


@pytest.mark.parametrize("value", ["ü", "a\0b", "a\x7f"])
def test_a_header_that_is_no_text_is_left_out(value: str):
    world = World()
    world.ask("POST", "/v1/chat/completions", CHAT, {"anthropic-beta": value, "user-agent": value})
    assert not world.seen[0]["headers"].keys() & {b"anthropic-beta", b"user-agent"}


def test_a_traceparent_that_is_none_is_left_out():
    world = World()
    world.ask("POST", "/v1/chat/completions", CHAT, {"traceparent": "00-zz"})
    assert b"traceparent" not in world.seen[0]["headers"]


def test_of_the_query_litellm_gets_what_the_route_knows():
    world = World()
    world.ask("POST", "/v1/messages", {**CHAT, "max_tokens": 5}, query_string=b"beta=true&api_base=http://x&api-version=1")
    world.ask("POST", "/v1/chat/completions", CHAT, query_string=b"beta=true&api_base=http://x")
    assert [scope["query_string"] for scope in world.seen] == [b"beta=true", b""]


def test_metrics_are_asked_for_without_litellms_redirect():
    world = World()
    world.ask("GET", "/metrics")
    assert world.seen[0]["path"] == "/metrics/"


def test_a_model_that_is_not_served_is_404_and_litellm_is_not_asked():
    world = World()
    answer = world.ask("POST", "/v1/chat/completions", {**CHAT, "model": "nobody"})
    assert (answer.status, answer.error["code"], answer.error["param"]) == (404, "model_not_found", "model")
    assert world.seen == []


def test_an_answer_does_not_tell_where_the_provider_is():
    headers = World().ask("POST", "/v1/chat/completions", CHAT).headers
    assert headers.keys() == {b"x-kept", b"x-litellm-call-id"}


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (
            b'{"error": {"message": "no such tool\\nTraceback (most recent call last):\\n  File \\"/app/x.py\\""}}',
            "no such tool",
        ),
        (b'{"error": {"message": "a plain one"}}', "a plain one"),
        (b"Traceback (most recent call last): /app/x.py", "the gateway has failed: its log says why"),
    ],
)
def test_a_failure_is_told_without_its_traceback(body: bytes, message: str):
    async def failing(send: Any) -> None:
        await send({"type": "http.response.start", "status": 500, "headers": [(b"content-length", b"%d" % len(body))]})
        await send({"type": "http.response.body", "body": body[:20], "more_body": True})
        await send({"type": "http.response.body", "body": body[20:]})

    answer = World(answer=failing).ask("POST", "/v1/chat/completions", CHAT)
    assert (answer.status, answer.error["message"]) == (500, message)
    assert int(answer.headers[b"content-length"]) == len(answer.sent[1]["body"])
    assert b"/app" not in answer.sent[1]["body"]


def test_a_request_that_litellm_can_not_translate_is_the_clients_fault():
    async def failing(send: Any) -> None:
        line = request_log.present.get()
        assert line is not None
        line.untranslatable = "Unsupported tool type: x"
        await send({"type": "http.response.start", "status": 500, "headers": []})
        await send({"type": "http.response.body", "body": b'{"error": {"message": "failed"}}'})

    world = World(answer=failing)
    answer = world.ask("POST", "/v1/chat/completions", CHAT)
    assert (answer.status, answer.error["type"]) == (400, "invalid_request_error")
    assert answer.error["message"] == "the provider of this model can't be asked this: Unsupported tool type: x"
    assert [line["status_code"] for line in world.lines] == [400]


def test_what_is_refused_is_counted_by_its_status():
    def counted() -> float:
        return REGISTRY.get_sample_value("langop_refused_requests_total", {"status_code": "404"}) or 0

    before = counted()
    World().ask("GET", "/ui/")
    World().ask("GET", "/another")
    assert counted() - before == 2


# The line of the request log.


def test_a_line_tells_the_agent_the_route_and_the_call_id_that_the_client_got():
    world = World(BOTH)
    answer = world.ask("POST", "/v1/chat/completions", CHAT, {"authorization": f"Bearer {AGENTS_KEY}"})
    (line,) = world.lines
    assert (line["agent"], line["path"], line["status_code"]) == ("agent-7", "/v1/chat/completions", 200)
    assert line["model_group"] == "served"
    assert line["call_id"].encode() == answer.headers[b"x-litellm-call-id"] == world.seen[0]["headers"][b"x-litellm-call-id"]
    assert AGENTS_KEY not in json.dumps(line)


def test_a_refusal_has_a_line_with_its_reason_and_without_the_key():
    world = World(BOTH)
    world.ask("POST", "/v1/chat/completions", CHAT, {"authorization": "Bearer wrong-key"})
    (line,) = world.lines
    assert (line["status_code"], line["error"]) == (401, "invalid_api_key")
    assert "wrong-key" not in json.dumps(line)


@pytest.mark.parametrize("path", ["/health/liveliness", "/health/readiness", "/health", "/metrics"])
def test_a_probe_has_no_line(path: str):
    world = World()
    world.ask("GET", path)
    assert world.lines == []


def test_a_client_that_leaves_before_the_end_has_left():
    async def half(send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"x", "more_body": True})

    world = World(answer=half)
    world.ask("POST", "/v1/chat/completions", CHAT)
    assert [line["status_code"] for line in world.lines] == [request_log.LEFT]


def test_an_error_that_litellm_did_not_expect_has_a_line_and_is_not_hidden():
    async def broken(_: Any) -> None:
        raise ValueError("no")

    world = World(answer=broken)
    with pytest.raises(ValueError, match="no"):
        world.ask("POST", "/v1/chat/completions", CHAT)
    assert [(line["status_code"], line["error"]) for line in world.lines] == [(500, "ValueError")]
