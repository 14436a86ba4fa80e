"""Where redis is, and each way in which people run it."""

from __future__ import annotations

import asyncio
import contextlib
import json
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import hiredis
import pytest
from redis.asyncio import Connection, Redis

from langop_model.contract.settings import Limits
from langop_model.gateway import redis_client
from langop_model.gateway.limits.redis_connection import RedisConnection
from langop_model.gateway.limits.redis_lane import RedisUnavailableError
from langop_model.gateway.limits.redis_window import RedisWindow
from langop_model.gateway.limits.sliding_window import Reservation
from tests.live import redis_kinds
from tests.live.redis_kinds import PASSWORD, Node
from tests.live.redis_server import RedisServer
from tests.unit.gateway.conftest import redis_program
from tests.unit.gateway.limits.processes import PATIENT

LATER = 30.0  # seconds


@pytest.fixture(autouse=True)
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A busy machine needs more than a second for a TLS handshake; what a request waits is tested elsewhere."""
    monkeypatch.setattr(redis_client, "CONNECT_TIMEOUT", PATIENT)


@pytest.fixture(scope="module")
def with_tls() -> str:
    """A server that was built with TLS: the package's valkey is not."""
    return redis_program()


@pytest.fixture(scope="session")
def cluster(program: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Node]]:
    with redis_kinds.cluster(program, tmp_path_factory.mktemp("cluster")) as nodes:
        yield nodes


def connection(environment: Mapping[str, str]) -> RedisConnection:
    client = redis_client.connect(environment)
    assert client is not None
    return RedisConnection(client, PATIENT)


def databases_with_a_process(server: RedisServer, **variables: object) -> list[int]:
    """Let a process that has just started set its key; return the databases in which it did."""
    environment = {f"REDIS_{name}": str(value) for name, value in variables.items()}
    asyncio.run(connection(environment).beat())
    return [int(name[2:]) for name in server.client.info("keyspace")]


async def admitted(redis: RedisConnection, name: str, count: int, limit: int = 3) -> int:
    """Return how many of so many requests of a new process are admitted."""
    window = RedisWindow(redis, name, Limits(requests_per_minute=limit))
    found = [await window.admit(f"{redis.process}-{number}", None, 0) for number in range(count)]
    return sum(isinstance(each, Reservation) for each in found)


def shared(environment: Mapping[str, str], name: str = "team/model") -> tuple[int, int]:
    """Return how many of five requests each of two processes admits with a limit of three."""

    async def scene() -> tuple[int, int]:
        processes = [connection(environment) for _ in range(2)]
        for each in processes:
            with contextlib.suppress(RedisUnavailableError):  # where there is none
                await each.beat()  # as a process does when it starts: a request waits for a connection less long
        first, second = processes
        return await admitted(first, name, 5), await admitted(second, name, 5)

    return asyncio.run(scene())


# One server.


def test_without_a_redis_there_is_no_client():
    assert redis_client.connect({"REDIS_PORT": "6379"}) is None


def test_host_port_and_password_are_enough(server: RedisServer):
    assert databases_with_a_process(server, HOST="127.0.0.1", PORT=server.port, PASSWORD=server.password) == [0]


def test_user_and_database_are_heeded(server: RedisServer):
    server.client.acl_setuser("gateway", enabled=True, passwords=["+not-a-real-one-1"], categories=["+@all"], keys=["langop:*"])
    found = databases_with_a_process(
        server, HOST="127.0.0.1", PORT=server.port, USERNAME="gateway", PASSWORD="not-a-real-one-1", DB=3
    )
    assert found == [3]


@pytest.mark.parametrize("beside", [{}, {"DB": 5, "PASSWORD": "wrong-one-1"}])
def test_a_url_says_it_all(server: RedisServer, beside: dict[str, object]):
    url = f"redis://:{server.password}@127.0.0.1:{server.port}/2"
    assert databases_with_a_process(server, URL=url, **beside) == [2]


def test_a_url_without_a_password_takes_the_variables(server: RedisServer):
    url = f"redis://127.0.0.1:{server.port}"
    assert databases_with_a_process(server, URL=url, PASSWORD=server.password, DB=4) == [4]


@pytest.mark.parametrize(
    "variables",
    [
        {"URL": "not-a-scheme://:secret-4711@h:1/0"},
        {"URL": "redis://:secret-4711@h:secret-4711/0"},
        {"HOST": "h", "PORT": "secret-4711"},
        {"HOST": "h", "DB": "secret-4711"},
        {"CLUSTER_NODES": '[{"secret-4711": 1}]'},
        {"CLUSTER_NODES": "[secret-4711"},
        {"CLUSTER_NODES": "h:1", "DB": "1"},
        {"SENTINEL_NODES": "h:1"},
    ],
)
def test_what_cant_be_read_is_said_without_its_value(variables: dict[str, str], caplog: pytest.LogCaptureFixture):
    assert redis_client.connect({f"REDIS_{name}": value for name, value in variables.items()}) is None
    assert "redis://USER:PASSWORD@HOST:PORT/DATABASE" in caplog.text
    assert "secret-4711" not in caplog.text


