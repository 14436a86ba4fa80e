"""What a client reads of a provider's failure: through the application and the real relay, from a server to the client."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pytest
from aiohttp import web

from langop_model.gateway.app import Gateway
from langop_model.gateway.configuration import Configuration
from langop_model.gateway.services import Services

JSON = "application/json"
CHAT = "/v1/chat/completions"
MESSAGES = "/v1/messages"
GEMINI = "/v1beta/models/m:generateContent"
BODIES: Mapping[str, dict[str, Any]] = {
    CHAT: {"model": "m", "messages": [{"role": "user", "content": "Hello!"}]},
    MESSAGES: {"model": "m", "messages": [{"role": "user", "content": "Hello!"}], "max_tokens": 9},
    "/v1/embeddings": {"model": "m", "input": "Hello!"},
    "/v1/moderations": {"model": "m", "input": "Hello!"},
}


@dataclass
class Got:
    """What the client got."""

    status: int
    headers: dict[str, str]
    text: str

    @property
    def error(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.text)["error"]
        return found


@dataclass
class Says:
    """What the provider answers, whatever it is asked."""

    status: int
    body: Any
    headers: Mapping[str, str] | None = None
    content_type: str = JSON

    async def answer(self, _: web.Request) -> web.Response:
        text = self.body if isinstance(self.body, str) else json.dumps(self.body)
        return web.Response(status=self.status, text=text, headers=self.headers, content_type=self.content_type)


OK = Says(200, {"choices": [{"message": {"content": "Hi"}}]})


def config(port: int, **group: Any) -> dict[str, Any]:
    routes = {"chat": "/chat/completions", "messages": "/messages", "embeddings": "/embeddings"}
    upstream = {"model": "gpt", "routes": routes, "drops": ["user"]}
    endpoint = {"id": "m/0", "url": f"http://127.0.0.1:{port}/v1"}
    section = {
        "resource": "m",
        "namespace": "d",
        "endpoints": [endpoint],
        "upstream": upstream,
        "routes": list(routes),
        **group,
    }
    return {
        "callback_settings": {"langop": {"models": {"m": section}}},
        "model_list": [{"litellm_params": {"model": "openai/gpt"}, "model_info": {"id": "m/0"}}],
    }


def ask(
    says: Says,
    path: str = CHAT,
    *,
    method: str = "POST",
    times: int = 1,
    content_type: str = JSON,
    body: Any = None,
    **group: Any,
) -> Got:
    """Ask the gateway `times` times, and return the last answer."""

    async def run() -> Got:
        application = web.Application()
        application.router.add_route("POST", "/{tail:.*}", says.answer)
        runner = web.AppRunner(application)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        services = Services(Configuration.of(config(runner.addresses[0][1], **group)), {})
        services.relay.client.proxies = {}
        try:
            data = json.dumps(body if body is not None else BODIES.get(path, {})).encode()
            for _ in range(times):
                got = await exchange(Gateway(services), method, path, data, content_type)
            return got
        finally:
            await services.aclose()
            await runner.cleanup()

    return asyncio.run(run())


async def exchange(gateway: Gateway, method: str, path: str, data: bytes, content_type: str) -> Got:
    sent: list[dict[str, Any]] = []
    messages = [{"type": "http.request", "body": data, "more_body": False}]

    async def receive() -> dict[str, Any]:
        if messages:
            return messages.pop()
        await asyncio.Event().wait()
        raise AssertionError

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {"type": "http", "method": method, "path": path, "query_string": b""}
    await gateway({**scope, "headers": [(b"content-type", content_type.encode())]}, receive, send)
    headers = {name.decode(): value.decode() for name, value in sent[0]["headers"]}
    return Got(sent[0]["status"], headers, b"".join(part.get("body", b"") for part in sent[1:]).decode())


def test_the_providers_own_error_arrives():
    error = {"message": "too hot", "type": "invalid_request_error", "param": "temperature", "code": "out_of_range"}
    got = ask(Says(400, {"error": error}))
    assert (got.status, got.error) == (400, error)


@pytest.mark.parametrize("status", [402, 403, 404, 409, 413, 422, 500, 503, 529])
def test_its_status_is_the_providers(status: int):
    assert ask(Says(status, {"error": {"message": "no"}})).status == status


def test_the_reason_of_a_422_is_readable():
    detail = [{"loc": ["body", "messages", 0, "content"], "msg": "str type expected", "type": "type_error.str"}]
    got = ask(Says(422, {"detail": detail}))
    assert (got.status, got.error["message"]) == (422, "body.messages.0.content: str type expected")
    assert got.error["param"] == "messages.0.content"


@pytest.mark.parametrize(
    ("sent", "seconds", "milliseconds"),
    [({"Retry-After": "7"}, "7", "7000"), ({"retry-after-ms": "1500"}, "2", "1500"), ({"retry-after-ms": "20"}, "1", "20")],
)
def test_when_to_try_again_is_passed_on(sent: dict[str, str], seconds: str, milliseconds: str):
    got = ask(Says(429, {"error": {"message": "slow down"}}, sent))
    assert got.status == 429
    assert (got.headers["retry-after"], got.headers["retry-after-ms"]) == (seconds, milliseconds)


def test_an_anthropic_client_gets_anthropics_own_error():
    own = {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}, "request_id": "req_1"}
    got = ask(Says(529, own), MESSAGES)
    assert (got.status, json.loads(got.text)) == (529, own)


def test_an_anthropic_client_gets_anthropics_format_of_another_ones_error():
    got = ask(Says(429, {"error": {"message": "slow down", "type": "tokens", "code": "rate_limit_exceeded"}}), MESSAGES)
    assert json.loads(got.text) == {"type": "error", "error": {"type": "rate_limit_error", "message": "slow down"}}


def test_an_openai_client_gets_openais_format_of_another_ones_error():
    got = ask(Says(529, {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}))
    assert got.error == {"message": "Overloaded", "type": "overloaded_error", "param": None, "code": None}


def test_an_error_with_status_200_is_one():
    got = ask(Says(200, {"error": {"message": "busy", "type": "server_error"}}))
    assert (got.status, got.error["message"]) == (500, "busy")


def test_an_error_of_a_choice_is_one():
    """OpenRouter's, where its provider failed while it answered."""
    choice = {"index": 0, "message": {"role": "assistant", "content": "Hel"}, "finish_reason": "error"}
    got = ask(Says(200, {"choices": [{**choice, "error": {"code": 503, "message": "Provider overloaded"}}]}))
    assert (got.status, got.error["message"]) == (503, "Provider overloaded")


