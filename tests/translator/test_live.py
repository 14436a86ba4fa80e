"""Through the translator's process: one request for one attempt, the provider's own errors, and ends that are ends."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import Any

import orjson
import pytest
from aiohttp import web

from langop_model.gateway.serving.translator_process import TranslatorProcess
from langop_model.gateway.upstreams.base import FailureKind, File, Route, UpstreamError, Usage
from tests.support.raw_provider import RawProvider, answer, completion, said
from tests.translator.live import KEY, MESSAGES, Live, soon
from tests.translator.scripted import (
    CHAT,
    EMBEDDING,
    IMAGE,
    STREAM,
    TEXT,
    TEXT_STREAM,
    Asked,
    Behaviour,
    Scripted,
    failing,
    hanging,
    page,
    streamed,
)
from tools import memory

SOUND = File("file", "a.wav", "audio/wav", b"RIFF-sound")
PICTURE = File("image", "a.png", "image/png", b"\x89PNG-picture")
BODIES: Mapping[Route, dict[str, Any]] = {
    Route.CHAT: {"messages": MESSAGES},
    Route.COMPLETIONS: {"prompt": "hello"},
    Route.EMBEDDINGS: {"input": "hello"},
    Route.RESPONSES: {"input": "hello", "max_output_tokens": 9},
    Route.MESSAGES: {"messages": MESSAGES, "max_tokens": 9},
    Route.GENERATE_CONTENT: {"contents": [{"role": "user", "parts": [{"text": "hello"}]}]},
    Route.MODERATIONS: {"input": "hello"},
    Route.IMAGES: {"prompt": "a house"},
    Route.IMAGE_EDITS: {"prompt": "a house"},
    Route.TRANSCRIPTIONS: {},
    Route.SPEECH: {"input": "hello", "voice": "alloy"},
}


def stream_of(route: Route) -> tuple[bytes, ...]:
    """Return the events that a provider streams on a route."""
    return TEXT_STREAM if route is Route.COMPLETIONS else STREAM


FILES = {Route.TRANSCRIPTIONS: (SOUND,), Route.IMAGE_EDITS: (PICTURE,)}
CHATS = (Route.CHAT, Route.COMPLETIONS)
STREAMED = [Route.CHAT, Route.COMPLETIONS, Route.RESPONSES, Route.MESSAGES, Route.GENERATE_CONTENT]


def run(
    translator: TranslatorProcess,
    test: Any,
    model: str = "openai/theirs",
    base: str = "/v1",
    added: Mapping[str, Any] | None = None,
    headers: Mapping[str, str] | None = None,
    **more: Any,
) -> Any:
    """Run a test's coroutine with a provider and a deployment that asks it; `added` and `headers` go with each request."""

    async def inside() -> Any:
        async with Scripted() as provider:
            parameters = {"model": model, "api_base": provider.url + base, **({"extra_body": added} if added else {})}
            parameters |= {"extra_headers": headers} if headers else {}
            live = Live(str(translator.path), parameters, **more)
            try:
                return await test(provider, live)
            finally:
                await live.translation.aclose()

    return asyncio.run(inside())


@pytest.mark.parametrize("route", BODIES)
def test_every_route_is_answered_after_one_request(route: Route, translator: TranslatorProcess):
    async def test(provider: Scripted, live: Live) -> None:
        answer = await live.send(route, BODIES[route], files=FILES.get(route, ()))
        assert answer.body
        assert len(provider.asked) == 1
        assert provider.asked[0].headers["Authorization"] == f"Bearer {KEY}"
        if route in (Route.CHAT, Route.EMBEDDINGS, Route.RESPONSES, Route.MESSAGES):
            assert orjson.loads(answer.body)["model"] == "mine"
        if route is Route.RESPONSES:
            assert orjson.loads(answer.body)["id"] == "resp_chatcmpl-1"

    run(translator, test)


# LiteLLM's functions for these routes have no way for more than their own parameters.
WITHOUT_MORE = (Route.MODERATIONS, Route.SPEECH, Route.RERANK)


