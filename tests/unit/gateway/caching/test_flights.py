"""Equal requests at the same time."""

from __future__ import annotations

import asyncio
import contextlib
from typing import Any

import pytest

from langop_model.gateway.caching.flights import READ_AHEAD, Flights
from langop_model.gateway.upstreams.base import CLIENT_ERROR, Answer, UpstreamError
from tests.unit.gateway.caching.requests import Provider, failure, read, run, settled

MEGABYTE = 1024 * 1024


class Desk:
    """Where clients ask; `kept` is what was complete."""

    def __init__(self, provider: Provider, max_bytes: int = MEGABYTE) -> None:
        self.flights = Flights()
        self.provider = provider
        self.max_bytes = max_bytes
        self.kept: list[tuple[bytes | None, list[bytes] | None]] = []

    async def whole(self) -> bytes | None:
        """Ask, and return the body."""
        answer, _ = await self._share(self.provider.whole)
        return answer.body

    async def begin(self) -> Answer:
        """Ask for a stream, and return it when it has begun."""
        answer, _ = await self._share(self.provider.stream)
        return answer

    async def stream(self) -> list[bytes]:
        """Ask for a stream, and return its events."""
        return await read(await self.begin())

    async def _share(self, ask: Any) -> tuple[Answer, bool]:
        return await self.flights.share("key", ask, self.max_bytes, self._complete)

    def _complete(self, answer: Answer, events: list[bytes] | None) -> None:
        self.kept.append((answer.body, events))


def test_three_hundred_equal_requests_ask_once():
    async def scene() -> tuple[int, int, int, bool]:
        provider = Provider()
        desk = Desk(provider)
        clients = [asyncio.create_task(desk.whole()) for _ in range(300)]
        await settled()
        provider.go.set()
        answers = await asyncio.gather(*clients)
        return provider.asked, len(set(answers)), len(desk.kept), bool(desk.flights.flights)

    assert run(scene()) == (1, 1, 1, False)


def test_three_hundred_equal_streams_ask_once_and_each_gets_every_event():
    async def scene() -> tuple[int, bool, int]:
        provider = Provider(events=50)
        desk = Desk(provider)
        clients = [asyncio.create_task(desk.stream()) for _ in range(300)]
        await settled()
        provider.go.set()
        answers = await asyncio.gather(*clients)
        return provider.asked, all(events == provider.events for events in answers), len(desk.kept)

    assert run(scene()) == (1, True, 1)


def test_an_event_reaches_everyone_before_the_next_one_comes():
    async def scene() -> list[bytes]:
        provider = Provider()
        provider.go.set()
        provider.next.clear()
        desk = Desk(provider)
        answers = [await desk.begin() for _ in range(3)]
        return [await anext(answer.events) for answer in answers if answer.events is not None]

    events = run(scene())
    assert len(events) == 3
    assert len(set(events)) == 1


def test_who_comes_in_the_middle_of_a_stream_gets_it_from_the_start():
    async def scene() -> tuple[int, bool]:
        provider = Provider()
        provider.go.set()
        provider.next.clear()
        desk = Desk(provider)
        first = await desk.begin()
        assert first.events is not None
        await anext(first.events)
        second = await desk.begin()
        provider.next.set()
        return provider.asked, await read(second) == provider.events

    assert run(scene()) == (1, True)


def test_usage_is_known_to_everyone_at_the_end_of_a_stream():
    async def scene() -> list[int | None]:
        provider = Provider()
        provider.go.set()
        desk = Desk(provider)
        answers = [await desk.begin() for _ in range(2)]
        for answer in answers:
            await read(answer)
        return [answer.usage.total if answer.usage else None for answer in answers]

    assert run(scene()) == [11, 11]


@pytest.mark.parametrize("kind", ["whole", "stream"])
def test_when_the_first_client_leaves_the_others_get_the_answer(kind: str):
    async def scene() -> tuple[int, int]:
        provider = Provider()
        desk = Desk(provider)
        clients = [asyncio.create_task(getattr(desk, kind)()) for _ in range(3)]
        await settled()
        clients[0].cancel()
        await settled()
        provider.go.set()
        answers = await asyncio.gather(*clients[1:])
        return provider.asked, len(answers)

    assert run(scene()) == (1, 2)


