"""What a body must be before LiteLLM reads it."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from langop_model.gateway.access import bodies
from langop_model.gateway.access.bodies import DEEPEST, LARGEST
from langop_model.gateway.access.errors import APIError
from langop_model.gateway.access.request_schemas import SCHEMAS

CHAT: dict[str, Any] = {"model": "m", "messages": [{"role": "user", "content": "Hello"}]}
MINIMAL: dict[str, dict[str, Any]] = {
    "chat": CHAT,
    "completion": {"model": "m", "prompt": "Hello"},
    "embedding": {"model": "m", "input": "Hello"},
    "response": {"model": "m", "input": "Hello"},
    "message": {**CHAT, "max_tokens": 5},
    "message_count": CHAT,
    "speech": {"model": "m", "input": "Hello", "voice": "alloy"},
    "image": {"model": "m", "prompt": "A cat"},
    "rerank": {"model": "m", "query": "cat", "documents": ["A cat"]},
}


def check(body: Any, shape: str = "chat", kind: str = "application/json") -> dict[str, Any]:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return asyncio.run(bodies.check(content, {b"content-type": kind.encode()}, SCHEMAS[shape]))


def refusal(body: Any, shape: str = "chat", kind: str = "application/json") -> APIError:
    with pytest.raises(APIError) as caught:
        check(body, shape, kind)
    return caught.value


@pytest.mark.parametrize("shape", MINIMAL)
def test_the_smallest_request_passes(shape: str):
    assert check(MINIMAL[shape], shape) == MINIMAL[shape]


@pytest.mark.parametrize(("shape", "name"), [(shape, name) for shape in MINIMAL for name in SCHEMAS[shape].required])
def test_a_missing_field_is_named(shape: str, name: str):
    for body in ({**MINIMAL[shape], name: None}, {key: value for key, value in MINIMAL[shape].items() if key != name}):
        problem = refusal(body, shape)
        assert (problem.status, problem.param) == (400, name)
        assert name in problem.message


@pytest.mark.parametrize(
    "extra",
    [
        {"temperature": 0, "top_p": 0.5, "n": 2, "seed": -1, "stop": "END", "max_tokens": 10, "stream": True, "user": "u"},
        {"stop": ["a", "b"], "logit_bias": {"50256": -100}, "response_format": {"type": "json_object"}, "logprobs": True},
        {"disable_fallbacks": True, "num_retries": 0},
        {"temperature": None, "tools": None, "stop": None, "metadata": None},
        {"metadata": {"purpose": "test"}, "cache": {"no-cache": True}, "min_p": {"any": ["thing"]}},
        {"tools": [{"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}], "tool_choice": "auto"},
        {"tools": [{"type": "web_search_preview"}], "tool_choice": {"type": "function", "function": {"name": "f"}}},
        {
            "messages": [
                {"role": "user", "content": [{"type": "text", "text": "x"}, {"type": "image_url", "image_url": {"url": "u"}}]}
            ]
        },
        {"messages": [{"role": "assistant", "content": None, "tool_calls": [{"id": "1", "function": {"name": "f"}}]}]},
        {"messages": [{"role": "tool", "tool_call_id": "1", "content": "x"}, {"role": "developer", "content": "x"}]},
    ],
)
def test_what_openais_clients_send_passes(extra: dict[str, Any]):
    check({**CHAT, **extra})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("model", 7), ("model", ""), ("model", ["m"]), ("model", "m" * 300),
        ("messages", "Hello"), ("messages", []), ("messages", {}), ("messages", ["Hello"]), ("messages", [[]]),
        ("messages", [{"content": "x"}]), ("messages", [{"role": 1, "content": "x"}]),
        ("messages", [{"role": "user", "content": 7}]),
        ("messages", [{"role": "user", "content": ["x"]}]), ("messages", [{"role": "user", "content": [{"text": "x"}]}]),
        ("messages", [{"role": "user", "content": [{"type": "text", "text": 7}]}]),
        ("messages", [{"role": "assistant", "tool_calls": "x"}]), ("messages", [{"role": "assistant", "tool_calls": [7]}]),
        ("messages", [{"role": "assistant", "tool_calls": [{"function": {"name": 7}}]}]),
        ("messages", [{"role": "user", "content": "x", "name": {}}]),
        ("temperature", "hot"), ("temperature", True), ("top_p", [1]), ("max_tokens", "5"), ("max_tokens", 0),
        ("max_tokens", 2.5),
        ("max_tokens", 2**60), ("n", -1), ("n", True), ("seed", "x"), ("stream", "yes"), ("stream", 1), ("stop", 7),
        ("stop", [7]),
        ("logit_bias", {"1": "x"}), ("user", {}), ("tools", {}), ("tools", [7]), ("tools", [{"function": {}}]),
        ("tool_choice", 7),
        ("tools", [{"type": "function", "function": {"parameters": {}}}]), ("web_search_options", None), ("cache", None),
        ("messages", [{"role": "user", "content": [{"type": "image_url"}]}]),
        ("messages", [{"role": "user", "content": [{"type": "tool_result"}]}]),
        ("response_format", "json"), ("metadata", "x"), ("metadata", {"a": 1}), ("metadata", {"a": {"b": "c"}}),
        ("num_retries", -1), ("disable_fallbacks", 1),
        ("cache", True), ("cache", {"ttl": 5}), ("cache", {"namespace": "x"}), ("cache", {"no-cache": "yes"}),
    ],
)  # fmt: skip
def test_a_field_of_another_type_is_named(name: str, value: Any):
    problem = refusal({**CHAT, name: value})
    assert (problem.status, problem.param, problem.code) == (400, name, "invalid_type")


@pytest.mark.parametrize(("shape", "name"), [("completion", "tools"), ("embedding", "stream"), ("response", "messages")])
def test_a_field_of_another_route_is_refused(shape: str, name: str):
    problem = refusal({**MINIMAL[shape], name: None}, shape)
    assert (problem.status, problem.param, problem.code) == (400, name, "unknown_parameter")


def test_a_setting_of_litellms_is_refused_by_its_name_and_never_by_its_value():
    problem = refusal({**CHAT, "api_base": "http://169.254.169.254"})
    assert (problem.status, problem.param, problem.code) == (400, "api_base", "unknown_parameter")
    assert "169.254" not in problem.message
    assert refusal({**CHAT, "metadata": {"tags": "x"}}).param == "metadata.tags"


@pytest.mark.parametrize(
    "body", [b"", b"{", b"[]", b'"x"', b"null", b"7", b"{'a': 1}", b'{"a": NaN}', b'{"a": "\\ud800"}', b"\xff"]
)
def test_what_is_no_json_object_is_refused(body: bytes):
    problem = refusal(body)
    assert (problem.status, problem.code) == (400, "invalid_json")


def test_the_text_of_a_body_that_is_no_json_is_not_repeated():
    assert "secret" not in refusal(b'{"a": secret}').message


@pytest.mark.parametrize(("depth", "passes"), [(DEEPEST - 1, True), (DEEPEST, False), (5000, False)])
def test_a_body_may_be_so_deep(depth: int, passes: bool):
    body = json.dumps(CHAT)[:-1].encode() + b', "x": ' + b"[" * depth + b"]" * depth + b"}"
    if passes:
        check(body)
    else:
        assert refusal(body).status == 400


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "x"])
def test_json_must_be_called_so_because_litellm_reads_a_form_as_one(kind: str):
    assert refusal(CHAT, kind=kind).status == 415


@pytest.mark.parametrize("kind", ["application/json", "Application/JSON; charset=utf-8"])
def test_json_may_name_its_charset(kind: str):
    check(CHAT, kind=kind)


def a_form(*parts: tuple[str, str | None, bytes]) -> bytes:
    """Return a form of (name, file name, content)."""
    lines = [
        b'--x\r\ncontent-disposition: form-data; name="%s"%s\r\n\r\n%s\r\n'
        % (name.encode(), b'; filename="%s"' % file.encode() if file else b"", content)
        for name, file, content in parts
    ]
    return b"".join(lines) + b"--x--\r\n"


FORM = "multipart/form-data; boundary=x"
SOUND = (("model", None, b"whisper"), ("file", "a.wav", b"RIFF"))


def test_a_form_passes():
    assert check(a_form(*SOUND, ("language", None, b"de")), "transcription", FORM)["model"] == "whisper"


def test_several_images_pass():
    parts = (("model", None, b"m"), ("prompt", None, b"x"), ("image[]", "a.png", b"1"), ("image[]", "b.png", b"2"))
    assert check(a_form(*parts), "image_edit", FORM)["model"] == "m"


@pytest.mark.parametrize("name", ["api_base", "api_key", "metadata", "litellm_metadata[api_base]", "extra_body", "user_config"])
def test_a_setting_in_a_form_is_refused(name: str):
    problem = refusal(a_form(*SOUND, (name, None, b"http://x")), "transcription", FORM)
    assert (problem.status, problem.param) == (400, name)


@pytest.mark.parametrize(
    "body",
    [
        b"", b"--x", b"nonsense", a_form(("model", None, b"m")), a_form(("file", "a.wav", b"x")),
        a_form(("model", "a.txt", b"m"), ("file", "a.wav", b"x")),
        a_form(("model", None, b"m"), ("file", None, b"/etc/passwd")),
        a_form(*SOUND, *((f"f{number}", None, b"x") for number in range(200))),
    ],
)  # fmt: skip
def test_a_form_that_is_none_or_lacks_something_is_refused(body: bytes):
    assert refusal(body, "transcription", FORM).status == 400


def test_a_form_must_be_called_so():
    assert refusal(a_form(*SOUND), "transcription").status == 415


# Reading.


def read(*messages: dict[str, Any], headers: dict[bytes, bytes] | None = None) -> bytes:
    waiting = list(messages)

    async def receive() -> dict[str, Any]:
        if not waiting:
            await asyncio.sleep(60)
        return waiting.pop(0)

    return asyncio.run(bodies.read(receive, headers or {}))


def part(body: bytes, more: bool = False) -> dict[str, Any]:
    return {"type": "http.request", "body": body, "more_body": more}


def test_a_body_in_parts_is_read_whole():
    assert read(part(b"a", more=True), part(b"b", more=True), part(b"c")) == b"abc"


def test_a_body_that_is_announced_as_too_large_is_refused_unread():
    with pytest.raises(APIError) as caught:
        read(headers={b"content-length": b"%d" % (LARGEST + 1)})
    assert caught.value.status == 413


def test_a_body_that_grows_too_large_is_refused_before_it_is_complete():
    with pytest.raises(APIError) as caught:
        read(*[part(bytes(LARGEST // 2 + 1), more=True)] * 2)
    assert caught.value.status == 413


def test_a_body_that_does_not_come_is_refused(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(bodies, "WITHIN", 0.01)
    with pytest.raises(APIError) as caught:
        read(part(b"a", more=True))
    assert caught.value.status == 408


def test_a_client_that_leaves_is_gone():
    with pytest.raises(bodies.Gone):
        read(part(b"a", more=True), {"type": "http.disconnect"})