def test_an_answer_without_choices_is_none():
    """Gemini and Azure send it where a filter has taken the only choice (pydantic/pydantic-ai#7909)."""
    got = ask(Says(200, {"object": "chat.completion", "choices": [], "usage": {"prompt_tokens": 3}}))
    assert (got.status, got.error["message"]) == (502, "the provider's answer has no choices")


def test_an_error_as_the_first_event_of_a_stream_has_its_status():
    event = 'data: {"error": {"message": "prompt is too long: 9 tokens > 8 maximum"}}\n\n'
    got = ask(Says(200, event, content_type="text/event-stream"), body={**BODIES[CHAT], "stream": True})
    assert (got.status, got.error["message"]) == (400, "prompt is too long: 9 tokens > 8 maximum")


def test_a_page_of_html_is_not_repeated():
    got = ask(Says(502, "<html>nginx at 10.0.0.7</html>", content_type="text/html"))
    assert (got.status, got.error["message"]) == (502, "the provider answered with status 502")


def test_a_limit_of_the_model_says_which_one_and_when():
    got = ask(OK, times=2, limits={"requests_per_minute": 1, "wait": 0})
    assert (got.status, got.error["type"], got.error["code"]) == (429, "rate_limit_error", "rate_limit_exceeded")
    assert "rateLimits.requestsPerMinute" in got.error["message"]
    assert 1 <= int(got.headers["retry-after"]) <= 60


@pytest.mark.parametrize(
    ("path", "method", "status", "kind"),
    [
        (MESSAGES, "GET", 405, "invalid_request_error"),
        ("/v1/messages/batches", "POST", 404, "not_found_error"),
    ],
)
def test_a_closed_path_of_anthropics_is_refused_in_its_format(path: str, method: str, status: int, kind: str):
    got = ask(OK, path, method=method)
    found = json.loads(got.text)
    assert (got.status, found["type"], found["error"]["type"]) == (status, "error", kind)


def test_a_closed_path_of_geminis_is_refused_in_its_format():
    got = ask(OK, GEMINI, method="GET")
    assert (got.status, got.error["code"], got.headers["allow"]) == (405, 405, "POST")


@pytest.mark.parametrize(("path", "says"), [(CHAT, "invalid_request_error"), (MESSAGES, "invalid_request_error")])
def test_another_content_type_is_415(path: str, says: str):
    got = ask(OK, path, content_type="text/plain")
    assert (got.status, got.error["type"]) == (415, says)


def test_a_route_that_the_provider_does_not_serve_is_refused():
    got = ask(OK, "/v1/moderations")
    assert (got.status, got.error["code"]) == (400, "unsupported_route")
    assert got.error["message"].startswith("the model m does not serve moderations. It serves chat, messages, embeddings")


def test_a_dropped_hint_is_named():
    assert ask(OK, body={**BODIES[CHAT], "user": "Ann"}).headers["x-langop-dropped"] == "user"


def test_a_member_that_steers_is_refused_by_name():
    got = ask(OK, body={**BODIES[CHAT], "gigachat_auth_url": "https://evil.example.com"})
    assert (got.status, got.error["param"], got.error["code"]) == (400, "gigachat_auth_url", "unknown_parameter")
    assert "evil" not in got.text


@pytest.mark.parametrize(
    ("routes", "path", "expected"),
    [
        (["chat"], "/v1/chat/completions", {"messages": [{"role": "user", "content": "Hi"}], "max_completion_tokens": 1}),
        (["embeddings"], "/v1/embeddings", {"input": "Hi"}),
    ],
)
def test_a_health_check_asks_what_the_model_takes(routes: list[str], path: str, expected: dict[str, Any]):
    seen = asyncio.run(checked(routes))
    assert seen == [(path, {**expected, "model": "gpt"})]


async def checked(routes: list[str]) -> list[tuple[str, Any]]:
    """Return the requests of one health check."""
    seen: list[tuple[str, Any]] = []

    async def answer(request: web.Request) -> web.Response:
        seen.append((request.path, await request.json()))
        return web.json_response({**OK.body, "data": []})

    application = web.Application()
    application.router.add_route("POST", "/{tail:.*}", answer)
    runner = web.AppRunner(application)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    made = config(runner.addresses[0][1], routes=routes)
    made["callback_settings"]["langop"]["models"]["m"]["upstream"]["renames"] = {"max_tokens": "max_completion_tokens"}
    services = Services(Configuration.of(made), {})
    services.relay.client.proxies = {}
    runtime = services.runtimes["m"]
    await services._probe(runtime)(runtime.endpoints.states[0])
    await services.aclose()
    await runner.cleanup()
    return seen