def test_when_the_first_client_leaves_the_others_get_the_rest():
    """In the middle of a stream."""

    async def scene() -> bool:
        provider = Provider()
        provider.go.set()
        provider.next.clear()
        desk = Desk(provider)
        first, second = await desk.begin(), await desk.begin()
        await first.aclose()
        provider.next.set()
        return await read(second) == provider.events

    assert run(scene())


def test_when_everyone_has_left_the_providers_work_ends():
    async def scene() -> list[int]:
        whole, stream = Provider(), Provider()
        stream.go.set()
        stream.next.clear()
        clients = [asyncio.create_task(desk.whole()) for desk in [Desk(whole)] * 2]
        desk = Desk(stream)
        answers = [await desk.begin() for _ in range(2)]
        await settled()
        for client in clients:
            client.cancel()
        for answer in answers:
            await answer.aclose()
        await settled()
        return [whole.closed, stream.closed]

    assert run(scene()) == [1, 1]


def test_who_comes_after_everyone_has_left_asks_again():
    async def scene() -> tuple[int, bool]:
        provider = Provider()
        provider.go.set()
        provider.next.clear()
        desk = Desk(provider)
        await (await desk.begin()).aclose()
        following = asyncio.create_task(desk.stream())  # before the provider's work has ended
        await settled()
        provider.next.set()
        return await following == provider.events, provider.asked == 2

    assert run(scene()) == (True, True)


def ten_at_once(*failures: BaseException) -> tuple[int, int, int]:
    """Return how often a provider that fails so is asked for ten equal requests, how many of them fail, and how many do not."""

    async def scene() -> tuple[int, int, int]:
        provider = Provider(*failures)
        desk = Desk(provider)
        clients = [asyncio.create_task(desk.whole()) for _ in range(10)]
        await settled()
        provider.go.set()
        results = await asyncio.gather(*clients, return_exceptions=True)
        failed = sum(isinstance(result, UpstreamError) for result in results)
        return provider.asked, failed, len(results) - failed

    return run(scene())


def test_when_the_first_fails_the_next_asks_and_the_others_wait_for_it():
    assert ten_at_once(failure()) == (2, 1, 9)


def test_after_two_failures_each_asks_for_itself():
    assert ten_at_once(failure(), failure()) == (10, 2, 8)


def test_what_is_wrong_with_the_request_itself_fails_all_at_once():
    assert ten_at_once(*(failure(CLIENT_ERROR, 400) for _ in range(10))) == (1, 10, 0)


def test_a_stream_that_breaks_fails_everyone_and_is_not_kept():
    async def scene() -> tuple[int, int]:
        provider = Provider(broken=True)
        provider.go.set()
        desk = Desk(provider)
        failed = 0
        for answer in [await desk.begin(), await desk.begin()]:
            with contextlib.suppress(UpstreamError):
                await read(answer)
                continue
            failed += 1
        return failed, len(desk.kept)

    assert run(scene()) == (2, 0)


def test_a_stream_that_is_too_large_is_whole_for_everyone_and_not_kept():
    async def scene() -> tuple[list[bool], int, int]:
        provider = Provider(events=200, size=10_000)
        provider.go.set()
        provider.next.clear()
        desk = Desk(provider, max_bytes=100_000)
        answers = [await desk.begin() for _ in range(2)]
        provider.next.set()
        events = await asyncio.gather(*map(read, answers))
        return [each == provider.events for each in events], len(desk.kept), provider.asked

    assert run(scene()) == ([True, True], 0, 1)


def test_a_stream_that_is_too_large_waits_for_its_slowest_client():
    async def scene() -> tuple[int, bool]:
        provider = Provider(events=1000, size=10_000)
        provider.go.set()
        desk = Desk(provider, max_bytes=100_000)
        answer = await desk.begin()
        for _ in range(50):
            await settled()
        ahead = provider.sent
        return ahead, await read(answer) == provider.events

    ahead, whole = run(scene())
    assert ahead <= READ_AHEAD // 10_000 + 1
    assert whole


def test_a_client_that_leaves_holds_no_other_up():
    async def scene() -> bool:
        provider = Provider(events=200, size=10_000)
        provider.go.set()
        provider.next.clear()
        desk = Desk(provider, max_bytes=100_000)
        slow, fast = await desk.begin(), await desk.begin()
        provider.next.set()
        reading = asyncio.create_task(read(fast))
        await settled()
        assert not reading.done()
        await slow.aclose()
        return await reading == provider.events

    assert run(scene())