@pytest.mark.parametrize("route", [*BODIES, Route.RERANK])
def test_what_a_deployment_adds_is_sent_or_named(route: Route, translator: TranslatorProcess):
    async def test(provider: Scripted, live: Live) -> None:
        body = BODIES.get(route, {"query": "hello", "documents": ["a"]})
        answer = await live.send(route, body, files=FILES.get(route, ()))
        asked = str(provider.asked[0].body)
        assert "theirs_alone" in (answer.dropped if route in WITHOUT_MORE else asked)
        assert "drop_params" not in asked

    run(translator, test, model="hosted_vllm/theirs", added={"theirs_alone": "some"})


@pytest.mark.parametrize("route", STREAMED)
def test_every_stream_is_answered_after_one_request(route: Route, translator: TranslatorProcess):
    async def test(provider: Scripted, live: Live) -> None:
        provider.behave = lambda request, _: streamed(request, stream_of(route))
        events_seen, answer = await live.events(route, BODIES[route])
        assert b"lo" in b"".join(events_seen)
        assert all(event.endswith(b"\n\n") and event.count(b"\n\n") == 1 for event in events_seen)
        assert len(provider.asked) == 1
        if route is Route.RESPONSES:
            assert b'"id":"resp_chatcmpl-1"' in events_seen[0]
        if route is not Route.COMPLETIONS:
            assert answer.usage is not None
            assert (answer.usage.input_tokens, answer.usage.output_tokens) == (5, 7)

    run(translator, test)


FAILURES = [401, 422, 429, 503]


@pytest.mark.parametrize("status", FAILURES)
@pytest.mark.parametrize("route", BODIES)
def test_a_failed_attempt_is_one_request_with_the_providers_own_status(
    route: Route, status: int, translator: TranslatorProcess
):
    async def test(provider: Scripted, live: Live) -> None:
        provider.behave = failing(status, retry_after="7")
        with pytest.raises(UpstreamError) as failed:
            await live.send(route, BODIES[route], files=FILES.get(route, ()))
        assert len(provider.asked) == 1
        assert failed.value.status == status
        assert failed.value.kind is FailureKind.HTTP
        assert failed.value.retry_after == 7
        assert orjson.loads(failed.value.body)["error"]["code"] == "some_code"

    run(translator, test)


@pytest.mark.parametrize("status", [422, 429, 500])
@pytest.mark.parametrize("model", ["anthropic/claude", "gemini/gemini-2.5-flash", "mistral/m", "azure/m", "groq/m", "cohere/m"])
def test_other_providers_are_asked_once_too(model: str, status: int, translator: TranslatorProcess):
    async def test(provider: Scripted, live: Live) -> None:
        provider.behave = failing(status, retry_after_ms="1500")
        for stream in (False, True):
            provider.asked.clear()
            with pytest.raises(UpstreamError) as failed:
                await live.send(Route.CHAT, {"messages": MESSAGES}, stream=stream)
            assert len(provider.asked) == 1
            assert failed.value.status == status
            assert failed.value.retry_after == 1.5

    run(translator, test, model)


@pytest.mark.parametrize("route", [Route.EMBEDDINGS, Route.TRANSCRIPTIONS, Route.IMAGES])
def test_azure_is_asked_once_on_its_other_routes(route: Route, translator: TranslatorProcess):
    async def test(provider: Scripted, live: Live) -> None:
        provider.behave = failing(503)
        with pytest.raises(UpstreamError):
            await live.send(route, BODIES[route], files=FILES.get(route, ()))
        assert len(provider.asked) == 1

    run(translator, test, "azure/theirs", "")


# What a stream is that fails before its provider has said anything, and the status of that failure.
OVERLOADED = b'data: {"error": {"message": "overloaded", "type": "server_error", "code": 503}}\n\n'
FAILS_AT_ONCE: Mapping[str, tuple[Behaviour, int]] = {
    "error": (lambda request, _: streamed(request, (OVERLOADED,)), 503),
    "error-as-json": (failing(200, {"error": {"message": "no such model", "type": "not_found_error"}}), 404),
    "nothing": (lambda request, _: streamed(request, ()), 502),
    "comments": (lambda request, _: streamed(request, (b": wait\n\n",)), 502),
    "silence": (lambda request, _: streamed(request, (), then=3600), 504),
    "cut": (lambda request, _: streamed(request, (), cut=True), 502),
    "html": (page("<html><body>Bad gateway</body></html>"), 502),
}


