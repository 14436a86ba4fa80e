"""Streams as servers really send them: under other media types, compressed, whole, without a last line or a first word."""

from __future__ import annotations

import asyncio
import gzip
import json
from typing import Any

import pytest

from langop_model.contract.settings import Endpoint, Group, Upstream
from langop_model.gateway.upstreams.base import Answer, Route, UpstreamError, UpstreamRequest
from langop_model.gateway.upstreams.deployments import Deployments
from langop_model.gateway.upstreams.relay import Relay
from tests.support.raw_provider import RawProvider

PATHS = {route.value: f"/{route.value}" for route in Route}
USAGE = {"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5}
MARK = b"\xef\xbb\xbf"
DONE = b"data: [DONE]\n\n"


def event(choice: dict[str, Any] | None, **more: Any) -> bytes:
    choices = [] if choice is None else [{"index": 0, "finish_reason": None, **choice}]
    return b"data: " + json.dumps({"id": "1", "model": "m", "choices": choices, **more}).encode() + b"\n\n"


HELLO = event({"delta": {"content": "Hello"}})
STOP = event({"delta": {}, "finish_reason": "stop"})
STREAM = HELLO + STOP + DONE


def answer(body: bytes, media_type: str | None, status: str = "200 OK", **headers: str) -> bytes:
    named = {"content-length": str(len(body)), **({"content-type": media_type} if media_type else {}), **headers}
    head = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in named.items())
    return f"HTTP/1.1 {status}\r\n{head}\r\n".encode() + body


def ask(
    said: bytes, route: Route = Route.CHAT, *, stream: bool = True, timeout: float = 10, **body: Any
) -> tuple[Answer, list[bytes]]:
    """Return the relay's answer where a provider says these bytes, and the events of a stream. Raises UpstreamError."""

    async def run() -> tuple[Answer, list[bytes]]:
        provider = RawProvider(said)
        server = await asyncio.start_server(provider.serve, "127.0.0.1", 0)
        endpoint = Endpoint(id="e", url=f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}")
        group = Group("m", "m", (endpoint,), upstream=Upstream("m", PATHS))
        relay = Relay(Deployments([]))
        try:
            found = await relay.send(
                group, endpoint, UpstreamRequest(route, "m", body, stream, timeout=timeout, strips_usage=not body)
            )
            return found, [each async for each in found.events] if found.events is not None else []
        finally:
            await relay.aclose()
            server.close()

    return asyncio.run(run())


def events_of(body: bytes, media_type: str | None = "text/event-stream", **headers: str) -> list[bytes]:
    return ask(answer(body, media_type, **headers))[1]


def failure(said: bytes, route: Route = Route.CHAT, **more: Any) -> UpstreamError:
    with pytest.raises(UpstreamError) as raised:
        ask(said, route, **more)
    return raised.value


@pytest.mark.parametrize("named", ["text/plain; charset=utf-8", "Text/Event-Stream", "application/octet-stream", None])
def test_a_stream_is_one_whatever_its_media_type_says(named: str | None):
    """Some servers say text/plain (containers/ramalama#2837), and some nothing at all."""
    assert events_of(STREAM, named) == [HELLO, STOP, DONE]


def test_a_compressed_stream_is_decoded():
    assert events_of(gzip.compress(STREAM), content_encoding="gzip") == [HELLO, STOP, DONE]


def test_a_byte_order_mark_takes_no_event_with_it():
    assert events_of(MARK + STREAM) == [HELLO, STOP, DONE]


@pytest.mark.parametrize("last", [STOP, DONE, event(None, usage=USAGE)])
def test_a_last_event_may_lack_its_blank_line(last: bytes):
    begun = HELLO if last == STOP else HELLO + STOP
    assert last in ask(answer(begun + last.rstrip(), "text/event-stream"), stream_options={"include_usage": True})[1]


def test_a_last_event_that_was_cut_off_is_no_end():
    assert failure(answer(HELLO + STOP.rstrip()[:-1], "text/event-stream")).message.endswith("ended before its end")


@pytest.mark.parametrize("first", [b"retry: 1000\n\n", b"event: ping\n\n", b"data:\n\n", b": comment\n\n"])
def test_what_has_no_data_begins_no_stream(first: bytes):
    """An error behind it is the error of the answer, so that another endpoint can be tried."""
    error = failure(answer(first + b'data: {"error": {"message": "overloaded", "code": 503}}\n\n', "text/event-stream"))
    assert (error.status, error.message) == (503, "overloaded")


@pytest.mark.parametrize("said", [b"data: Internal Server Error\n\n", DONE, b'data: "text"\n\n'])
def test_a_stream_that_says_nothing_of_a_model_has_failed(said: bytes):
    assert failure(answer(said, "text/event-stream")).status == 502


def test_prompt_filter_results_without_choices_pass():
    """Azure's first event says what it found in the prompt, with a usage of null."""
    found = event(None, prompt_filter_results=[], usage=None)
    assert events_of(found + STREAM)[0] == found


COMPLETION = {
    "id": "1",
    "object": "chat.completion",
    "model": "m",
    "choices": [{"index": 0, "message": {"role": "assistant", "content": "Hello"}, "finish_reason": "stop"}],
    "usage": USAGE,
}


def chunks(body: dict[str, Any], route: Route = Route.CHAT, **asked: Any) -> list[dict[str, Any]]:
    """Return what the stream says that is made of a whole answer."""
    _, events = ask(answer(json.dumps(body).encode(), "application/json"), route, **asked)
    assert events.pop() == DONE
    return [json.loads(each.removeprefix(b"data: ")) for each in events]


