"""The client of the redis (or valkey) that the environment names: one server, Sentinel, or a cluster.

The variables are those that LiteLLM documents for its cache, so that one set serves both: REDIS_URL, or REDIS_HOST with
REDIS_PORT, or REDIS_SENTINEL_NODES with REDIS_SERVICE_NAME, or REDIS_CLUSTER_NODES; and for each of them REDIS_USERNAME,
REDIS_PASSWORD, REDIS_DB, REDIS_SSL and REDIS_SSL_CA_CERTS. Nodes are JSON as in LiteLLM, or HOST:PORT with commas between.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

import hiredis
from redis.asyncio import Redis, RedisCluster
from redis.asyncio.cluster import ClusterNode
from redis.asyncio.connection import AbstractConnection
from redis.asyncio.retry import Retry
from redis.asyncio.sentinel import Sentinel
from redis.backoff import NoBackoff
from redis.exceptions import ConnectionError  # noqa: A004 - Python's own is an OSError

from langop_model.contract.environment import names_redis

log = logging.getLogger("langop.redis")

CONNECT_TIMEOUT = 1.0  # seconds
NODE_TIMEOUT = 1.0  # seconds until another node of a cluster, or another sentinel, is asked
PORT = 6379
SENTINEL_PORT = 26379
ADVICE = (
    "REDIS_URL is redis://USER:PASSWORD@HOST:PORT/DATABASE, with rediss:// for TLS; REDIS_PORT and REDIS_DB are numbers; "
    'REDIS_CLUSTER_NODES is [{"host": HOST, "port": PORT}], REDIS_SENTINEL_NODES is [[HOST, PORT]] with REDIS_SERVICE_NAME'
)

Client = Redis | RedisCluster


class _PackingScripts(AbstractConnection):
    """A connection that packs the many small arguments of scripts in C, as redis-py does where it is not asynchronous.

    That takes 3 µs of CPU for a request's question instead of 16, and a fifth of the time for what a scrape asks.
    """

    def pack_command(self, *args: Any) -> list[bytes]:
        """Return a command as redis reads it."""
        return [hiredis.pack_command(args)] if args[0] == "EVALSHA" else super().pack_command(*args)


def connect(environment: Mapping[str, str]) -> Client | None:
    """Return a client, which connects when it is first used; None where there is no redis, or none that can be read.

    What can't be read is logged without its value, which may hold a password.
    """
    if not names_redis(environment):
        return None
    try:
        return _client(environment)
    except (ValueError, TypeError, KeyError, OSError) as problem:
        log.error(
            "the variables REDIS_... can't be read (%s): "
            "each process enforces limits and cooldowns locally, and redis keeps no answers. %s",
            type(problem).__name__,
            ADVICE,
        )
        return None


def _client(environment: Mapping[str, str]) -> Client:
    options = _options(environment)
    if nodes := environment.get("REDIS_CLUSTER_NODES"):
        return _cluster(_nodes(nodes, PORT), options)
    client = _single(environment, options)
    kind = client.connection_pool.connection_class
    client.connection_pool.connection_class = type(kind.__name__, (_PackingScripts, kind), {})
    return client


def _single(environment: Mapping[str, str], options: dict[str, Any]) -> Redis:
    if nodes := environment.get("REDIS_SENTINEL_NODES"):
        return _behind_sentinel(_nodes(nodes, SENTINEL_PORT), environment, options)
    if url := environment.get("REDIS_URL"):
        client: Redis = Redis.from_url(url, **_beside_url(url, options))
        return client
    return Redis(host=environment["REDIS_HOST"], port=int(environment.get("REDIS_PORT") or PORT), **options)


def _options(environment: Mapping[str, str]) -> dict[str, Any]:
    """Return what holds for each kind of client."""
    given: dict[str, Any] = {name: environment.get(f"REDIS_{name.upper()}") for name in ("username", "password")}
    if _is_true(environment.get("REDIS_SSL")) or environment.get("REDIS_URL", "").startswith("rediss:"):
        given["ssl"] = True
        for name in ("ssl_ca_certs", "ssl_certfile", "ssl_keyfile", "ssl_cert_reqs"):
            given[name] = environment.get(f"REDIS_{name.upper()}")
        if checked := environment.get("REDIS_SSL_CHECK_HOSTNAME"):
            given["ssl_check_hostname"] = _is_true(checked)
    return {
        **{name: value for name, value in given.items() if value not in (None, "")},
        "db": int(environment.get("REDIS_DB") or 0),
        "socket_connect_timeout": CONNECT_TIMEOUT,
        "socket_timeout": None,  # RedisConnection bounds what a request waits
        "protocol": 2,
        # One retry, at once: a connection may have outlived its server. redis-py's own retries would take seconds.
        "retry": Retry(NoBackoff(), 1, supported_errors=(ConnectionError,)),
    }


def _beside_url(url: str, options: dict[str, Any]) -> dict[str, Any]:
    """Return the options that a URL does not state itself."""
    parts = urlsplit(url)
    _ = parts.port  # raises ValueError; redis-py would take a port that is no number for the default
    stated = {"username": parts.username, "password": parts.password, "db": parts.path.strip("/"), "ssl": "always"}
    return {name: value for name, value in options.items() if not stated.get(name)}


def _cluster(nodes: list[tuple[str, int]], options: dict[str, Any]) -> RedisCluster:
    if options.pop("db"):
        raise ValueError("a cluster has database 0 only")
    startup = [ClusterNode(host, port) for host, port in nodes]
    return RedisCluster(startup_nodes=startup, require_full_coverage=False, **{**options, "socket_timeout": NODE_TIMEOUT})


def _behind_sentinel(nodes: list[tuple[str, int]], environment: Mapping[str, str], options: dict[str, Any]) -> Redis:
    own = {
        "username": environment.get("REDIS_SENTINEL_USERNAME"),
        "password": environment.get("REDIS_SENTINEL_PASSWORD"),
        "socket_connect_timeout": CONNECT_TIMEOUT,
        "socket_timeout": NODE_TIMEOUT,
    }
    sentinel: Any = Sentinel(nodes, sentinel_kwargs=own)  # type: ignore[no-untyped-call]
    master: Redis = sentinel.master_for(environment["REDIS_SERVICE_NAME"], **options)
    return master


def _nodes(text: str, port: int) -> list[tuple[str, int]]:
    """Return hosts and ports of `[["h", 1]]`, `[{"host": "h", "port": 1}]` or `h:1,h:2`."""
    if not text.lstrip().startswith("["):
        pairs = [node.strip().rpartition(":") for node in text.split(",") if node.strip()]
        return [(host, int(number)) if host else (number, port) for host, _, number in pairs]
    nodes = json.loads(text)
    if not nodes:
        raise ValueError("no nodes")
    return [
        (str(node["host"]), int(node.get("port", port))) if isinstance(node, dict) else (str(node[0]), int(node[1]))
        for node in nodes
    ]


def _is_true(text: str | None) -> bool:
    return (text or "").strip().lower() in ("1", "true", "yes", "on")