@pytest.mark.parametrize("failure", FAILS_AT_ONCE)
@pytest.mark.parametrize("route", STREAMED)
def test_a_stream_that_fails_at_once_is_no_answer(route: Route, failure: str, translator: TranslatorProcess):
    behave, status = FAILS_AT_ONCE[failure]

    async def test(provider: Scripted, live: Live) -> None:
        provider.behave = behave
        with pytest.raises(UpstreamError) as failed:
            await live.send(route, BODIES[route], stream=True, timeout=1.0 if failure == "silence" else 20.0)
        assert failed.value.status == status
        assert len(provider.asked) == 1
        if failure == "error":
            assert failed.value.message == "overloaded"

    run(translator, test)


# What a stream is that is not complete. Each holds a part of the answer.
UNFINISHED: Mapping[str, Callable[[tuple[bytes, ...]], Behaviour]] = {
    "cut": lambda events: lambda request, _: streamed(request, events, cut=True),
    "without-end": lambda events: lambda request, _: streamed(request, events),
    "error-within": lambda events: lambda request, _: streamed(request, (*events, OVERLOADED)),
}
ENDS = (b'"finish_reason":"', b"[DONE]", b"response.completed", b"message_stop", b'"stop_reason":"', b'"finishReason":"')


@pytest.mark.parametrize("failure", UNFINISHED)
@pytest.mark.parametrize("route", STREAMED)
def test_an_unfinished_stream_has_no_end_but_an_error(route: Route, failure: str, translator: TranslatorProcess):
    async def test(provider: Scripted, live: Live) -> None:
        provider.behave = UNFINISHED[failure](stream_of(route)[:2])
        answer = await live.send(route, BODIES[route], stream=True)
        events: list[bytes] = []
        assert answer.events is not None
        with pytest.raises(UpstreamError) as failed:  # noqa: PT012
            async for event in answer.events:
                events.append(event)  # noqa: PERF401 - those before the failure are looked at
        assert failed.value.status == (503 if failure == "error-within" else 502)
        assert b"hel" in b"".join(events)
        assert not [event for event in events if any(end in event for end in ENDS)]

    run(translator, test)


@pytest.mark.parametrize("route", BODIES)
def test_a_client_that_leaves_ends_the_providers_work(route: Route, translator: TranslatorProcess):
    async def test(provider: Scripted, live: Live) -> None:
        provider.behave = hanging
        asking = asyncio.ensure_future(live.send(route, BODIES[route], files=FILES.get(route, ())))
        await soon(lambda: provider.asked)
        asking.cancel()
        await asyncio.wait_for(provider.asked[0].left.wait(), 2)

    run(translator, test)


@pytest.mark.parametrize("route", [Route.CHAT, Route.RESPONSES, Route.MESSAGES, Route.GENERATE_CONTENT])
def test_a_client_that_leaves_a_stream_ends_the_providers_work(route: Route, translator: TranslatorProcess):
    async def test(provider: Scripted, live: Live) -> None:
        provider.behave = lambda request, _: streamed(request, STREAM[:2], then=3600)
        answer = await live.send(route, BODIES[route], stream=True)
        assert answer.events is not None
        await anext(answer.events)
        await answer.aclose()
        await asyncio.wait_for(provider.asked[0].left.wait(), 2)

    run(translator, test)


def test_a_whole_answer_has_so_much_time(translator: TranslatorProcess):
    async def test(provider: Scripted, live: Live) -> None:
        provider.behave = hanging
        with pytest.raises(UpstreamError) as failed:
            await live.send(Route.CHAT, BODIES[Route.CHAT], timeout=0.3)
        assert (failed.value.kind, failed.value.status, failed.value.cause) == (FailureKind.TIMEOUT, 504, "timeout")
        await asyncio.wait_for(provider.asked[0].left.wait(), 2)

    run(translator, test)


def test_a_stream_that_stands_still_fails(translator: TranslatorProcess):
    async def test(provider: Scripted, live: Live) -> None:
        provider.behave = lambda request, _: streamed(request, STREAM[:2], then=3600)
        with pytest.raises(UpstreamError) as failed:
            await live.events(Route.CHAT, BODIES[Route.CHAT], timeout=0.5)
        assert failed.value.kind is FailureKind.TIMEOUT

    run(translator, test)


