"""Batches, round trips, and the circuit, against a real redis."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Coroutine
from typing import Any, TypeVar

import pytest

from langop_model.contract.settings import Caching, Limits
from langop_model.gateway.caching.backend import TIMEOUT
from langop_model.gateway.caching.redis import RedisBackend
from langop_model.gateway.caching.response_cache import ResponseCache
from langop_model.gateway.limits.admission import Admission
from langop_model.gateway.limits.redis_connection import ANSWER_TIMEOUT, MAX_STORES_SIZE, READ_GRACE, RedisConnection
from langop_model.gateway.limits.redis_lane import RedisUnavailableError
from langop_model.gateway.limits.redis_window import RedisWindow
from langop_model.gateway.limits.sliding_window import Reservation
from langop_model.gateway.upstreams.base import Answer
from tests.live.redis_server import RedisServer
from tests.unit.gateway.caching.requests import Provider, group, read, request
from tests.unit.gateway.limits.processes import connection

T = TypeVar("T")
LONG = 20.0  # seconds


def run(scene: Coroutine[Any, Any, T]) -> T:
    return asyncio.run(scene)


class Counted:
    """Counts the round trips of a connection, and the commands in each."""

    def __init__(self, redis: RedisConnection) -> None:
        self.batches: list[int] = []
        make = redis.client.pipeline

        def pipeline(**options: Any) -> Any:
            made: Any = make(**options)
            execute = made.execute

            async def counted(**how: Any) -> Any:
                self.batches.append(len(made))
                return await execute(**how)

            made.execute = counted
            return made

        client: Any = redis.client
        client.pipeline = pipeline


async def warm(server: RedisServer, **limits: int) -> tuple[RedisConnection, Admission, Counted]:
    """Return a process whose scripts redis knows, and that counts round trips from now on."""
    redis = connection(server)
    store = RedisWindow(redis, "team/model", Limits(**limits))
    admission = Admission(store.limits, store=store)
    for _ in range(2):
        admission.settle(await admission.admit(None, admission.clock() + LONG), 1)
        await redis.flush()
    return redis, admission, Counted(redis)


def test_an_admission_is_one_round_trip_and_the_end_another(server: RedisServer):
    async def scene() -> tuple[list[int], list[int]]:
        redis, admission, counted = await warm(server, requests_per_minute=10, concurrent_requests=5, tokens_per_minute=1000)
        reservation = await admission.admit(5, admission.clock() + LONG)
        before = list(counted.batches)
        admission.settle(reservation, 5)
        await redis.flush()
        return before, counted.batches[len(before) :]

    assert run(scene()) == ([1], [1])


def test_an_admission_and_the_look_up_of_its_answer_are_one_round_trip(server: RedisServer):
    async def scene() -> tuple[list[int], int, bool]:
        redis, admission, counted = await warm(server, requests_per_minute=10)
        cache = ResponseCache(group(), Caching("redis", 60), RedisBackend(redis), looks_up_with_admission=True)
        provider = Provider()
        provider.go.set()

        async def ask(entry: str | None) -> Answer:
            assert entry is not None
            found = await admission.find_or_admit(entry, None, admission.clock() + LONG)
            if isinstance(found, bytes):
                answer = cache.replay(found)
                assert answer is not None
                return answer
            before.extend(counted.batches)
            return await provider.whole()

        before: list[int] = []
        await cache.get_or_ask(request(), ask)
        await redis.flush()
        _, hit = await cache.get_or_ask(request(), ask)
        return before, provider.asked, hit

    assert run(scene()) == ([1], 1, True)


def test_a_hit_counts_against_no_limit(server: RedisServer):
    async def scene() -> tuple[bool, bool]:
        redis, admission, _ = await warm(server, requests_per_minute=3)
        redis.store("langop:{team/model}:answer:x", b"entry", None)
        await redis.flush()
        hits = [await admission.find_or_admit("langop:{team/model}:answer:x", None, 0) for _ in range(20)]
        left = await admission.find_or_admit("langop:{team/model}:answer:y", None, admission.clock() + LONG)
        return hits == [b"entry"] * 20, isinstance(left, Reservation)

    assert run(scene()) == (True, True)


def test_requests_that_come_together_share_a_round_trip(server: RedisServer):
    async def scene() -> list[int]:
        _, admission, counted = await warm(server, requests_per_minute=1000)
        await asyncio.gather(*(admission.admit(None, admission.clock() + LONG) for _ in range(100)))
        return counted.batches

    assert run(scene()) == [100]


def test_a_redis_that_hangs_delays_one_request(server: RedisServer):
    """By a quarter of a second, and the next one not at all."""

    async def scene() -> tuple[float, float]:
        redis, admission, _ = await warm(server, requests_per_minute=1000)
        redis.answer_timeout = ANSWER_TIMEOUT
        server.pause()
        started = time.monotonic()
        await admission.admit(None, admission.clock() + LONG)
        first = time.monotonic() - started
        for _ in range(100):
            await admission.admit(None, admission.clock() + LONG)
        assert not redis.up
        return first, time.monotonic() - started - first

    try:
        first, others = run(scene())
    finally:
        server.go_on()
    assert first >= ANSWER_TIMEOUT
    assert others < first * 2  # a hundred of them; each for itself would wait as long as the first


def test_what_redis_answers_after_it_hung_is_not_taken_for_another_answer(server: RedisServer):
    async def scene() -> list[bytes | None]:
        redis = connection(server)
        for name in ("a", "b"):
            redis.store(name, name.encode(), None)
        await redis.flush()
        redis.answer_timeout = ANSWER_TIMEOUT
        server.pause()
        with pytest.raises(RedisUnavailableError):
            await redis.get("a")
        server.go_on()
        await redis.beat()
        return [await redis.get("b"), await redis.get("a")]

    assert run(scene()) == [b"b", b"a"]


def test_a_process_starts_at_once_while_redis_hangs(server: RedisServer):
    async def scene() -> tuple[float, bool]:
        server.pause()
        started = time.monotonic()
        redis = connection(server, ANSWER_TIMEOUT)
        redis.start()
        admission = Admission(
            Limits(requests_per_minute=5), store=RedisWindow(redis, "team/model", Limits(requests_per_minute=5))
        )
        await admission.admit(None, admission.clock() + LONG)
        for task in redis.tasks:
            task.cancel()
        return time.monotonic() - started, redis.up

    try:
        seconds, up = run(scene())
    finally:
        server.go_on()
    assert not up
    assert seconds < 3


def test_a_command_that_redis_refuses_is_no_outage(server: RedisServer):
    async def scene() -> tuple[Any, bool]:
        redis = connection(server)
        server.client.rpush("a-list", "x")
        return await redis.get("a-list"), redis.up

    assert run(scene()) == (None, True)


def test_a_question_shares_no_round_trip_with_answers_that_are_stored(server: RedisServer):
    async def scene() -> list[int]:
        redis, admission, counted = await warm(server, requests_per_minute=1000)
        for number in range(10):
            redis.store(f"large-{number}", b"x" * 1024 * 1024, None)
        await admission.admit(None, admission.clock() + LONG)
        await redis.flush()
        return sorted(counted.batches)

    assert run(scene()) == [1, 2, 8]


def test_what_waits_to_be_stored_is_bounded(server: RedisServer):
    async def scene() -> tuple[int, int]:
        redis = connection(server)
        for number in range(100):
            redis.store(f"large-{number}", b"x" * 1024 * 1024, None)
        waiting = redis.stored_bytes
        await redis.flush()
        return waiting, redis.stored_bytes

    assert run(scene()) == (MAX_STORES_SIZE, 0)
    assert server.client.dbsize() == 16


# Answers in redis, of a model without limits.


def cached(server: RedisServer, ttl: float | None = 60) -> tuple[ResponseCache, RedisConnection, Provider]:
    redis = connection(server)
    provider = Provider()
    provider.go.set()
    return ResponseCache(group(), Caching("redis", ttl), RedisBackend(redis)), redis, provider


def test_an_answer_is_found_by_another_process(server: RedisServer):
    async def scene() -> tuple[list[bytes], list[bytes], bool, int | None]:
        first, redis, provider = cached(server)
        said = await read((await first.get_or_ask(request(stream=True), provider.stream))[0])
        await redis.flush()
        second, _, _ = cached(server)
        answer, hit = await second.get_or_ask(request(stream=True), provider.stream)
        return said, await read(answer), hit, answer.usage.total if answer.usage else None

    said, heard, hit, tokens = run(scene())
    assert (heard, hit, tokens) == (said, True, 11)


def test_an_answer_expires_in_redis(server: RedisServer):
    async def scene() -> None:
        cache, redis, provider = cached(server, ttl=1.5)
        await cache.get_or_ask(request(), provider.whole)
        await redis.flush()

    run(scene())
    (key,) = server.client.scan_iter("*")
    assert key.startswith(b"langop:{default/m}:answer:")
    assert 0 < server.client.pttl(key) <= 1500


def test_without_redis_each_request_asks_the_provider(server: RedisServer):
    async def scene() -> int:
        cache, _, provider = cached(server)
        server.kill()
        for _ in range(5):
            answer, _hit = await cache.get_or_ask(request(), provider.whole)
            assert answer.status == 200
        return provider.asked

    assert run(scene()) == 5


def test_a_full_redis_keeps_no_answer_and_is_no_outage(server: RedisServer):
    async def scene() -> tuple[int, bool]:
        cache, redis, provider = cached(server)
        server.client.config_set("maxmemory", "1")
        try:
            for _ in range(2):
                await cache.get_or_ask(request(), provider.whole)
                await redis.flush()
        finally:
            server.client.config_set("maxmemory", "0")
        return provider.asked, redis.up

    assert run(scene()) == (2, True)


def test_a_request_waits_for_redis_at_most_a_quarter_of_a_second():
    assert pytest.approx(TIMEOUT) == ANSWER_TIMEOUT + READ_GRACE
