"""`python -m tools.scale.simulation`: limits over many replicas with one redis and its outage, by discrete events.

The counting is the gateway's own (limits/sliding_window.py, which decides as the scripts in redis do: a test compares them).
Simulated are time, arrivals, redis' single core and the network. A replica does as limits/redis_connection.py and
redis_window.py do: it asks redis before each request, gives up after ANSWER_TIMEOUT, then decides by what it alone has admitted
until a heartbeat succeeds, and then first tells redis all of it. Not simulated: batches of commands (each is charged for
alone), what a request tells redis at its end, cached answers, and the queue of a limit (what finds no room is refused).
"""

from __future__ import annotations

import random
from collections.abc import Generator
from dataclasses import dataclass, field
from typing import Any

import simpy

from langop_model.contract.settings import Limits
from langop_model.gateway.limits.redis_connection import ANSWER_TIMEOUT, HEARTBEAT_INTERVAL, READ_GRACE
from langop_model.gateway.limits.sliding_window import WINDOW, Reservation, SlidingWindow

OUTAGE = (90.0, 120.0)  # seconds
SEEDS = 5
Steps = Generator[simpy.Event, Any, None]


@dataclass(frozen=True)
class Scenario:
    """What is simulated. Rates are a second and of all replicas together, times in seconds; the limit is of a minute.

    `outage` is when redis goes down and when it is back (empty). `service` is redis' CPU for a question, `network` the rest of
    a round trip.
    """

    replicas: int
    offered: float
    limit: int
    seconds: float = 180.0
    outage: tuple[float, float] = (0.0, 0.0)
    service: float = 0.0001
    network: float = 0.0005
    seed: int = 1


@dataclass
class Result:
    """What came of it. `admitted` are the times of the requests that were let through, `waits` those of redis' answers."""

    scenario: Scenario
    offered: int = 0
    admitted: list[float] = field(default_factory=list)
    waits: list[float] = field(default_factory=list)
    alone: int = 0  # requests that a replica decided by itself
    times_down: int = 0  # how often a replica has given redis up

    def most_in_a_minute(self, since: float = 0.0, until: float = float("inf")) -> int:
        """Return the most requests that were let through within any minute that ends between two times."""
        times, first, most = self.admitted, 0, 0
        for last, at in enumerate(times):
            while times[first] <= at - WINDOW:
                first += 1
            if since <= at < until:
                most = max(most, last - first + 1)
        return most

    def wait(self, share: float) -> float:
        """Return a percentile of the seconds that redis took to answer."""
        found = sorted(self.waits)
        return found[min(len(found) - 1, int(len(found) * share))] if found else 0.0


class Redis:
    """One server: it answers one question after the other, unless it is down. `clock` is the simulation's."""

    def __init__(self, env: simpy.Environment, scenario: Scenario) -> None:
        self.env, self.scenario = env, scenario
        self.core = simpy.Resource(env, capacity=1)
        self.window = self._empty()
        self.known: set[int] = set()  # the replicas that have told it everything

    def _empty(self) -> SlidingWindow:
        return SlidingWindow(Limits(requests_per_minute=self.scenario.limit), lambda: self.env.now)

    @property
    def is_up(self) -> bool:
        """Whether it answers now."""
        down, back = self.scenario.outage
        return not down <= self.env.now < back

    def outage(self) -> Steps:
        """Lose everything when it goes down."""
        down, back = self.scenario.outage
        if back > down:
            yield self.env.timeout(down)
            self.window, self.known = self._empty(), set()

    def serve(self) -> Steps:
        """Take a question's share of the core, after those that came before."""
        with self.core.request() as turn:
            yield turn
            yield self.env.timeout(self.scenario.service)


