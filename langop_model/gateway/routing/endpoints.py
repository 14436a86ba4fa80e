"""Which endpoint serves the next attempt: spec.loadBalancing.strategy, priorities, shares of a limit, and what is down."""

from __future__ import annotations

import math
import random
import time
from collections import defaultdict, deque
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from langop_model.contract.settings import Endpoint, Group
from langop_model.gateway.limits.sliding_window import WINDOW
from langop_model.gateway.routing import endpoint_log

FAILURES_IN_A_ROW = 3  # until an endpoint is put on cooldown
COOLDOWN_SECONDS = 30.0  # until it is tried again, unless successful checks return it earlier
RECENT_FAILURE_SECONDS = 5.0  # after a failure, in which least-connections prefers the others
MIN_LATENCY_SHARE = 0.02  # of the fastest endpoint's share: what latency-based gives to the slowest, to notice its recovery
SMOOTHING = 0.3  # weight of the newest latency in the average


@dataclass(slots=True)
class PeerReport:
    """What other processes report about one endpoint.

    For how many seconds from now each has found it `down`, and how many `calls` they have sent it within a minute.
    """

    down: dict[str, float] = field(default_factory=dict)
    calls: int = 0


class LastError(NamedTuple):
    """The cause, the HTTP status, and when by the clock."""

    cause: str
    status: int
    at: float


@dataclass(slots=True, eq=False)
class State:
    """What is known about one endpoint. `latency` is an average in seconds, None before the first answer.

    `failures` are those in a row, `error` is the last one. `down_since` is since when it has been down, `up_since` since when
    it has answered.

    `checks` are all active checks by whether they were successful, `check_seconds` is how long the last one took, and
    `check_error` why it failed. `successful_checks` are those in a row since it was put on cooldown. `peer_down_until` are the
    other processes that have found it down, each with the time until which that holds; `locally_disproved` are those of them
    after whose report it has answered here. `peer_calls` are the calls of other processes within a minute.
    """

    endpoint: Endpoint
    in_flight: int = 0
    latency: float | None = None
    failures: int = 0
    failed_at: float = -math.inf
    error: LastError | None = None
    answered_at: float = -math.inf
    down_since: float | None = None
    up_since: float | None = None
    checked_at: float = -math.inf
    checks: dict[bool, int] = field(default_factory=lambda: {True: 0, False: 0})
    check_seconds: float = 0.0
    check_error: LastError | None = None
    down_until: float = 0.0
    checked_down: bool = False
    successful_checks: int = 0
    recent: deque[float] = field(default_factory=deque)
    peer_calls: int = 0
    peer_down_until: dict[str, float] = field(default_factory=dict)
    locally_disproved: set[str] = field(default_factory=set)

    def has_capacity(self, now: float) -> bool:
        """Whether its share of the requests of a minute is not used up, here and in other processes."""
        share = self.endpoint.requests_per_minute
        return self.count(now) + self.peer_calls < share if share is not None else True

    def count(self, now: float) -> int:
        """Return how many calls of this process it got within a minute."""
        while self.recent and self.recent[0] <= now - WINDOW:
            self.recent.popleft()
        return len(self.recent)

    def is_down(self, now: float) -> bool:
        """Whether checks or failures in a row say that it does not answer, here or in another process."""
        if self.checked_down or now < self.down_until:
            return True
        if not self.peer_down_until:
            return False
        return any(now < until for process, until in self.peer_down_until.items() if process not in self.locally_disproved)

    def clear(self, now: float) -> None:
        """Note that it answers: earlier failures no longer count."""
        if self.failures or self.down_until:
            self.failures, self.failed_at, self.down_until = 0, -math.inf, 0.0
        if self.up_since is None and not self.checked_down:
            self.up_since, self.down_since = now, None
        if self.peer_down_until:
            self.locally_disproved.update(self.peer_down_until)

    def goes_down(self, now: float) -> None:
        """Note since when it has been down."""
        if self.down_since is None:
            self.down_since, self.up_since = now, None


