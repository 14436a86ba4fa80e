"""What the stand-in saw: each request, and how many it answered at the same time."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from itertools import count
from typing import Any


@dataclass(frozen=True, slots=True)
class Seen:
    """One request.

    number: counts requests from 1, over all endpoints; `clear()` does not start it again.
    endpoint: the label registered with `StandIn.base()`, or empty.
    path: decoded, without the label and the query.
    headers: names in lower case.
    body: the parsed JSON or form, or None if there was none.
    arrived: seconds of `time.monotonic()`.
    finished: the same, when the last byte went to the socket. None until then, and for ever if the client left or the
        connection was dropped before.
    """

    number: int
    endpoint: str
    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: Any
    arrived: float
    finished: float | None = None


class Recorder:
    """Keeps the most recent `keep` requests, and counts those in flight. Safe to use from several threads."""

    def __init__(self, keep: int) -> None:
        self._keep = keep
        self._changed = threading.Condition()
        self._numbers = count(1)
        self._seen: dict[int, Seen] = {}
        self._in_flight: set[int] = set()
        self._most_in_flight = 0

    @property
    def requests(self) -> list[Seen]:
        """The requests until now, in the order of their arrival."""
        with self._changed:
            return list(self._seen.values())

    @property
    def in_flight(self) -> int:
        """How many requests are being answered now."""
        with self._changed:
            return len(self._in_flight)

    @property
    def most_in_flight(self) -> int:
        """How many requests were being answered at the same time at most, since the start or `clear()`."""
        with self._changed:
            return self._most_in_flight

    def clear(self) -> None:
        """Forget the requests and the peak. Requests in flight still count as such."""
        with self._changed:
            self._seen.clear()
            self._most_in_flight = len(self._in_flight)

    def arrive(self, make: Callable[[int], Seen]) -> Seen:
        """Record a request which `make` returns for its number; it is in flight from now on."""
        with self._changed:
            seen = make(next(self._numbers))
            self._seen[seen.number] = seen
            if len(self._seen) > self._keep:
                del self._seen[next(iter(self._seen))]
            self._in_flight.add(seen.number)
            self._most_in_flight = max(self._most_in_flight, len(self._in_flight))
            self._changed.notify_all()
            return seen

    def finish(self, number: int) -> None:
        """Note that a request is answered."""
        with self._changed:
            if number in self._seen:
                self._seen[number] = replace(self._seen[number], finished=time.monotonic())
        self.leave(number)

    def leave(self, number: int) -> None:
        """Note that a request is no longer in flight, answered or not."""
        with self._changed:
            self._in_flight.discard(number)
            self._changed.notify_all()

    def wait_until(self, condition: Callable[[], bool], timeout: float) -> None:
        """Wait until a condition on the recording holds; TimeoutError after `timeout` seconds."""
        with self._changed:
            if not self._changed.wait_for(condition, timeout):
                raise TimeoutError(f"not so after {timeout:g} s: {len(self._seen)} seen, {len(self._in_flight)} in flight")