class Replica:
    """One gateway with one worker."""

    def __init__(self, number: int, env: simpy.Environment, redis: Redis, result: Result) -> None:
        self.number, self.env, self.redis, self.result = number, env, redis, result
        self.scenario = result.scenario
        self.own = SlidingWindow(Limits(requests_per_minute=self.scenario.limit), lambda: env.now)
        self.up = True
        self.random = random.Random(f"{self.scenario.seed} {number}")

    def arrivals(self) -> Steps:
        """Requests at random times, at the replica's share of the rate."""
        while True:
            yield self.env.timeout(self.random.expovariate(self.scenario.offered / self.scenario.replicas))
            self.result.offered += 1
            self.env.process(self.request(f"{self.number}-{self.result.offered}"))

    def request(self, ticket: str) -> Steps:
        """Ask redis whether a request may pass, or decide alone where it does not answer in time."""
        began = self.env.now
        if self.up:
            question = self.env.process(self._ask())
            yield question | self.env.timeout(ANSWER_TIMEOUT + READ_GRACE)
            if question.processed and question.value:
                self.result.waits.append(self.env.now - began)
                self._tell_everything()
                if self._admit(self.redis.window, ticket):
                    self.own.settle(self.own.reserve(ticket, 0), 0, answered=True)
                return
            if self.up:
                self.up = False
                self.result.times_down += 1
        self.result.alone += 1
        self._admit(self.own, ticket)

    def _admit(self, window: SlidingWindow, ticket: str) -> bool:
        found = window.admit_now(ticket, 0)
        if not isinstance(found, Reservation):
            return False
        window.settle(found, 0, answered=True)
        self.result.admitted.append(self.env.now)
        return True

    def _ask(self) -> Generator[simpy.Event, Any, bool]:
        yield self.env.timeout(self.scenario.network)
        if not self.redis.is_up:
            return False
        yield from self.redis.serve()
        return self.redis.is_up

    def _tell_everything(self) -> None:
        """Add what redis does not know, as renew.lua does."""
        if self.number not in self.redis.known:
            self.redis.known.add(self.number)
            theirs, mine = self.redis.window.requests, self.own.requests
            assert theirs is not None
            assert mine is not None
            merged = {**mine.admitted, **theirs.admitted}
            theirs.admitted.clear()
            theirs.admitted.update(sorted(merged.items(), key=lambda entry: entry[1]))

    def heartbeat(self) -> Steps:
        """Try redis once a second, and tell it everything when it is back."""
        yield self.env.timeout(self.random.uniform(0, HEARTBEAT_INTERVAL))
        while True:
            question = self.env.process(self._ask())
            yield question
            if question.value and not self.up:
                self.up = True
                self.redis.known.discard(self.number)
                self._tell_everything()
            yield self.env.timeout(HEARTBEAT_INTERVAL)


def run(scenario: Scenario) -> Result:
    """Simulate it."""
    env, result = simpy.Environment(), Result(scenario)
    redis = Redis(env, scenario)
    env.process(redis.outage())
    for number in range(scenario.replicas):
        replica = Replica(number, env, redis, result)
        env.process(replica.arrivals())
        env.process(replica.heartbeat())
    env.run(until=scenario.seconds)
    return result


def main() -> None:
    """Print what becomes of limits, over SEEDS runs of each scenario, and when one redis is not enough."""
    down = OUTAGE[0]
    print("| replicas | offered a minute | limit | most in a minute before | with the outage | of the limit |")
    print("|---|---|---|---|---|---|")
    for replicas, offered, limit in ((3, 2.0, 60), (50, 2.0, 60), (50, 20.0, 600), (50, 100.0, 600), (50, 800.0, 600)):
        results = [run(Scenario(replicas, offered, limit, outage=OUTAGE, seed=seed)) for seed in range(SEEDS)]
        before = max(result.most_in_a_minute(until=down) for result in results)
        during = sorted(result.most_in_a_minute(since=down) for result in results)
        span = f"{during[0]:,} to {during[-1]:,} | {during[0] / limit:.1f} to {during[-1] / limit:.1f}"
        print(f"| {replicas} | {offered * 60:,.0f} | {limit:,} | {before:,} | {span} |")
    print("\n| questions a second, 50 replicas | redis answers in, p50 and p99, ms | decided without redis |\n|---|---|---|")
    for share in (0.1, 0.5, 0.8, 0.95, 1.1):
        scenario = Scenario(50, share / Scenario.service, 10**9, seconds=10.0)
        result = run(scenario)
        p50, p99 = (result.wait(part) * 1000 for part in (0.5, 0.99))
        print(f"| {scenario.offered:,.0f} | {p50:.1f}, {p99:.1f} | {result.alone / result.offered:.0%} |")


if __name__ == "__main__":
    main()
