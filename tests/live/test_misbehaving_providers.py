"""What providers do that they should not: errors with status 200, endless streams, trickles, redirects, repeated keys."""

from __future__ import annotations

import asyncio
import gzip
import itertools
import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from stand_in import StandIn
from stand_in.answer import Answer, as_json, as_stream, event
from tests.live.observed import KEY, ObservedGateway, model, mount, question
from tests.support import plain_http
from tools.processes import Gateway

RETRIES = {"maxAttempts": 1, "initialBackoff": "10ms", "maxBackoff": "10ms"}
QUIET = {"metrics": True, "logging": {"level": "info", "logRequests": False, "logResponses": False}}
CHUNK = {"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "m"}
MESSAGE = {"role": "assistant", "content": "four words are here"}


def chunk(text: str = "", reason: str | None = None) -> bytes:
    """Return an event of a stream of chat completions."""
    return event({**CHUNK, "choices": [{"index": 0, "delta": {"content": text} if text else {}, "finish_reason": reason}]})


def whole(**more: Any) -> dict[str, Any]:
    """Return a whole chat completion without usage."""
    choice = {"index": 0, "message": MESSAGE, "finish_reason": "stop"}
    return {"id": "c", "object": "chat.completion", "created": 1, "model": "m", "choices": [choice], **more}


FAILS_AT_ONCE = {
    "error": as_stream([event({"error": {"message": "overloaded", "type": "server_error", "code": 503}})]),
    "silence": as_stream([b""]),
    "html": Answer((b"<html><body>Bad gateway</body></html>",), "text/html"),
    "only-comments": as_stream([b": keep-alive\n\n"]),
}
OVERLOADED = as_stream([event({"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}, "error")])
UNFINISHED = {
    "without-end": as_stream([chunk("four "), chunk("words ")]),
    "error-within": as_stream([chunk("four "), event({"error": {"message": "it broke", "type": "server_error"}})]),
}
TURN = [{"role": "user", "content": "TEXT"}]
STREAMS: dict[str, tuple[str, dict[str, Any], str]] = {  # path, body, and what its last event has
    "chat": ("/v1/chat/completions", {"messages": TURN}, "[DONE]"),
    "responses": ("/v1/responses", {"input": "TEXT"}, "response.completed"),
    "messages": ("/v1/messages", {"messages": TURN, "max_tokens": 50}, "message_stop"),
    "gemini": (
        "/v1beta/models/MODEL:streamGenerateContent?alt=sse",
        {"contents": [{"role": "user", "parts": [{"text": "TEXT"}]}]},
        '"finishReason":"STOP"',
    ),
}
ENDS = ('"finish_reason":"stop"', '"stop_reason":"end_turn"')
NO_ANSWERS = {
    "error": as_json({"error": {"message": "it broke"}}),
    "html": Answer((b"<html></html>",), "text/html"),
    "empty": Answer((b"",)),
    "no-choices": as_json({"id": "c"}),
    "list": as_json([]),
    "text": Answer((b"hello",), "text/plain"),
    "redirect": Answer((b"",), status=307, headers={"location": "http://127.0.0.1:9/v1/chat/completions"}),
    "bomb": Answer((gzip.compress(b" " * (80 * 2**20)),), headers={"content-encoding": "gzip"}),
    "brotli": Answer((b"\x0b\x02\x80{}\x03",), headers={"content-encoding": "br"}),
}


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ObservedGateway]:
    folder: Path = tmp_path_factory.mktemp("misbehaving")
    with StandIn() as provider:

        def at(name: str, **spec: Any) -> dict[str, Any]:
            return model(name, f"{provider.base(name)}/v1", **{"observability": QUIET, **spec})

        def balanced(name: str) -> dict[str, Any]:
            endpoints = [{"url": f"{provider.base(f'{name}-{each}')}/v1"} for each in ("first", "second")]
            balancing = {"strategy": "round-robin", "endpoints": endpoints}
            return model(name, provider.url, loadBalancing=balancing, observability=QUIET)

        prices = {"enabled": True, "inputTokenCost": 1, "outputTokenCost": 1}
        models = [
            at("plain", costTracking=prices),
            at("retried", retryPolicy=RETRIES),
            at("rescued", fallbacks=[{"modelRef": "plain"}]),
            model(
                "claude", provider.base("claude"), provider="anthropic", fallbacks=[{"modelRef": "plain"}], observability=QUIET
            ),
            at("cached", caching={"enabled": True, "backend": "memory", "ttl": "5m"}, costTracking=prices),
            at("short", timeout="1s"),
            at("budget", rateLimits={"tokensPerMinute": 60}, timeout="1s"),
            at("left", retryPolicy=RETRIES, fallbacks=[{"modelRef": "right"}]),
            at("right", retryPolicy=RETRIES, fallbacks=[{"modelRef": "left"}]),
            at("slashed", modelName="org/name:tag"),
            *(balanced(f"two-{route}-{failure}") for route in STREAMS for failure in FAILS_AT_ONCE),
        ]
        mounted, secrets = mount(folder, models)
        with Gateway(mounted, secrets, folder) as gateway:
            yield ObservedGateway(gateway, provider)


@pytest.fixture
def gateway(running: ObservedGateway) -> ObservedGateway:
    """The gateway, in front of a provider that behaves normally."""
    running.provider.reset()
    return running


def asked(gateway: ObservedGateway, *labels: str) -> int:
    """Return how often these endpoints were asked."""
    return len([seen for seen in gateway.provider.requests if seen.endpoint in labels])


# An attempt is one request to the provider.

ROUTES: dict[str, dict[str, Any]] = {
    "/v1/chat/completions": {"messages": [{"role": "user", "content": "Hello"}]},
    "/v1/completions": {"prompt": "Hello"},
    "/v1/embeddings": {"input": "Hello"},
    "/v1/responses": {"input": "Hello"},
    "/v1/messages": {"messages": [{"role": "user", "content": "Hello"}], "max_tokens": 5},
    "/v1/images/generations": {"prompt": "a house"},
    "/v1/audio/speech": {"input": "Hello", "voice": "alloy"},
    "/v1/audio/transcriptions": {},
}
SOUND = {"file": ("a.wav", b"RIFF-sound", "audio/wav")}


@pytest.mark.parametrize(("model", "status", "attempts"), [("plain", 500, 1), ("retried", 500, 2), ("retried", 422, 1)])
@pytest.mark.parametrize("path", ROUTES)
def test_an_attempt_is_one_request(gateway: ObservedGateway, path: str, model: str, status: int, attempts: int):
    gateway.provider.behave(model, answer=as_json({"error": {"message": "no such luck", "type": "some_type"}}, status))
    body = {"model": model, **ROUTES[path]}
    sent: dict[str, Any] = {"data": body, "files": SOUND} if "transcriptions" in path else {"json": body}
    answer = plain_http.post(f"{gateway.gateway.url}{path}", timeout=60, **sent)
    assert answer.status_code == status
    assert asked(gateway, model) == attempts


def test_the_reason_of_a_422_reaches_the_client(gateway: ObservedGateway):
    detail = [{"loc": ["body", "top_k"], "msg": "must be positive", "type": "value_error"}]
    gateway.provider.behave("plain", answer=as_json({"detail": detail}, 422))
    answer = gateway.post("plain", question())
    assert answer.status_code == 422
    assert "must be positive" in answer.json()["error"]["message"]


# A stream that fails before its first event fails like any answer, in each protocol that clients speak.


def stream(gateway: ObservedGateway, route: str, name: str, text: str) -> httpx.Response:
    """Ask a model for a stream in one of the protocols."""
    path, body, _ = STREAMS[route]
    members = json.loads(json.dumps(body).replace("TEXT", text))
    if "MODEL" not in path:
        members.update(model=name, stream=True)
    return plain_http.post(gateway.gateway.url + path.replace("MODEL", name), json=members, timeout=60)


def is_answer(answer: httpx.Response, route: str) -> bool:
    """Whether a stream is complete."""
    return answer.status_code == 200 and STREAMS[route][2] in answer.text and '"error"' not in answer.text


@pytest.mark.parametrize("failure", FAILS_AT_ONCE)
@pytest.mark.parametrize("route", STREAMS)
def test_a_stream_that_fails_at_once_is_retried(gateway: ObservedGateway, route: str, failure: str):
    gateway.provider.behave("retried", statuses=[FAILS_AT_ONCE[failure]])
    assert is_answer(stream(gateway, route, "retried", question()), route)
    assert asked(gateway, "retried") == 2


@pytest.mark.parametrize("failure", FAILS_AT_ONCE)
@pytest.mark.parametrize("route", STREAMS)
def test_a_stream_that_fails_at_once_tries_the_other_endpoint(gateway: ObservedGateway, route: str, failure: str):
    name = f"two-{route}-{failure}"  # an endpoint that has failed is not asked for a while
    gateway.provider.behave(f"{name}-first", answer=FAILS_AT_ONCE[failure])
    assert all(is_answer(stream(gateway, route, name, question()), route) for _ in range(2))
    assert asked(gateway, f"{name}-first") >= 1


@pytest.mark.parametrize("failure", FAILS_AT_ONCE)
@pytest.mark.parametrize("route", STREAMS)
def test_a_stream_that_fails_at_once_falls_back(gateway: ObservedGateway, route: str, failure: str):
    gateway.provider.behave("rescued", answer=FAILS_AT_ONCE[failure])
    assert is_answer(stream(gateway, route, "rescued", question()), route)
    assert asked(gateway, "plain") == 1


@pytest.mark.parametrize("failure", FAILS_AT_ONCE)
def test_a_relayed_stream_of_messages_that_fails_at_once_falls_back(gateway: ObservedGateway, failure: str):
    gateway.provider.behave("claude", answer=OVERLOADED if failure == "error" else FAILS_AT_ONCE[failure])
    assert is_answer(stream(gateway, "messages", "claude", question()), "messages")
    assert asked(gateway, "plain") == 1


FORMATS: dict[str, dict[str, Any]] = {
    "chat": {"error": {"message": "TEXT", "type": "invalid_request_error", "param": None, "code": 400}},
    "responses": {"error": {"message": "TEXT", "type": "invalid_request_error", "param": None, "code": 400}},
    "messages": {"type": "error", "error": {"type": "invalid_request_error", "message": "TEXT"}},
    "gemini": {"error": {"code": 400, "message": "TEXT", "status": "INVALID_ARGUMENT"}},
}


@pytest.mark.parametrize("route", STREAMS)
def test_a_stream_that_fails_at_once_has_the_errors_own_status(gateway: ObservedGateway, route: str):
    error = {"error": {"message": "maximum context length", "type": "invalid_request_error", "code": 400}}
    gateway.provider.behave("plain", answer=as_stream([event(error)]))
    answer = stream(gateway, route, "plain", question())
    expected = json.loads(json.dumps(FORMATS[route]).replace("TEXT", "maximum context length"))
    assert (answer.status_code, answer.json()) == (400, expected)


@pytest.mark.parametrize("route", STREAMS)
def test_a_stream_that_is_silent_after_its_headers_is_a_timeout(gateway: ObservedGateway, route: str):
    gateway.provider.behave("short", answer=as_stream([b": wait\n\n"] * 20), chunk_delay=0.2)
    assert stream(gateway, route, "short", question()).status_code == 504


# A stream without its end is no success.


@pytest.mark.parametrize("failure", [*UNFINISHED, "cut"])
@pytest.mark.parametrize("route", STREAMS)
def test_an_unfinished_stream_ends_in_an_error(gateway: ObservedGateway, route: str, failure: str):
    name = "cached"
    if failure == "cut":
        gateway.provider.behave(name, break_after=3)
    else:
        gateway.provider.behave(name, answer=UNFINISHED[failure], chunk_delay=0.1)
    failures = gateway.metric("langop_requests_total", model=name, outcome="failure")
    text = question()
    answer = stream(gateway, route, name, text)
    *_, last = [line for line in answer.text.splitlines() if line.startswith("data: ")]
    assert "error" in json.loads(last.removeprefix("data: "))
    assert not [end for end in (*ENDS, STREAMS[route][2]) if end in answer.text.replace(" ", "")]
    (line,) = gateway.lines(name, 1, call_id=answer.headers["x-langop-call-id"])
    assert (line["level"], line["status"]) == ("ERROR", "failure")
    assert gateway.metric("langop_requests_total", model=name, outcome="failure") == failures + 1
    gateway.provider.behave(name)
    assert is_answer(stream(gateway, route, name, text), route)  # nothing of it was kept


# A whole answer has to be one.


@pytest.mark.parametrize("answer", NO_ANSWERS)
def test_what_is_no_answer_is_502(gateway: ObservedGateway, answer: str):
    gateway.provider.behave("plain", answer=NO_ANSWERS[answer])
    failed = gateway.post("plain", question())
    assert failed.status_code == 502, failed.text
    assert failed.json()["error"]["message"]


def test_a_second_answer_on_a_connection_reaches_nobody(gateway: ObservedGateway):
    body = json.dumps(whole()).encode()
    more = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n{}"
    gateway.provider.behave("plain", answer=Answer((body + more,), headers={"content-length": str(len(body))}))
    for _ in range(3):
        gateway.post("plain", question())
    gateway.provider.behave("plain")
    text = question()
    assert gateway.said("plain", text) == f"You said: {text}"


# spec.timeout bounds an attempt.


def test_a_trickle_is_cut_off_after_the_timeout(gateway: ObservedGateway):
    body = json.dumps(whole()).encode()
    trickle = Answer(tuple(bytes([byte]) for byte in body), streamed=True)
    gateway.provider.behave("short", answer=trickle, chunk_delay=0.2)
    began = time.monotonic()
    answer = gateway.post("short", question())
    assert answer.status_code == 504
    assert 0.9 < time.monotonic() - began < len(body) * 0.2 / 2


# Tokens that no provider reported are estimated.


@pytest.mark.parametrize("stream", [False, True])
def test_tokens_that_are_not_reported_are_estimated(gateway: ObservedGateway, stream: bool):
    without = (
        as_stream([chunk("four words are here"), chunk(reason="stop"), b"data: [DONE]\n\n"]) if stream else as_json(whole())
    )
    gateway.provider.behave("plain", answer=without)
    labels = {"model": "plain", "token_type": "output"}
    before = gateway.metric("langop_estimated_tokens_total", **labels)
    answer = gateway.post("plain", question(), stream=stream)
    (line,) = gateway.lines("plain", 1, call_id=answer.headers["x-langop-call-id"])
    assert line["usage_estimated"] is True
    assert line["prompt_tokens"] > 0
    assert line["completion_tokens"] > 0
    assert line["cost"] > 0
    assert gateway.metric("langop_estimated_tokens_total", **labels) == before + line["completion_tokens"]


def test_estimated_tokens_count_in_the_limit(gateway: ObservedGateway):
    gateway.provider.behave("budget", answer=as_json(whole()))
    text = question("word " * 60)
    statuses = [gateway.post("budget", text).status_code for _ in range(2)]
    assert statuses == [200, 429]


# The cache.


def test_a_hit_is_the_answer_byte_for_byte_and_costs_nothing(gateway: ObservedGateway):
    message = {**MESSAGE, "reasoning_content": "thought about it"}
    kept = whole(
        choices=[{"index": 0, "message": message, "finish_reason": "stop"}],
        usage={"prompt_tokens": 9, "completion_tokens": 9, "total_tokens": 18},
    )
    gateway.provider.behave("cached", answer=as_json(kept))
    text = question()
    first, second = (gateway.post("cached", text) for _ in range(2))
    assert [answer.headers["x-langop-cache"] for answer in (first, second)] == ["miss", "hit"]
    assert second.content == first.content
    assert second.json()["choices"][0]["message"]["reasoning_content"] == "thought about it"
    assert (float(first.headers["x-langop-cost"]) > 0, float(second.headers["x-langop-cost"])) == (True, 0)
    (line,) = gateway.lines("cached", 1, call_id=second.headers["x-langop-call-id"])
    assert line["cost"] == 0


def test_three_hundred_equal_requests_at_once_ask_the_provider_once(gateway: ObservedGateway):
    gateway.provider.behave("cached", delay=2)
    body = {"model": "cached", "messages": [{"role": "user", "content": question()}]}

    async def ask() -> list[httpx.Response]:
        limits = httpx.Limits(max_connections=None)
        async with httpx.AsyncClient(base_url=gateway.gateway.url, timeout=60, limits=limits) as client:
            return await asyncio.gather(*(client.post("/v1/chat/completions", json=body) for _ in range(300)))

    answers = asyncio.run(ask())
    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.content for answer in answers}) == 1
    assert asked(gateway, "cached") == 1


def test_the_order_of_members_does_not_matter_to_the_cache(gateway: ObservedGateway):
    body = {"model": "cached", "messages": [{"role": "user", "content": question()}], "temperature": 0.5}
    orders = [dict(order) for order in itertools.permutations(body.items())]
    for each in orders:
        plain_http.post(f"{gateway.gateway.url}/v1/chat/completions", json=each, timeout=60)
    assert asked(gateway, "cached") == 1


# Two models that back each other up.


def test_two_models_back_each_other_up(gateway: ObservedGateway):
    gateway.provider.behave("left", status=500)
    text = question()
    assert gateway.said("left", text) == f"You said: {text}"
    assert gateway.said("right", text) == f"You said: {text}"


def test_of_two_failing_models_the_fallback_is_tried_once(gateway: ObservedGateway):
    """As a sibling's proxy is (test_siblings_that_name_each_other_are_tried_once)."""
    for name in ("left", "right"):
        gateway.provider.behave(name, status=500)
    assert gateway.post("left", question()).status_code == 500
    assert [seen.endpoint for seen in gateway.provider.requests] == ["left", "left", "right"]


# Privacy.


@pytest.mark.parametrize("stream", [False, True])
def test_a_key_and_a_question_in_an_error_reach_nobody(gateway: ObservedGateway, stream: bool):
    text = question("only this test knows it")
    error = {"error": {"message": f"wrong key {KEY} at {gateway.provider.url} for: {text}", "type": "invalid_request_error"}}
    headers = {"x-key": KEY, "www-authenticate": KEY}
    gateway.provider.behave("plain", answer=as_json(error, 401, headers))
    answer = gateway.post("plain", text, stream=stream)
    assert answer.status_code == 401
    assert KEY not in answer.text + str(answer.headers)
    assert gateway.provider.url not in answer.text
    gateway.lines("plain", 1, call_id=answer.headers["x-langop-call-id"])
    assert KEY not in gateway.output()
    assert "only this test knows it" not in gateway.output()


# What is no question to a model.


@pytest.mark.parametrize("name", ["org/name:tag", "slashed"])
def test_a_models_entry_is_found_by_its_name(gateway: ObservedGateway, name: str):
    answer = plain_http.get(f"{gateway.gateway.url}/v1/models/{name}", timeout=60)
    assert (answer.status_code, answer.json()["id"]) == (200, name)


def test_the_root_says_what_this_is(gateway: ObservedGateway):
    answer = plain_http.get(gateway.gateway.url, timeout=60)
    assert answer.status_code == 200
    assert answer.text.count("\n") == 1
    assert "gateway" in answer.text


def test_speech_that_breaks_breaks_for_the_client_too(gateway: ObservedGateway):
    """Its client must not take half a sentence for all of it; the log has a line of the request, and no traceback."""
    before = len(gateway.gateway.log.read_text(encoding="utf-8"))
    gateway.provider.behave("plain", answer=as_stream([b"ID3", b"more"], "audio/mpeg"), chunk_delay=0.2, break_after=1)
    body = {"model": "plain", "input": question(), "voice": "alloy"}
    with pytest.raises(httpx.RemoteProtocolError):
        plain_http.post(f"{gateway.gateway.url}/v1/audio/speech", json=body, timeout=30)
    written = gateway.gateway.log.read_text(encoding="utf-8")[before:]
    assert "Traceback" not in written
    assert "ASGI" not in written
