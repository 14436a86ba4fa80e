"""What is sent by someone who means harm, or reads no documentation: refused with 4xx, no secret told, the gateway alive."""

from __future__ import annotations

import itertools
import json
import socket
from collections.abc import Iterable, Iterator
from typing import Any

import httpx
import pytest

from langop_model.gateway.access.body_memory import MAX_BODY_SIZE
from langop_model.gateway.access.request_schemas import SCHEMAS
from tests.live.guarded import AWS_SECRET, MASTER_KEY, SECRETS, Guarded
from tests.live.observed import ObservedGateway, json_lines

A_FILES_CONTENT = "root:x:0:0"
USER = {"role": "user", "content": "Hello"}
ROUTES: dict[str, tuple[str, dict[str, Any]]] = {
    "/v1/chat/completions": ("chat", {"messages": [USER]}),
    "/v1/completions": ("completion", {"prompt": "Hello"}),
    "/v1/embeddings": ("embedding", {"input": "Hello"}),
    "/v1/responses": ("response", {"input": "Hello"}),
    "/v1/messages": ("message", {"messages": [USER], "max_tokens": 5}),
    "/v1/messages/count_tokens": ("message_count", {"messages": [USER]}),
    "/v1/audio/speech": ("speech", {"input": "Hello", "voice": "alloy"}),
    "/v1/images/generations": ("image", {"prompt": "A cat"}),
    "/v1/rerank": ("rerank", {"query": "cat", "documents": ["A cat"]}),
}
WRONG: list[Any] = [
    None, True, -1, 2**40, 0.5, "", "x", "os.environ/LITELLM_MASTER_KEY", "file:///etc/passwd", "../../etc/passwd",
    "\u0000\r\nx: y", [], {}, [[]], [{}], ["x"], {"a": {}}, {"type": "x"}, [{"type": "x"}],
]  # fmt: skip
INSIDE = "http://169.254.169.254/latest/meta-data"
MESSAGES: list[Any] = [
    {"role": "user"}, {"role": "wizard", "content": "x"}, {"role": "tool", "content": "x"},
    {"role": "function", "content": "x"},
    {"role": "assistant", "tool_calls": [{}]},
    {"role": "assistant", "tool_calls": [{"function": {"name": "f", "arguments": "{"}}]},
    {"role": "user", "content": [{"type": "image_url"}]},
    {"role": "user", "content": [{"type": "image_url", "image_url": {"url": 7}}]},
    {"role": "user", "content": [{"type": "image_url", "image_url": {"url": INSIDE}}]},
    {"role": "user", "content": [{"type": "image_url", "image_url": {"url": "file:///etc/passwd"}}]},
    {"role": "user", "content": [{"type": "image", "source": {"type": "url", "url": INSIDE}}]},
    {"role": "user", "content": [{"type": "file", "file": {"file_id": "../../etc/passwd"}}]},
    {"role": "user", "content": [{"type": "input_audio", "input_audio": {}}]}, {"role": "user", "content": [{"type": "wat"}]},
    {"role": "assistant", "content": "x", "thinking_blocks": 7}, {"role": "assistant", "content": "x", "function_call": 7},
]  # fmt: skip


