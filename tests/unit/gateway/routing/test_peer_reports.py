"""What processes tell each other about endpoints, through a real redis."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Sequence
from typing import Any, TypeVar, cast

from langop_model.contract.settings import Endpoint, Group
from langop_model.gateway.limits.redis_connection import RedisConnection
from langop_model.gateway.routing.endpoints import FAILURES_IN_A_ROW, Endpoints
from langop_model.gateway.routing.peer_reports import PeerReports
from tests.live.redis_server import RedisServer
from tests.unit.gateway.limits.processes import connection

T = TypeVar("T")


class Process:
    """One process that serves models of two endpoints each, `name/a` and `name/b`."""

    def __init__(self, server: RedisServer, *names: str, namespace: str = "team") -> None:
        self.redis: RedisConnection = connection(server)
        self.models = {
            name: Endpoints(Group(name, name, tuple(Endpoint(f"{name}/{letter}", requests_per_minute=5) for letter in "ab")))
            for name in names
        }
        PeerReports(self.redis, namespace, list(self.models.values()))

    def fail(self, model: str, letter: str = "a") -> None:
        """Find an endpoint down."""
        for _ in range(FAILURES_IN_A_ROW):
            self.models[model].failed(self.models[model].by_id[f"{model}/{letter}"], "timeout", 504)

    def up(self, model: str) -> set[str]:
        """Return the endpoints that are in use."""
        endpoints = self.models[model]
        return {name for name, state in endpoints.by_id.items() if not state.is_down(endpoints.clock())}


def run(scene: Coroutine[Any, Any, T]) -> T:
    return asyncio.run(scene)


async def _talk(*processes: Process) -> None:
    for process in processes:
        await process.redis.beat()


def test_what_one_process_finds_down_another_leaves_out(server: RedisServer):
    async def scene() -> tuple[set[str], set[str]]:
        first, second = Process(server, "one", "two"), Process(server, "two", "one")
        first.fail("one")
        await _talk(first, second)
        return second.up("one"), second.up("two")

    assert run(scene()) == ({"one/b"}, {"two/a", "two/b"})


def test_what_is_up_again_is_used_again(server: RedisServer):
    async def scene() -> list[set[str]]:
        first, second = Process(server, "one"), Process(server, "one")
        first.fail("one")
        await _talk(first, second)
        seen = [second.up("one")]
        first.models["one"].returned(first.models["one"].by_id["one/a"])
        await _talk(first, second)
        return [*seen, second.up("one")]

    assert run(scene()) == [{"one/b"}, {"one/a", "one/b"}]


def test_a_process_does_not_take_its_own_word_for_anothers(server: RedisServer):
    async def scene() -> set[str]:
        first = Process(server, "one")
        first.fail("one")
        await _talk(first)
        state = first.models["one"].by_id["one/a"]
        first.models["one"].answered(state, 0.1)
        return first.up("one")

    assert run(scene()) == {"one/a", "one/b"}


def test_the_same_model_of_another_namespace_hears_nothing(server: RedisServer):
    async def scene() -> set[str]:
        first, second = Process(server, "one"), Process(server, "one", namespace="elsewhere")
        first.fail("one")
        await _talk(first, second)
        return second.up("one")

    assert run(scene()) == {"one/a", "one/b"}


def test_what_only_a_dead_process_said_is_forgotten(server: RedisServer):
    async def scene() -> int:
        first, second = Process(server, "one"), Process(server, "one")
        first.models["one"].by_id["one/a"].checked_down = True
        await _talk(first, second)
        assert second.up("one") == {"one/b"}
        return int(server.client.zscore("langop:team:endpoints", f"{first.redis.process} down one/a") or 0) - _now(server)

    assert 0 < run(scene()) <= 5000


def _now(server: RedisServer) -> int:
    seconds, microseconds = server.client.time()
    return int(seconds) * 1000 + int(microseconds) // 1000


def test_a_redis_that_restarts_hears_it_again(server: RedisServer):
    async def scene() -> set[str]:
        first, second = Process(server, "one"), Process(server, "one")
        first.fail("one")
        await _talk(first)
        server.client.flushall()
        await _talk(first, second)
        return second.up("one")

    assert run(scene()) == {"one/b"}


def test_calls_of_one_process_use_up_a_share_for_the_other(server: RedisServer):
    async def scene() -> list[dict[str, int]]:
        first, second = Process(server, "one"), Process(server, "one")
        seen = []
        for calls in (3, 1):
            for _ in range(calls):
                first.models["one"].choose({"one/b"})
            await _talk(first, second)
            seen.append({name: state.peer_calls for name, state in second.models["one"].by_id.items()})
        return seen

    assert run(scene()) == [{"one/a": 3, "one/b": 0}, {"one/a": 4, "one/b": 0}]


# What the reports of several processes mean.


class Reported:
    """A connection whose script `report` answers with entries of other processes, and keeps what it was given."""

    process = "here"

    def __init__(self, **entries: int) -> None:
        self.listeners: list[object] = []
        self.entries = {name.replace("__", " ").replace("_", "/"): milliseconds for name, milliseconds in entries.items()}
        self.given: list[tuple[Sequence[str], Sequence[Any]]] = []

    async def run(self, script: str, keys: Sequence[str], arguments: Sequence[Any]) -> list[Any]:
        assert script == "report"
        self.given.append((keys, arguments))
        return [part for entry, milliseconds in self.entries.items() for part in (entry.encode(), milliseconds)]


def heard(*endpoints: str, **entries: int) -> tuple[Reported, Endpoints]:
    """Return a connection and endpoints after one heartbeat."""
    redis = Reported(**entries)
    model = Endpoints(Group("m", "m", tuple(Endpoint(name, requests_per_minute=5) for name in endpoints)), lambda: 1000.0)
    reports = PeerReports(cast("RedisConnection", redis), "team", [model])
    assert redis.listeners == [reports]
    asyncio.run(reports.beat(has_state=True))
    return redis, model


def test_each_process_is_believed_for_as_long_as_its_report_holds():
    _, model = heard("m/0", "m/1", one__down__m_0=2500, here__down__m_0=9000, two__down__m_0=500, two__down__m_1=4000)
    assert [state.peer_down_until for state in model.states] == [{"one": 1002.5, "two": 1000.5}, {"two": 1004.0}]


def test_calls_of_others_add_up_and_own_ones_are_not_counted_twice():
    _, model = heard("m/0", "m/1", one__3__m_0=5000, here__9__m_0=5000, two__4__m_0=5000, two__1__m_1=5000)
    assert [state.peer_calls for state in model.states] == [7, 1]


def test_an_endpoint_may_have_spaces_in_its_name():
    """Entries of model_list that are written by hand have any name."""
    _, model = heard("my own model/0", one__down__my__own__model_0=5000)
    assert model.states[0].peer_down_until == {"one": 1005.0}


def test_a_report_is_what_is_so_here_and_what_is_so_no_longer():
    redis, model = heard("m/0", "m/1")
    state = model.states[0]
    reports = cast("PeerReports", redis.listeners[0])
    state.checked_down = True
    model.choose({"m/0"})
    asyncio.run(reports.beat(has_state=True))
    state.checked_down = False
    asyncio.run(reports.beat(has_state=True))
    asyncio.run(reports.beat(has_state=True))
    assert redis.given == [
        (["langop:team:endpoints"], ["here", 0]),
        (["langop:team:endpoints"], ["here", 2, "down m/0", 5000, "1 m/1", 5000]),
        (["langop:team:endpoints"], ["here", 1, "1 m/1", 5000, "down m/0"]),
        (["langop:team:endpoints"], ["here", 1, "1 m/1", 5000]),
    ]