def test_a_whole_answer_becomes_the_stream_that_was_asked_for():
    first, last = chunks(COMPLETION)
    assert first["choices"] == [{"index": 0, "delta": {"role": "assistant", "content": "Hello"}, "finish_reason": None}]
    assert last["choices"] == [{"index": 0, "delta": {}, "finish_reason": "stop"}]
    assert first["object"] == "chat.completion.chunk"


def test_its_tool_calls_are_numbered():
    calls = [{"id": name, "type": "function", "function": {"name": name, "arguments": "{}"}} for name in "ab"]
    choice = {"index": 0, "message": {"role": "assistant", "tool_calls": calls}, "finish_reason": "tool_calls"}
    first, last = chunks({**COMPLETION, "choices": [choice]})
    assert [call["index"] for call in first["choices"][0]["delta"]["tool_calls"]] == [0, 1]
    assert last["choices"][0]["finish_reason"] == "tool_calls"


def test_its_usage_is_shown_to_who_asked_for_it():
    assert chunks(COMPLETION, stream_options={"include_usage": True})[-1]["usage"] == USAGE


def test_its_usage_is_counted():
    found, _ = ask(answer(json.dumps(COMPLETION).encode(), "application/json"))
    assert found.account is not None
    usage = found.account.usage()
    assert usage is not None
    assert (usage.total, found.account.is_complete) == (5, True)


def test_a_whole_completion_becomes_a_stream():
    body = {**COMPLETION, "object": "text_completion", "choices": [{"index": 0, "text": "Hello", "finish_reason": "length"}]}
    assert [(each["choices"][0]["text"], each["choices"][0]["finish_reason"]) for each in chunks(body, Route.COMPLETIONS)] == [
        ("Hello", None),
        ("", "length"),
    ]


@pytest.mark.parametrize(("route", "member"), [(Route.MESSAGES, "content"), (Route.RESPONSES, "output")])
def test_a_whole_answer_is_no_stream_of_other_routes(route: Route, member: str):
    assert failure(answer(json.dumps({member: []}).encode(), "application/json"), route).status == 502


@pytest.mark.parametrize("route", [Route.CHAT, Route.MESSAGES, Route.RESPONSES, Route.GENERATE_CONTENT])
def test_a_stream_is_no_whole_answer(route: Route):
    """A client that asked for none can't read it."""
    error = failure(answer(STREAM, "text/event-stream"), route, stream=False)
    assert (error.status, error.message) == (502, "the provider answered with a stream, which this request did not ask for")


def test_a_page_is_no_speech():
    assert failure(answer(b"<html></html>", "text/html"), Route.SPEECH, stream=False).status == 502


@pytest.mark.parametrize("stream", [True, False])
def test_a_body_that_is_not_compressed_as_it_says_has_failed(stream: bool):
    said = answer(b"garbage", "text/event-stream" if stream else "application/json", content_encoding="gzip")
    assert failure(said, stream=stream).message == "the provider's answer is not valid gzip"


@pytest.mark.parametrize("encoding", ["gzip", "br"])
def test_an_error_that_can_not_be_decoded_keeps_its_status(encoding: str):
    assert failure(answer(b"garbage", "application/json", "400 Bad Request", content_encoding=encoding)).status == 400


# Several choices.


def choice(index: int, **more: Any) -> bytes:
    return event({"index": index, "delta": {}, **more})


def test_one_choice_may_stop_where_another_calls_tools():
    call = {"tool_calls": [{"index": 0, "id": "a", "type": "function", "function": {"name": "f", "arguments": "{}"}}]}
    said = [choice(0, delta=call), choice(1, finish_reason="stop"), choice(0, finish_reason="tool_calls"), DONE]
    assert ask(answer(b"".join(said), "text/event-stream"), n=2)[1] == said


def test_a_stream_is_complete_when_all_its_choices_have_ended():
    said = [choice(0, finish_reason="stop"), choice(1, finish_reason="stop")]
    assert ask(answer(b"".join(said), "text/event-stream"), n=2)[1] == [*said, DONE]
    assert failure(answer(said[0], "text/event-stream"), n=2).message.endswith("ended before its end")


# Speech.

SOUND = b"HTTP/1.1 200 OK\r\ncontent-type: audio/mpeg\r\ntransfer-encoding: chunked\r\n\r\n"
PART = b"3\r\nID3\r\n"


def spoken(said: bytes) -> UpstreamError:
    return failure(said, Route.SPEECH, stream=False, timeout=0.5)


def test_speech_arrives_in_parts():
    assert b"".join(ask(SOUND + PART + PART + b"0\r\n\r\n", Route.SPEECH, stream=False)[1]) == b"ID3ID3"


@pytest.mark.parametrize(("said", "message"), [(SOUND, "did not answer within"), (SOUND + PART, "paused for more than")])
def test_speech_that_never_comes_is_late(said: bytes, message: str):
    error = spoken(said)
    assert error.status == 504
    assert message in error.message


def test_speech_without_a_sound_has_failed():
    """Before anything has gone to the client, so that it is tried again."""
    assert spoken(SOUND + b"0\r\n\r\n").status == 502


def compressed(size: int) -> bytes:
    return answer(gzip.compress(bytes(size), 1), "audio/mpeg", content_encoding="gzip")


def test_compressed_speech_is_whole():
    assert sum(map(len, ask(compressed(5 * 2**20), Route.SPEECH, stream=False)[1])) == 5 * 2**20


def test_speech_that_decodes_to_more_than_any_is_refused():
    with pytest.raises(UpstreamError) as refused:
        ask(compressed(40 * 2**20), Route.SPEECH, stream=False)
    assert refused.value.status == 502
