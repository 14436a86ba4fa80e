"""Equal requests at the same time: the provider is asked once in each process, and all get its answer as it comes.

The request runs in a task that belongs to none of its clients: when the first one leaves, the others go on, and when the last
one leaves, the provider's work ends. Processes do not know of each other's flights: n of them may ask n times.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator, Callable, Coroutine
from typing import Any

from langop_model.gateway.upstreams.base import CLIENT_ERROR, Answer, UpstreamError

MAX_FAILURES = 2  # of others, in a row, after which a request asks for itself
READ_AHEAD = 256 * 1024  # bytes that a stream which is too large to be kept may be ahead of its slowest client

Ask = Callable[[], Coroutine[Any, Any, Answer]]
OnComplete = Callable[[Answer, "list[bytes] | None"], None]
OnOver = Callable[["Flight"], None]


class Flight:
    """One request to the provider, and the clients that wait for its answer. One event loop uses it.

    `on_complete` gets the answer when it is complete, of a stream with its events; `on_over` is called when nothing more will
    come, perhaps more than once. A stream of more than `max_bytes` is not kept: from then on nobody can join, and it flows at
    the pace of its slowest client.
    """

    def __init__(self, ask: Ask, max_bytes: int, on_complete: OnComplete, on_over: OnOver = lambda _: None) -> None:
        self.max_bytes = max_bytes
        self.on_complete = on_complete
        self.on_over = on_over
        self.answer: Answer | None = None  # when it has begun
        self.failure: BaseException | None = None  # instead of it
        self.waiters: list[asyncio.Future[None]] = []  # of clients, until one of the two is there
        self.events: list[bytes] = []
        self.dropped = 0  # number of events before those
        self.size = 0  # bytes of the events
        self.is_kept = True
        self.is_over = False
        self.is_cancelled = False
        self.error: BaseException | None = None
        self.clients = 0
        self.followers: dict[Follower, Answer] = {}  # who still reads, and the answer whose events those are
        self.task = _begin(self._run(ask))

    @property
    def can_be_joined(self) -> bool:
        """Whether another client can get the whole answer."""
        return self.is_kept and not self.is_over

    async def join(self) -> Answer:
        """Return the answer when it has begun. Raises what the request raises."""
        self.clients += 1
        try:
            answer = self.answer or await self._begun()
        except BaseException:
            self.leave()
            raise
        # What one client's request notes in an answer is no other's. Nobody joins one that is whole.
        own = answer if answer.events is None and self.clients == 1 else answer.copy()
        if answer.events is None:
            self.leave()
        else:
            own.events = follower = Follower(self)
            self.followers[follower] = own
        return own

    def leave(self) -> None:
        """Note that a client has left or has everything; the last one ends the request."""
        self.clients -= 1
        if self.clients <= 0 and not self.is_over:
            self.is_over = True
            self.task.cancel()
            self.on_over(self)  # a task that has not begun to run will not say so

    async def _begun(self) -> Answer:
        """Wait until the answer has begun. A future for each client: one that leaves cancels its own alone."""
        if self.failure is None:
            waiter = asyncio.get_running_loop().create_future()
            self.waiters.append(waiter)
            await waiter
        if self.answer is None:
            assert self.failure is not None  # noqa: S101 - one of the two is there
            raise self.failure
        return self.answer

    async def _run(self, ask: Ask) -> None:
        try:
            await self._fly(ask)
        finally:
            self.on_over(self)

    async def _fly(self, ask: Ask) -> None:
        try:
            answer = await ask()
        except asyncio.CancelledError:
            self.is_over = self.is_cancelled = True
            for waiter in self.waiters:
                waiter.cancel()
            raise
        except BaseException as error:  # noqa: BLE001 - each client raises it
            self.is_over = True
            if isinstance(error, UpstreamError):
                error.forget_frames()  # the flight keeps them, and they know the flight
            self.failure = error
            self._wake()
            return
        if answer.events is None:
            self.is_over = True
            self.on_complete(answer, None)
            self.answer = answer
            self._wake()
        else:
            self.changed = asyncio.Event()  # there is another event, or the end
            self.consumed = asyncio.Event()  # a client has taken events, or left
            self.answer = answer
            self._wake()
            await self._read(answer, answer.events)

    def _wake(self) -> None:
        for waiter in self.waiters:
            if not waiter.done():
                waiter.set_result(None)

    async def _read(self, answer: Answer, events: AsyncIterator[bytes]) -> None:
        try:
            async for event in events:
                self._add(event)
                if not self.is_kept:
                    await self._keep_pace()
            for own in self.followers.values():
                own.usage = answer.usage
            if self.is_kept:
                self.on_complete(answer, self.events)
        except BaseException as error:
            self.error = error
            if not isinstance(error, Exception):
                raise
        finally:
            self.is_over = True
            self.changed.set()
            await answer.aclose()

    def _add(self, event: bytes) -> None:
        self.events.append(event)
        self.size += len(event)
        self.is_kept = self.is_kept and self.size <= self.max_bytes
        self.changed.set()

    async def _keep_pace(self) -> None:
        while True:
            self.consumed.clear()
            taken = min((follower.position for follower in self.followers), default=0) - self.dropped
            if taken > 0:
                self.size -= sum(map(len, self.events[:taken]))
                self.dropped += taken
                del self.events[:taken]
            if self.size <= READ_AHEAD:
                return
            await self.consumed.wait()


def _begin(run: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
    """Return a task. From Python 3.12 on it runs at once up to its first wait, which saves a turn of the event loop."""
    if sys.version_info >= (3, 12):
        return asyncio.Task(run, loop=asyncio.get_running_loop(), eager_start=True)
    return asyncio.get_running_loop().create_task(run)


class Follower:
    """The events of a flight for one of its clients."""

    def __init__(self, flight: Flight) -> None:
        self.flight = flight
        self.position = 0
        self.is_closed = False

    def __aiter__(self) -> Follower:
        return self

    async def __anext__(self) -> bytes:
        """Return the next event. Raises what the stream raises."""
        flight = self.flight
        while not self.is_closed:
            index = self.position - flight.dropped
            if index < len(flight.events):
                self.position += 1
                flight.consumed.set()
                return flight.events[index]
            if flight.is_over:
                await self.aclose()
                if flight.error is not None:
                    raise flight.error
                break
            flight.changed.clear()
            await flight.changed.wait()
        raise StopAsyncIteration

    async def aclose(self) -> None:
        """Leave the flight."""
        if not self.is_closed:
            self.is_closed = True
            self.flight.followers.pop(self, None)
            self.flight.consumed.set()
            self.flight.leave()


class Flights:
    """The flights of one cache, by key."""

    def __init__(self) -> None:
        self.flights: dict[str, Flight] = {}

    async def share(self, key: str, ask: Ask, max_bytes: int, on_complete: OnComplete) -> tuple[Answer, bool]:
        """Return the answer to a request, and whether another one had asked for it.

        When that other one fails, the next in turn asks, and after MAX_FAILURES each asks for itself; but what is wrong with
        an equal request itself fails them all. Raises what the own request raises.
        """
        for _ in range(MAX_FAILURES):
            flight = self.flights.get(key)
            if flight is None or not flight.can_be_joined:
                return await self._start(key, ask, max_bytes, on_complete).join(), False
            try:
                return await flight.join(), True
            except UpstreamError as error:
                if error.cause == CLIENT_ERROR:
                    raise
            except asyncio.CancelledError:
                if not flight.is_cancelled:  # this client has left, not the other
                    raise
            except Exception:  # noqa: BLE001, S110 - the request that had asked reports it
                pass
        return await ask(), False

    def _start(self, key: str, ask: Ask, max_bytes: int, on_complete: OnComplete) -> Flight:
        def forget(flight: Flight) -> None:
            if self.flights.get(key) is flight:
                del self.flights[key]

        flight = Flight(ask, max_bytes, on_complete, forget)
        if not flight.is_over:  # one that never waited is
            self.flights[key] = flight
        return flight