class Endpoints:
    """The endpoints of one group. One event loop uses it; nothing here waits."""

    def __init__(self, group: Group, clock: Callable[[], float] = time.monotonic) -> None:
        self.states = [State(endpoint) for endpoint in group.endpoints]
        self.has_one_priority = len({endpoint.priority for endpoint in group.endpoints}) <= 1
        self.by_id = {state.endpoint.id: state for state in self.states}
        self.pick = STRATEGIES[group.strategy](self)
        cooldown = group.cooldown
        allowed = cooldown.allowed_fails if cooldown.allowed_fails is not None else FAILURES_IN_A_ROW - 1
        self.allowed_failures: float = allowed if cooldown.enabled else math.inf
        self.cooldown_seconds = cooldown.seconds if cooldown.seconds is not None else COOLDOWN_SECONDS
        self.clock = clock
        self.last: State | None = None

    def choose(self, tried: Collection[str] = ()) -> State | None:
        """Return the endpoint for the next call, and count the call; None when all were `tried`.

        The highest priority that is up and has room in its share comes first. When nothing is up, everything is tried;
        when no share has room, the highest priority gets the call, because another endpoint is down and leaves room.
        """
        left = [state for state in self.states if state.endpoint.id not in tried] if tried else self.states
        if not left:
            return None
        chosen = left[0] if len(left) == 1 else self.pick(self._candidates(left, self.clock()))
        self.last = chosen
        if chosen.endpoint.requests_per_minute is not None:
            chosen.recent.append(self.clock())
        chosen.in_flight += 1
        return chosen

    def _candidates(self, left: Sequence[State], now: float) -> Sequence[State]:
        """Return those of the highest priority that is up and has room in its share."""
        up = [state for state in left if not state.is_down(now)] or left
        available = [state for state in up if state.has_capacity(now)] or up
        if self.has_one_priority:
            return available
        first = min(state.endpoint.priority for state in available)
        return [state for state in available if state.endpoint.priority == first]

    def forget(self, state: State) -> None:
        """Take back the last count of a call that was not sent: a cache answered it."""
        if state.recent:
            state.recent.pop()

    def answered(self, state: State, seconds: float) -> None:
        """Note that an answer began `seconds` after the call."""
        state.answered_at = now = self.clock()
        if state.down_until:
            endpoint_log.returned(state.endpoint, "an answer")
        state.clear(now)
        state.latency = seconds if state.latency is None else SMOOTHING * seconds + (1 - SMOOTHING) * state.latency

    def failed(self, state: State, cause: str, status: int) -> None:
        """Note a failure that was the endpoint's fault. Several in a row start a cooldown."""
        state.failures += 1
        state.failed_at = now = self.clock()
        state.error = LastError(cause, status, now)
        if state.failures >= FAILURES_IN_A_ROW:
            state.goes_down(now)
        if state.failures > self.allowed_failures and len(self.states) > 1:
            state.goes_down(now)
            if now >= state.down_until:
                after = f"{state.failures} failures in a row, for {self.cooldown_seconds:g} s"
                endpoint_log.skipped(state.endpoint, after, f"{cause} ({status})" if status else cause)
            state.down_until = now + self.cooldown_seconds
            state.successful_checks = 0

    def returned(self, state: State) -> None:
        """Note that checks have shown that an endpoint is healthy again."""
        state.checked_down = False
        state.clear(self.clock())

    def released(self, state: State) -> None:
        """Note the end of a call: for a stream, its last part."""
        state.in_flight -= 1

    def found_down(self, checked: float) -> dict[str, float]:
        """Return the endpoints that this process has found down, and for how many seconds: `checked` where a check says so."""
        now = self.clock()
        left = {state.endpoint.id: max(state.down_until - now, checked if state.checked_down else 0.0) for state in self.states}
        return {name: seconds for name, seconds in left.items() if seconds > 0}

    def counted(self) -> dict[str, int]:
        """Return how many calls of this process the endpoints got within a minute: those that have a share of a limit."""
        now = self.clock()
        shares = (state for state in self.states if state.endpoint.requests_per_minute is not None)
        return {state.endpoint.id: count for state in shares if (count := state.count(now))}

    def merge(self, reports: Mapping[str, PeerReport]) -> None:
        """Note what other processes report about the endpoints, by id; no report means that an endpoint is up."""
        now = self.clock()
        for state in self.states:
            report = reports.get(state.endpoint.id) or PeerReport()
            if report.down.keys() - state.peer_down_until.keys():
                state.successful_checks = 0
                state.goes_down(now)
            state.peer_down_until = {process: now + seconds for process, seconds in report.down.items()}
            state.locally_disproved &= report.down.keys()
            state.peer_calls = report.calls


Pick = Callable[[Sequence[State]], State]


def _round_robin(endpoints: Endpoints) -> Pick:
    """Each in turn, in the order of the specification: 1, 2, 3, 1, 2, 3."""

    def pick(candidates: Sequence[State]) -> State:
        order = endpoints.states
        start = order.index(endpoints.last) + 1 if endpoints.last is not None else 0
        return next(state for state in order[start:] + order[:start] if state in candidates)

    return pick


def _weighted(_: Endpoints) -> Pick:
    """In proportion to the weights, as evenly as they allow: the smooth weighted round robin of nginx.

    Each candidate earns its weight; the richest is chosen, and pays what all earned.
    """
    earned: defaultdict[str, int] = defaultdict(int)

    def pick(candidates: Sequence[State]) -> State:
        for state in candidates:
            earned[state.endpoint.id] += state.endpoint.weight
        richest = max(candidates, key=lambda state: earned[state.endpoint.id])
        earned[richest.endpoint.id] -= sum(state.endpoint.weight for state in candidates)
        return richest

    return pick


def _random(_: Endpoints) -> Pick:
    return random.choice


def _least_connections(endpoints: Endpoints) -> Pick:
    """The fewest calls in flight, in turn where several have as few; one that just failed comes after those that did not."""
    in_turn = _round_robin(endpoints)

    def pick(candidates: Sequence[State]) -> State:
        now = endpoints.clock()

        def load(state: State) -> tuple[bool, int]:
            return now < state.failed_at + RECENT_FAILURE_SECONDS, state.in_flight

        least = min(load(state) for state in candidates)
        return in_turn([state for state in candidates if load(state) == least])

    return pick


def _latency_based(_: Endpoints) -> Pick:
    """At random, each in proportion to 1 / latency squared: a slow endpoint gets little, and enough to notice its recovery."""

    def pick(candidates: Sequence[State]) -> State:
        fastest = min((state.latency for state in candidates if state.latency), default=1.0)
        weights = [max((fastest / (state.latency or fastest)) ** 2, MIN_LATENCY_SHARE) for state in candidates]
        return random.choices(candidates, weights)[0]  # noqa: S311

    return pick


STRATEGIES: dict[str, Callable[[Endpoints], Pick]] = {
    "round-robin": _round_robin,
    "weighted": _weighted,
    "random": _random,
    "least-connections": _least_connections,
    "latency-based": _latency_based,
}
