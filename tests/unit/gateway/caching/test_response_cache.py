"""The cache of one group, with entries in memory."""

from __future__ import annotations

import asyncio

import pytest

from langop_model.contract.settings import Caching
from langop_model.gateway.caching.entries import CachedAnswer
from langop_model.gateway.caching.keys import CacheControl
from langop_model.gateway.caching.memory import MemoryBackend
from langop_model.gateway.caching.response_cache import ResponseCache
from langop_model.gateway.upstreams.base import Answer, Route, UpstreamError
from tests.unit.gateway.caching.requests import Provider, failure, group, read, request, run, settled
from tests.unit.gateway.clock import Clock

NO_CACHE, NO_STORE = CacheControl(no_cache=True), CacheControl(no_store=True)


def made(ttl: float | None = None, clock: Clock | None = None) -> tuple[ResponseCache, Provider]:
    provider = Provider()
    provider.go.set()
    backend = MemoryBackend(1, clock) if clock is not None else MemoryBackend(1)
    return ResponseCache(group(), Caching("memory", ttl), backend), provider


def test_an_equal_request_is_a_hit_byte_for_byte():
    async def scene() -> tuple[int, list[bool], bool]:
        cache, provider = made()
        found = [await cache.get_or_ask(request(), provider.whole) for _ in range(2)]
        (first, _), (second, _) = found
        same = (first.body, first.usage, first.dropped) == (second.body, second.usage, second.dropped)
        return provider.asked, [hit for _, hit in found], same and isinstance(second, CachedAnswer)

    assert run(scene()) == (1, [False, True], True)


def test_a_stream_is_a_hit_event_by_event():
    async def scene() -> tuple[int, bool, int | None]:
        cache, provider = made()
        events = []
        for _ in range(2):
            answer, hit = await cache.get_or_ask(request(stream=True), provider.stream)
            events.append(await read(answer))
        return provider.asked, hit and events == [provider.events] * 2, answer.usage.total if answer.usage else None

    assert run(scene()) == (1, True, 11)


def test_an_answer_is_forgotten_after_its_time_to_live():
    async def scene() -> int:
        clock = Clock()
        cache, provider = made(10, clock)
        for _ in range(2):
            await cache.get_or_ask(request(), provider.whole)
            clock.now += 11
        return provider.asked

    assert run(scene()) == 2


def test_a_request_meanwhile_is_a_hit():
    async def scene() -> list[bool]:
        cache, provider = made()
        provider.go.clear()
        clients = [asyncio.create_task(cache.get_or_ask(request(), provider.whole)) for _ in range(3)]
        await settled()
        provider.go.set()
        return [hit for _, hit in await asyncio.gather(*clients)]

    assert run(scene()) == [False, True, True]


def test_no_cache_asks_the_provider_and_its_answer_replaces_the_kept_one():
    async def scene() -> tuple[list[bytes | None], list[bool]]:
        cache, provider = made()
        controls = (CacheControl(), NO_CACHE, CacheControl())
        found = [await cache.get_or_ask(request(), provider.whole, control) for control in controls]
        return [answer.body for answer, _ in found], [hit for _, hit in found]

    assert run(scene()) == ([b'{"answer": 1}', b'{"answer": 2}', b'{"answer": 2}'], [False, False, True])


def test_no_store_may_be_a_hit_and_leaves_nothing():
    async def scene() -> list[bool]:
        cache, provider = made()
        controls = (NO_STORE, CacheControl(), NO_STORE)
        return [(await cache.get_or_ask(request(), provider.whole, control))[1] for control in controls]

    assert run(scene()) == [False, False, True]


def test_neither_asks_and_leaves_nothing():
    async def scene() -> tuple[int, int]:
        cache, provider = made()
        for _ in range(2):
            await cache.get_or_ask(request(), provider.whole, CacheControl(no_cache=True, no_store=True))
        assert isinstance(cache.backend, MemoryBackend)
        return provider.asked, len(cache.backend.entries)

    assert run(scene()) == (2, 0)


def test_what_is_not_cached_goes_to_the_provider_each_time():
    async def scene() -> int:
        cache, provider = made()
        for _ in range(2):
            await cache.get_or_ask(request(Route.SPEECH), provider.whole)
        return provider.asked

    assert run(scene()) == 2


def test_a_failure_is_not_kept():
    async def scene() -> bool:
        cache, provider = made()
        provider.failures.append(failure())
        with pytest.raises(UpstreamError):
            await cache.get_or_ask(request(), provider.whole)
        _, hit = await cache.get_or_ask(request(), provider.whole)
        return hit

    assert run(scene()) is False


@pytest.mark.parametrize("control", [CacheControl(), NO_CACHE])
def test_a_stream_that_its_client_leaves_is_not_kept(control: CacheControl):
    async def scene() -> bool:
        cache, provider = made()
        provider.next.clear()
        answer, _ = await cache.get_or_ask(request(stream=True), provider.stream, control)
        assert answer.events is not None
        await anext(answer.events)
        await answer.aclose()
        await settled()
        provider.next.set()
        _, hit = await cache.get_or_ask(request(stream=True), provider.stream)
        return hit

    assert run(scene()) is False


def test_only_a_200_is_kept():
    async def scene() -> bool:
        cache, _ = made()

        async def ask(_: str | None) -> Answer:
            return Answer(202, body=b"{}")

        await cache.get_or_ask(request(), ask)
        _, hit = await cache.get_or_ask(request(), ask)
        return hit

    assert run(scene()) is False


def test_an_answer_that_is_too_large_is_not_kept():
    async def scene() -> bool:
        cache, _ = made()

        async def ask(_: str | None) -> Answer:
            return Answer(body=b"x" * 300_000)

        await cache.get_or_ask(request(), ask)
        _, hit = await cache.get_or_ask(request(), ask)
        return hit

    assert run(scene()) is False