def test_a_provider_that_is_not_there_is_a_broken_connection(translator: TranslatorProcess):
    async def test(_: Scripted, live: Live) -> None:
        live.translation.deployments.rendered["one"]["api_base"] = "http://127.0.0.1:9/v1"
        with pytest.raises(UpstreamError) as failed:
            await live.send(Route.CHAT, BODIES[Route.CHAT])
        assert (failed.value.kind, failed.value.status, failed.value.reached) == (FailureKind.CONNECTION, 503, False)

    run(translator, test)


NO_CHOICES = '{"id": "1", "object": "chat.completion", "model": "theirs", "choices": []}'


@pytest.mark.parametrize("text", ["<html>busy</html>", "{", '{"error": {"message": "busy"}}', "null", NO_CHOICES])
def test_an_answer_that_is_none_is_malformed(text: str, translator: TranslatorProcess):
    async def answer(_: web.Request, __: Asked) -> web.StreamResponse:
        return web.Response(text=text, content_type="application/json")

    async def test(provider: Scripted, live: Live) -> None:
        provider.behave = answer
        with pytest.raises(UpstreamError) as failed:
            await live.send(Route.CHAT, BODIES[Route.CHAT])
        assert failed.value.status == 502
        assert len(provider.asked) == 1

    run(translator, test)


@pytest.mark.parametrize("model", ["openai/theirs", "anthropic/claude", "groq/m", "gemini/gemini-2.5-flash"])
def test_a_redirect_is_not_followed(model: str, translator: TranslatorProcess):
    async def test(provider: Scripted, live: Live) -> None:
        async with Scripted() as elsewhere:
            provider.behave = failing(307, location=f"{elsewhere.url}/v1/chat/completions")
            with pytest.raises(UpstreamError) as failed:
                await live.send(Route.CHAT, BODIES[Route.CHAT])
            assert failed.value.status == 502
            assert elsewhere.asked == []
            assert elsewhere.url not in failed.value.message + failed.value.body.decode()

    run(translator, test, model)


def test_an_error_repeats_neither_key_nor_address(translator: TranslatorProcess):
    async def test(provider: Scripted, live: Live) -> None:
        said = f"Incorrect API key provided: {KEY}, at {provider.url}/v1, organization org-abcdefghij12"
        provider.behave = failing(401, {"error": {"message": said}})
        with pytest.raises(UpstreamError) as failed:
            await live.send(Route.CHAT, BODIES[Route.CHAT])
        body = failed.value.body.decode()
        assert "Incorrect API key provided" in body
        assert not any(secret in body for secret in (KEY, "127.0.0.1", "org-abcdefghij12"))

    run(translator, test)


def test_usage_is_asked_for_and_shown_to_who_asked(translator: TranslatorProcess):
    async def test(provider: Scripted, live: Live) -> None:
        plain, answer = await live.events(Route.CHAT, BODIES[Route.CHAT])
        assert provider.asked[0].body["stream_options"] == {"include_usage": True}
        assert not any(b"usage" in event for event in plain)
        assert answer.usage is not None
        stripped = {**BODIES[Route.CHAT], "stream_options": {"include_usage": True}}
        unseen, _ = await live.events(Route.CHAT, stripped, strips_usage=True)
        assert not any(b"usage" in event for event in unseen)
        shown, _ = await live.events(Route.CHAT, {**BODIES[Route.CHAT], "stream_options": {"include_usage": True}})
        assert orjson.loads(shown[-2].removeprefix(b"data: "))["usage"]["total_tokens"] == 12

    run(translator, test)


NO_USAGE = {name: value for name, value in CHAT.items() if name != "usage"}
SILENT: Mapping[Route, tuple[Any, str]] = {
    Route.CHAT: (NO_USAGE, "usage"),
    Route.COMPLETIONS: ({name: value for name, value in TEXT.items() if name != "usage"}, "usage"),
    Route.EMBEDDINGS: ({name: value for name, value in EMBEDDING.items() if name != "usage"}, "usage"),
    Route.RESPONSES: (NO_USAGE, "usage"),
    Route.GENERATE_CONTENT: (NO_USAGE, "usageMetadata"),
    Route.IMAGES: (IMAGE, "usage"),
}


@pytest.mark.parametrize("route", SILENT)
def test_what_no_provider_has_reported_is_not_told_the_client(route: Route, translator: TranslatorProcess):
    """LiteLLM writes zeros."""
    said, member = SILENT[route]

    async def test(provider: Scripted, live: Live) -> None:
        provider.behave = failing(200, said)
        answer = await live.send(route, BODIES[route])
        assert member not in orjson.loads(answer.body or b"")
        assert answer.usage is None

    run(translator, test)


