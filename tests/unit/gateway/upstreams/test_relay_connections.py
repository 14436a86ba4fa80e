"""The relay's connections to a provider that does what providers should not: answers twice, compresses a bomb, redirects."""

from __future__ import annotations

import asyncio
import gzip
import tracemalloc
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

import pytest

from langop_model.contract.settings import Endpoint, Group, Upstream
from langop_model.gateway.upstreams import relay as relay_module
from langop_model.gateway.upstreams.base import Answer, Route, UpstreamError, UpstreamRequest
from langop_model.gateway.upstreams.deployments import Deployments
from langop_model.gateway.upstreams.http_client import HTTPClient, Target
from langop_model.gateway.upstreams.relay import Relay
from tests.support.raw_provider import RawProvider, answer, completion, said

if TYPE_CHECKING:
    from yarl import URL

ROUTES = {"chat": "/chat/completions"}


def ask(provider: RawProvider, test: Callable[[Callable[[], Awaitable[Answer]]], Awaitable[None]]) -> None:
    """Run `test` with what asks the provider once."""

    async def run() -> None:
        server = await asyncio.start_server(provider.serve, "127.0.0.1", 0)
        provider.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        endpoint = Endpoint(id="e", url=provider.url)
        group = Group("m", "m", (endpoint,), upstream=Upstream("m", ROUTES))
        relay = Relay(Deployments([]))
        request = UpstreamRequest(Route.CHAT, "m", {"messages": [{"role": "user", "content": "Hi"}]}, timeout=10)
        try:
            await test(lambda: relay.send(group, endpoint, request))
        finally:
            await relay.aclose()
            server.close()

    asyncio.run(run())


def test_a_connection_stays_open_for_the_next_request():
    provider = RawProvider(answer(completion("one")), answer(completion("two")))

    async def test(send: Callable[[], Awaitable[Answer]]) -> None:
        assert [said(await send()), said(await send())] == ["one", "two"]
        assert provider.connections == 1

    ask(provider, test)


def test_a_second_answer_together_with_the_first_goes_to_nobody():
    provider = RawProvider(answer(completion("one")) + answer(completion("stray")), answer(completion("two")))

    async def test(send: Callable[[], Awaitable[Answer]]) -> None:
        assert [said(await send()), said(await send())] == ["one", "two"]

    ask(provider, test)


def test_a_second_answer_that_comes_later_goes_to_nobody():
    provider = RawProvider(answer(completion("one")), answer(completion("two")), late=answer(completion("stray")))

    async def test(send: Callable[[], Awaitable[Answer]]) -> None:
        assert said(await send()) == "one"
        await asyncio.sleep(0.2)
        assert said(await send()) == "two"

    ask(provider, test)


@pytest.mark.parametrize("status", ["200 OK", "500 Internal Server Error"])
def test_a_small_answer_that_is_a_large_one_compressed_takes_no_memory(status: str, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(relay_module, "MAX_ANSWER_SIZE", 2**20)
    bomb = gzip.compress(bytes(300 * 2**20), 1)
    provider = RawProvider(answer(bomb, status, content_encoding="gzip"))

    async def test(send: Callable[[], Awaitable[Answer]]) -> None:
        tracemalloc.start()
        with pytest.raises(UpstreamError) as caught:
            await send()
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert caught.value.status in (500, 502)
        assert peak < 16 * 2**20

    ask(provider, test)


@pytest.mark.parametrize("status", ["301 Moved", "302 Found", "307 Temporary", "308 Permanent"])
def test_a_redirect_is_not_followed(status: str):
    provider = RawProvider(answer(b"{}", status, location="/elsewhere"))

    async def test(send: Callable[[], Awaitable[Answer]]) -> None:
        with pytest.raises(UpstreamError) as caught:
            await send()
        assert (caught.value.status, provider.paths) == (502, [b"/chat/completions"])
        assert "redirects" in caught.value.message

    ask(provider, test)


@pytest.mark.parametrize(("path", "destinations"), [("/chat/completions", 1), ("/models/{model}/chat", 3)])
def test_models_of_any_name_share_what_is_made_for_a_path(path: str, destinations: int, monkeypatch: pytest.MonkeyPatch):
    provider = RawProvider(*[answer(completion("one"))] * 3)
    made: list[URL] = []

    def count(client: HTTPClient, url: URL) -> Target:
        made.append(url)
        return target(client, url)

    target = HTTPClient.target
    monkeypatch.setattr(HTTPClient, "target", count)

    async def run() -> None:
        server = await asyncio.start_server(provider.serve, "127.0.0.1", 0)
        endpoint = Endpoint(id="e", url=f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}")
        group = Group("any/*", "m", (endpoint,), upstream=Upstream("*", {"chat": path}))
        relay = Relay(Deployments([]))
        for model in "abc":
            await relay.send(group, endpoint, UpstreamRequest(Route.CHAT, model, {"messages": []}, timeout=10))
        await relay.aclose()
        server.close()

    asyncio.run(run())
    assert len(made) == destinations
