"""Which endpoint serves the next attempt: spec.loadBalancing.strategy, priorities, shares of a limit, and what is down."""

from __future__ import annotations

import math
import random
import time
from collections import deque
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field

from langop_model.gateway.admission import WINDOW
from langop_model.gateway.settings import Endpoint, Group

FAILURES_IN_A_ROW = 3  # until an endpoint is left out
LEFT_OUT = 30.0  # seconds until such an endpoint is tried again, if good checks do not return it before
DOUBTED = 5.0  # seconds after a failure in which least-connections prefers the others
SLOWEST = 0.02  # of the fastest endpoint's share: what latency-based gives to the slowest, to notice its recovery
SMOOTHING = 0.3  # weight of the newest latency in the average


@dataclass(slots=True)
class State:
    """What is known about one endpoint. `latency` is an average in seconds, None before the first answer.

    `good_checks` counts them in a row, since it was left out.
    """

    endpoint: Endpoint
    in_flight: int = 0
    latency: float | None = None
    failures: int = 0
    failed_at: float = -math.inf
    answered_at: float = -math.inf
    checked_at: float = -math.inf
    down_until: float = 0.0
    checked_down: bool = False
    good_checks: int = 0
    recent: deque[float] = field(default_factory=deque)

    def has_room(self, now: float) -> bool:
        """Whether its share of the requests of a minute is not used up."""
        while self.recent and self.recent[0] <= now - WINDOW:
            self.recent.popleft()
        share = self.endpoint.requests_per_minute
        return share is None or len(self.recent) < share

    def is_down(self, now: float) -> bool:
        """Whether checks or failures in a row say that it does not answer."""
        return self.checked_down or now < self.down_until


class Endpoints:
    """The endpoints of one group. One event loop uses it; nothing here waits."""

    def __init__(self, group: Group, clock: Callable[[], float] = time.monotonic) -> None:
        self.states = [State(endpoint) for endpoint in group.endpoints]
        self.by_id = {state.endpoint.id: state for state in self.states}
        self.pick = STRATEGIES[group.strategy](self)
        self.clock = clock
        self.last: State | None = None

    def choose(self, tried: Collection[str] = ()) -> State | None:
        """Return the endpoint for the next call, and count the call; None when all were `tried`.

        The highest priority that is up and has room in its share comes first. When nothing is up, everything is tried;
        when no share has room, the highest priority gets the call, because another endpoint is down and leaves room.
        """
        now = self.clock()
        left = [state for state in self.states if state.endpoint.id not in tried]
        if not left:
            return None
        up = [state for state in left if not state.is_down(now)] or left
        roomy = [state for state in up if state.has_room(now)] or up
        first = min(state.endpoint.priority for state in roomy)
        chosen = self.pick([state for state in roomy if state.endpoint.priority == first])
        self.last = chosen
        chosen.recent.append(now)
        chosen.in_flight += 1
        return chosen

    def forget(self, state: State) -> None:
        """Take back the last count of a call that never left: a cache answered it."""
        if state.recent:
            state.recent.pop()

    def answered(self, state: State, seconds: float) -> None:
        """Note that an answer began `seconds` after the call."""
        state.failures, state.failed_at, state.down_until = 0, -math.inf, 0.0
        state.answered_at = self.clock()
        state.latency = seconds if state.latency is None else SMOOTHING * seconds + (1 - SMOOTHING) * state.latency

    def failed(self, state: State) -> None:
        """Note a failure that was the endpoint's fault. After several in a row it is left out for a while."""
        state.failures += 1
        state.failed_at = self.clock()
        if state.failures >= FAILURES_IN_A_ROW and len(self.states) > 1:
            state.down_until = state.failed_at + LEFT_OUT
            state.good_checks = 0

    def returned(self, state: State) -> None:
        """Note that checks have shown an endpoint to be there again."""
        state.failures, state.failed_at, state.down_until, state.checked_down = 0, -math.inf, 0.0, False

    def released(self, state: State) -> None:
        """Note the end of a call: for a stream, its last part."""
        state.in_flight -= 1


Pick = Callable[[Sequence[State]], State]


def _round_robin(endpoints: Endpoints) -> Pick:
    """Each in turn, in the order of the specification: 1, 2, 3, 1, 2, 3."""

    def pick(candidates: Sequence[State]) -> State:
        order = endpoints.states
        start = order.index(endpoints.last) + 1 if endpoints.last in order else 0
        turn = order[start:] + order[:start]
        return next(state for state in turn if any(state is candidate for candidate in candidates))

    return pick


def _weighted(_: Endpoints) -> Pick:
    """In proportion to the weights, as evenly as they allow: the smooth weighted round robin of nginx.

    Each candidate earns its weight; the richest is chosen, and pays what all earned.
    """
    earned: dict[str, int] = {}

    def pick(candidates: Sequence[State]) -> State:
        for state in candidates:
            earned[state.endpoint.id] = earned.get(state.endpoint.id, 0) + state.endpoint.weight
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
            return now < state.failed_at + DOUBTED, state.in_flight

        least = min(load(state) for state in candidates)
        return in_turn([state for state in candidates if load(state) == least])

    return pick


def _latency_based(_: Endpoints) -> Pick:
    """At random, each in proportion to 1 / latency squared: a slow endpoint gets little, and enough to notice its recovery."""

    def pick(candidates: Sequence[State]) -> State:
        fastest = min((state.latency for state in candidates if state.latency), default=1.0)
        weights = [max((fastest / (state.latency or fastest)) ** 2, SLOWEST) for state in candidates]
        return random.choices(candidates, weights)[0]  # noqa: S311

    return pick


STRATEGIES: dict[str, Callable[[Endpoints], Pick]] = {
    "round-robin": _round_robin,
    "weighted": _weighted,
    "random": _random,
    "least-connections": _least_connections,
    "latency-based": _latency_based,
}