@pytest.mark.parametrize("route", STREAMED)
def test_a_stream_without_usage_is_estimated_and_tells_none(route: Route, translator: TranslatorProcess):
    async def test(provider: Scripted, live: Live) -> None:
        silent = tuple(event for event in stream_of(route) if b'"usage"' not in event)
        provider.behave = lambda request, _: streamed(request, silent)
        asks = {"stream_options": {"include_usage": True}} if route in CHATS else {}
        events, answer = await live.events(route, {**BODIES[route], **asks})
        told = [event for event in events if b'"usage":{' in event or b'"usageMetadata"' in event]
        assert told == [] or route is Route.MESSAGES  # whose protocol demands one
        assert answer.usage is None
        assert answer.account is not None
        estimate = answer.account.estimate(3)
        assert (estimate.input_tokens, estimate.output_tokens, estimate.estimated) == (3, 2, True)

    run(translator, test)


def test_what_changes_the_price_of_tokens_is_reported(translator: TranslatorProcess):
    """The tier, and what stays in the provider's cache for an hour."""
    created = {"cache_creation_input_tokens": 300, "cache_creation": {"ephemeral_1h_input_tokens": 200}}
    used = {"input_tokens": 50, "output_tokens": 9, "cache_read_input_tokens": 1000, **created, "service_tier": "priority"}
    claude = {"id": "msg_1", "type": "message", "role": "assistant", "model": "claude", "stop_reason": "end_turn"}

    async def test(provider: Scripted, live: Live) -> None:
        provider.behave = failing(200, {**claude, "content": [{"type": "text", "text": "hello"}], "usage": used})
        expected = Usage(1350, 9, 1000, 300, cache_creation_hour_tokens=200, tier="priority")
        assert (await live.send(Route.CHAT, BODIES[Route.CHAT])).usage == expected
        assert (await live.send(Route.MESSAGES, BODIES[Route.MESSAGES])).usage == expected

    run(translator, test, "anthropic/claude", base="")


def test_seconds_of_a_recording_are_a_usage(translator: TranslatorProcess):
    used = {"type": "duration", "seconds": 9}

    async def test(provider: Scripted, live: Live) -> None:
        provider.behave = failing(200, {"text": "hello", "usage": used})
        answer = await live.send(Route.TRANSCRIPTIONS, {}, files=FILES[Route.TRANSCRIPTIONS])
        assert orjson.loads(answer.body or b"")["usage"] == used

    run(translator, test)


@pytest.mark.parametrize(
    ("model", "route"),
    [*(("openai/theirs", route) for route in BODIES), ("xai/theirs", Route.TRANSCRIPTIONS), ("openrouter/a/b", Route.IMAGES)],
)
def test_headers_of_a_deployment_are_headers(model: str, route: Route, translator: TranslatorProcess):
    async def test(provider: Scripted, live: Live) -> None:
        if model != "openai/theirs":
            provider.behave = failing(200, {"text": "hello", **CHAT})
        await live.send(route, BODIES[route], files=FILES.get(route, ()))
        assert {name.lower(): value for name, value in provider.asked[0].headers.items()}["x-marked"] == "three"
        assert "x-marked" not in str(provider.asked[0].body)

    run(translator, test, model, headers={"x-marked": "three"})


TRACEPARENT = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"


@pytest.mark.parametrize("route", BODIES)
def test_the_trace_goes_on_at_the_provider(route: Route, translator: TranslatorProcess):
    async def test(provider: Scripted, live: Live) -> None:
        await live.send(route, BODIES[route], files=FILES.get(route, ()), headers={"traceparent": TRACEPARENT})
        assert {name.lower(): value for name, value in provider.asked[0].headers.items()}["traceparent"] == TRACEPARENT

    run(translator, test)


def test_an_effort_without_thinking_reaches_a_server_that_speaks_chat(translator: TranslatorProcess):
    async def test(provider: Scripted, live: Live) -> None:
        await live.send(Route.MESSAGES, {**BODIES[Route.MESSAGES], "output_config": {"effort": "low"}})
        assert provider.asked[0].body["reasoning_effort"] == "low"
        assert "output_config" not in provider.asked[0].body

    run(translator, test)
    run(translator, test, "together_ai/openai/gpt-oss-120b")