def wrong_bodies(model: str, claude: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield each field of each route with each wrong value, and messages with something wrong in them."""
    for path, (shape, base) in ROUTES.items():
        for name, value in itertools.product([*SCHEMAS[shape].fields, "not_a_field"], WRONG):
            yield path, {"model": model, **base, name: value}
    for each, message in itertools.product((model, claude), MESSAGES):
        yield "/v1/chat/completions", {"model": each, "messages": [message]}
        yield "/v1/messages", {"model": each, "messages": [USER, message], "max_tokens": 5}
        yield "/v1/responses", {"model": each, "input": [message]}
    for tools in (
        [{"type": "x"}],
        [{"name": "x"}],
        [{"type": "function", "function": {"name": "f", "parameters": {"type": 7}}}],
    ):
        yield "/v1/chat/completions", {"model": claude, "messages": [USER], "tools": tools}


def assert_harmless(laboratory: ObservedGateway, requests: Iterable[tuple[str, dict[str, Any]]]) -> None:
    """Send requests: none makes the gateway fail, none brings a secret to light, and none reaches another than the provider."""
    failed, told = [], []
    with httpx.Client(base_url=laboratory.gateway.url, headers={"Authorization": f"Bearer {MASTER_KEY}"}, timeout=60) as client:
        for path, body in requests:
            answer = client.post(path, json=body)
            if answer.status_code >= 500:
                failed.append((path, body, answer.text[:200]))
            if any(secret in answer.text for secret in (*SECRETS, A_FILES_CONTENT, "Traceback")):
                told.append((path, body))
    assert failed == []
    assert told == []
    assert {seen.headers["host"] for seen in laboratory.provider.requests} == {laboratory.provider.url.removeprefix("http://")}
    assert not [seen for seen in laboratory.provider.requests if MASTER_KEY in json.dumps([dict(seen.headers), seen.body])]


def assert_unharmed(guarded: Guarded) -> None:
    """Whatever has been sent: no secret and no file is in what was written, and the gateway answers."""
    output = guarded.output()
    assert [line for line in json_lines(output) if line["level"] == "DEBUG"]
    assert [secret for secret in (*SECRETS, A_FILES_CONTENT) if secret in output] == []
    assert guarded.chat().status_code == 200


def test_no_body_makes_a_gateway_fail_and_none_brings_a_secret_to_light(observed: ObservedGateway):
    assert_harmless(observed, wrong_bodies("not-cached", "claude"))


@pytest.mark.parametrize("model", ["guarded-aws", "guarded-google"])
def test_no_key_of_a_whole_secret_is_in_the_output_at_level_debug(guarded: Guarded, model: str):
    answer = guarded.chat(model=model)
    assert answer.status_code == 200, answer.text
    account = json.loads(guarded.provider.service_account("some-project"))
    lines_of_the_key = account["private_key"].splitlines()[1:-1]
    output = guarded.output()
    assert [secret for secret in (AWS_SECRET, *lines_of_the_key) if secret in output or secret in answer.text] == []


def test_not_even_at_level_debug(guarded: Guarded):
    """Every eleventh of them: at this level a request takes ten times as long."""
    assert_harmless(guarded, itertools.islice(wrong_bodies("guarded", "guarded-claude"), 0, None, 11))
    assert_unharmed(guarded)


@pytest.mark.parametrize(
    "url", [INSIDE, "STAND-IN", "http://localhost:4000/health", "file:///etc/passwd", "http://[::1]/", "gopher://x/"]
)
@pytest.mark.parametrize("model", ["guarded-claude", "guarded-bedrock"])
def test_a_picture_is_not_fetched_from_inside(guarded: Guarded, model: str, url: str):
    """These providers want the picture itself: LiteLLM fetches it for them."""
    address = f"{guarded.provider.url}/guarded/picture.png" if url == "STAND-IN" else url
    content = [{"type": "text", "text": "What is it?"}, {"type": "image_url", "image_url": {"url": address}}]
    answer = guarded.chat(model=model, messages=[{"role": "user", "content": content}])
    assert 400 <= answer.status_code < 500, answer.text
    assert [seen.path for seen in guarded.provider.requests] == []


@pytest.mark.parametrize(
    ("content", "kind", "status"),
    [
        (b"", "application/json", 400),
        (b"{", "application/json", 400),
        (b"[" * 100_000, "application/json", 400),
        (b'{"a":' * 100_000, "application/json", 400),
        (b'{"model": "guarded", "messages": ' + b"[" * 900 + b"]" * 900 + b"}", "application/json", 400),
        (b"\xff\xfe\x00", "application/json", 400),
        (b'{"model": "guarded", "messages": [{"role": "user", "content": "\\ud800"}]}', "application/json", 400),
        (b'{"model": "guarded", "max_tokens": NaN, "messages": []}', "application/json", 400),
        (b'{"model": "guarded", "max_tokens": ' + b"9" * 5000 + b', "messages": []}', "application/json", 400),
        (b"model=guarded&api_base=http://elsewhere", "application/x-www-form-urlencoded", 415),
        (
            b'--x\r\ncontent-disposition: form-data; name="model"\r\n\r\nguarded\r\n--x--',
            "multipart/form-data; boundary=x",
            415,
        ),
        (b"<a/>", "text/xml", 415),
    ],
)
def test_a_body_that_is_no_json_is_refused(guarded: Guarded, content: bytes, kind: str, status: int):
    answer = guarded.ask("POST", "/v1/chat/completions", content=content, headers={"Content-Type": kind})
    assert answer.status_code == status
    assert guarded.provider.requests == []


@pytest.mark.parametrize(
    "content", [b"", b"--x", b"\x00" * 1000, b'--x\r\ncontent-disposition: form-data; name="file"\r\n\r\n']
)
@pytest.mark.parametrize(
    "kind", ["multipart/form-data", "multipart/form-data; boundary=x", "multipart/form-data; boundary=", "x"]
)
def test_a_form_that_is_none_is_refused(guarded: Guarded, content: bytes, kind: str):
    for path in ("/v1/audio/transcriptions", "/v1/images/edits"):
        answer = guarded.ask("POST", path, content=content, headers={"Content-Type": kind})
        assert answer.status_code in (400, 415), answer.text


def raw(guarded: Guarded, request: bytes) -> bytes:
    """Send bytes and return the first line of what comes back."""
    with socket.create_connection(("127.0.0.1", guarded.gateway.port), timeout=30) as connection:
        connection.sendall(request)
        return connection.recv(200).partition(b"\r\n")[0]


AUTHORIZED = f"Host: gateway\r\nAuthorization: Bearer {MASTER_KEY}\r\n".encode()


def test_a_body_announced_as_too_large_is_refused(guarded: Guarded):
    """Before it is sent."""
    head = b"POST /v1/chat/completions HTTP/1.1\r\n" + AUTHORIZED + b"Content-Length: %d\r\n\r\n" % (MAX_BODY_SIZE + 1)
    assert raw(guarded, head) == b"HTTP/1.1 413 Request Entity Too Large"


def test_a_body_of_unknown_length_is_read_up_to_the_limit(guarded: Guarded):
    def parts() -> Iterator[bytes]:
        for _ in range(MAX_BODY_SIZE // 2**20 + 1):
            yield b" " * 2**20

    answer = guarded.ask("POST", "/v1/chat/completions", content=parts(), headers={"Content-Type": "application/json"})
    assert answer.status_code == 413


PATHS = [
    "/v1/chat/completions/", "//v1/chat/completions", "/v1//chat/completions", "/V1/chat/completions",
    "/v1/%63hat/../key/list",
    "/v1/models/../key/list", "/v1/models/%2e%2e/key/list", "/v1/models/..%2fkey%2flist", "/v1/models/%00",
    "/v1/models/a%0d%0ax:y",
    "/key%2flist", "/%2e/key/list", "/./key/list", "/v1/chat/completions/../../key/list", "/metrics/../key/list",
    "/ui/../key/list",
    "/health/readiness/../services", "/v1/chat/completions;/../key/list", "/\\key\\list", "/v1/models/" + "a" * 5000,
    "/nowhere?" + "a" * 5000,
    "*", "http://gateway/key/list", "/openai/../v1/key/list", "/..%5c..%5cetc%5cpasswd", "/v1/../../../etc/passwd",
]  # fmt: skip


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("method", ["GET", "POST", "OPTIONS", "TRACE", "DELETE"])
def test_a_path_that_is_not_open_letter_by_letter_is_closed(guarded: Guarded, method: str, path: str):
    status = raw(guarded, f"{method} {path} HTTP/1.1\r\n".encode() + AUTHORIZED + b"Content-Length: 0\r\n\r\n")
    assert status.startswith(b"HTTP/1.1 4")


@pytest.mark.parametrize(
    "header",
    [
        b"X: a\nInjected: b", b"X: a\rInjected: b", b"X\x00: a", b": a", b"X: \x00", b"Traceparent: " + b"0" * 9000,
        b"User-Agent: \xff\xfe", b"Accept: \x80", b"Content-Length: -1", b"Content-Length: x", b"Transfer-Encoding: nonsense",
        b"Host: evil\r\nHost: another", b"Expect: nonsense", b"anthropic-beta: \xf0\x9f\x92\xa9", b"X: " + b"a" * 200_000,
    ],
)  # fmt: skip
def test_a_strange_header_is_refused_or_does_nothing(guarded: Guarded, header: bytes):
    body = json.dumps({"model": "guarded-claude", "max_tokens": 5, "messages": [USER]}).encode()
    length = b"" if header.lower().startswith((b"content-length", b"transfer")) else b"Content-Length: %d\r\n" % len(body)
    kind = b"Content-Type: application/json\r\n"
    status = raw(guarded, b"POST /v1/messages HTTP/1.1\r\n" + AUTHORIZED + kind + length + header + b"\r\n\r\n" + body)
    assert status[9:10] in (b"2", b"4"), status
    assert not [seen for seen in guarded.provider.requests if "injected" in seen.headers]


def test_after_all_that_nothing_is_told_and_the_gateway_is_alive(guarded: Guarded):
    assert_unharmed(guarded)