@pytest.mark.parametrize(
    "variables",
    [
        {"HOST": "h"},
        {"HOST": "h", "SSL": "true"},
        {"URL": "redis://h"},
        {"URL": "rediss://h"},
        {"SENTINEL_NODES": "h:1", "SERVICE_NAME": "s"},
    ],
)
def test_scripts_are_packed_in_c(variables: dict[str, str], monkeypatch: pytest.MonkeyPatch):
    """To the bytes that redis-py would send; other commands, which may have a large value, by redis-py."""
    client = redis_client.connect({f"REDIS_{name}": value for name, value in variables.items()})
    assert isinstance(client, Redis)
    pool: Any = client.connection_pool
    sent = pool.make_connection()
    packed: list[Any] = []
    pack: Callable[[tuple[Any, ...]], bytes] = hiredis.pack_command

    def noted(command: tuple[Any, ...]) -> bytes:
        packed.append(command[0])
        return pack(command)

    monkeypatch.setattr(hiredis, "pack_command", noted)
    for command in (
        ("EVALSHA", "0" * 40, 2, "k\u00e9y", b"\xff key", -1, 0.25, "a b"),
        ("SET", "key", b"value " * 9000, "PX", 5),
    ):
        assert b"".join(sent.pack_command(*command)) == b"".join(Connection().pack_command(*command))
    assert packed == ["EVALSHA"]


def test_the_timeout_of_litellms_cache_is_not_that_of_the_limits():
    client = redis_client.connect({"REDIS_HOST": "127.0.0.1", "REDIS_SOCKET_TIMEOUT": "0.1"})
    assert isinstance(client, Redis)
    assert client.connection_pool.connection_kwargs["socket_timeout"] is None


# TLS.


@pytest.mark.parametrize("way", ["url", "variables"])
def test_tls_with_a_certificate(with_tls: str, tmp_path: Path, way: str):
    with redis_kinds.with_tls(with_tls, tmp_path) as (node, certificate):
        by_url = {"REDIS_URL": f"rediss://:{PASSWORD}@127.0.0.1:{node.port}/0"}
        by_variables = {
            "REDIS_HOST": "127.0.0.1", "REDIS_PORT": str(node.port), "REDIS_PASSWORD": PASSWORD, "REDIS_SSL": "true",
        }  # fmt: skip
        environment = {**(by_url if way == "url" else by_variables), "REDIS_SSL_CA_CERTS": str(certificate)}
        assert shared(environment) == (3, 0)


def test_a_certificate_that_nobody_vouches_for_is_an_outage(with_tls: str, tmp_path: Path):
    with redis_kinds.with_tls(with_tls, tmp_path) as (node, _):
        environment = {"REDIS_URL": f"rediss://:{PASSWORD}@127.0.0.1:{node.port}/0"}
        assert shared(environment) == (3, 3)


# A cluster.

FORMS: dict[str, Callable[[list[Node]], str]] = {
    "as-litellm": lambda nodes: json.dumps([{"host": "127.0.0.1", "port": node.port} for node in nodes]),
    "pairs": lambda nodes: json.dumps([["127.0.0.1", node.port] for node in nodes]),
    "plain": lambda nodes: ",".join(f"127.0.0.1:{node.port}" for node in nodes),
    "one-node": lambda nodes: f"127.0.0.1:{nodes[1].port}",
}


def cluster_variables(nodes: list[Node], form: str = "plain") -> dict[str, str]:
    return {"REDIS_CLUSTER_NODES": FORMS[form](nodes), "REDIS_PASSWORD": PASSWORD}


@pytest.mark.parametrize("form", FORMS)
def test_processes_share_limits_through_a_cluster(cluster: list[Node], form: str):
    for number in range(3):  # models of different nodes
        assert shared(cluster_variables(cluster, form), f"team/{form}-{number}") == (3, 0)


def test_models_of_all_nodes_in_one_batch(cluster: list[Node]):
    async def scene() -> list[int]:
        redis = connection(cluster_variables(cluster))
        return await asyncio.gather(*(admitted(redis, f"batch/{number}", 5) for number in range(20)))

    assert asyncio.run(scene()) == [3] * 20


def test_a_cluster_that_loses_a_node_loses_no_request(program: str, tmp_path: Path):
    with redis_kinds.cluster(program, tmp_path) as nodes:

        async def scene() -> tuple[int, int, bool]:
            redis = connection(cluster_variables(nodes))
            before = sum([await admitted(redis, f"lost/{number}", 5) for number in range(9)])
            nodes[1].stop()
            after = sum([await admitted(redis, f"found/{number}", 5) for number in range(9)])
            nodes[1].start()
            deadline = time.monotonic() + LATER
            while time.monotonic() < deadline and not redis.up:
                await asyncio.sleep(0.1)
                try:
                    await redis.beat()
                except RedisUnavailableError:
                    continue
            return before, after, redis.up

        assert asyncio.run(scene()) == (27, 27, True)


# Sentinel.


def test_a_master_behind_a_sentinel_and_the_next_one(program: str, tmp_path: Path):
    with redis_kinds.behind_sentinel(program, tmp_path) as (nodes, port):
        environment = {
            "REDIS_SENTINEL_NODES": json.dumps([["127.0.0.1", port]]),
            "REDIS_SERVICE_NAME": "main",
            "REDIS_PASSWORD": PASSWORD,
        }
        assert shared(environment) == (3, 0)

        async def scene() -> tuple[int, bool, int]:
            redis = connection(environment)
            await redis.beat()
            nodes[0].stop()
            alone = await admitted(redis, "team/other", 5)
            deadline = time.monotonic() + LATER
            while time.monotonic() < deadline:
                await asyncio.sleep(0.2)
                try:
                    await redis.beat()
                    break
                except RedisUnavailableError:
                    continue
            return alone, redis.up, await admitted(redis, "team/next", 5)

        assert asyncio.run(scene()) == (3, True, 3)