def test_an_effort_that_the_model_does_not_take_is_dropped_and_named(translator: TranslatorProcess):
    async def test(provider: Scripted, live: Live) -> None:
        answer = await live.send(Route.MESSAGES, {**BODIES[Route.MESSAGES], "output_config": {"effort": "low"}})
        assert answer.dropped == ("reasoning_effort",)
        assert "reasoning_effort" not in provider.asked[0].body

    run(translator, test, "fireworks_ai/theirs")


def test_what_changes_the_answer_is_refused_by_name(translator: TranslatorProcess):
    async def test(_: Scripted, live: Live) -> None:
        with pytest.raises(UpstreamError) as failed:
            await live.send(Route.CHAT, {"messages": MESSAGES, "n": 2, "seed": 4})
        assert (failed.value.status, failed.value.kind) == (400, FailureKind.UNSUPPORTED)
        assert "n is not supported" in failed.value.message

    run(translator, test, "anthropic/claude")


def test_values_of_hints_that_the_model_refuses_are_dropped(translator: TranslatorProcess):
    async def test(provider: Scripted, live: Live) -> None:
        answer = await live.send(Route.CHAT, {"messages": MESSAGES, "temperature": 0.2})
        assert answer.dropped == ("temperature",)
        assert "temperature" not in provider.asked[0].body
        live.translation.drop = False
        with pytest.raises(UpstreamError, match="temperature is not supported"):
            await live.send(Route.CHAT, {"messages": MESSAGES, "temperature": 0.2})

    run(translator, test, "openai/o3")


@pytest.mark.parametrize("model", ["openai/theirs", "hosted_vllm/theirs", "mistral/theirs"])
def test_a_second_answer_on_a_connection_goes_to_nobody(model: str, translator: TranslatorProcess):
    async def test() -> list[str]:
        provider = RawProvider(answer(completion("one")), answer(completion("two")), late=answer(completion("stray")))
        server = await asyncio.start_server(provider.serve, "127.0.0.1", 0)
        url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        live = Live(str(translator.path), {"model": model, "api_base": url})
        try:
            first = said(await live.send(Route.CHAT, BODIES[Route.CHAT]))
            await asyncio.sleep(0.2)  # in which the stray answer arrives
            return [first, said(await live.send(Route.CHAT, BODIES[Route.CHAT]))]
        finally:
            await live.translation.aclose()
            server.close()

    assert asyncio.run(test()) == ["one", "two"]


def test_a_large_body_takes_five_times_its_size(translator: TranslatorProcess):
    """At most, in the translator: memory that the gateway has to leave it (access/body_memory.py)."""
    size = 24  # MiB
    body = {"messages": [{"role": "user", "content": "x" * size * 2**20}]}
    assert translator.pid is not None
    pid = translator.pid

    async def test(_: Scripted, live: Live) -> float:
        await live.send(Route.CHAT, BODIES[Route.CHAT])
        before = memory.used(pid)
        with memory.Most(lambda: memory.used(pid)) as used:
            assert (await live.send(Route.CHAT, body)).status == 200
        return used.most - before

    assert run(translator, test) < 5 * size


# The last two: afterwards the translator is gone.


def test_a_dead_translator_is_a_failed_attempt_and_starts_again(translator: TranslatorProcess):
    starts = translator.starts

    async def test(provider: Scripted, live: Live) -> None:
        provider.behave = hanging
        asking = asyncio.ensure_future(live.send(Route.CHAT, BODIES[Route.CHAT]))
        await soon(lambda: provider.asked)
        assert translator.process is not None
        translator.process.kill()
        with pytest.raises(UpstreamError) as failed:
            await asking
        assert (failed.value.kind, failed.value.status, failed.value.reached) == (FailureKind.TRANSLATOR, 502, True)
        translator.process.wait()
        provider.behave = None
        waiting = asyncio.ensure_future(live.send(Route.CHAT, BODIES[Route.CHAT], timeout=60))
        while not waiting.done():
            translator.look()
            await asyncio.sleep(0.05)
        assert (await waiting).status == 200
        assert translator.starts == starts + 1

    run(translator, test)


def test_it_ends_when_its_parent_is_gone(translator: TranslatorProcess):
    translator._close_pipe()
    assert translator.process is not None
    assert translator.process.wait(30) == 0
