"""Answers in memcached, on one server or several.

memcachio talks to it: the client for asyncio that is typed, pipelines requests on a connection and bounds the time to connect.
aiomcache has no timeouts and needs a connection for each request in flight; emcache is compiled, and may wait a minute
before it tries a server again; pymemcache blocks.

A server that is down or hangs has no answers. The first request waits TIMEOUT at most; then the circuit is open, and only a
probe asks, until it succeeds.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
import time
from collections.abc import Coroutine, Mapping, Sequence
from typing import Any, TypeVar

from memcachio import Client
from memcachio.errors import MemcachedError, MemcachioConnectionError

from langop_model.gateway.caching.backend import MEGABYTE, TIMEOUT

log = logging.getLogger("langop.memcached")

PORT = 11211
PROBE_INTERVAL = 1.0  # seconds
PROBE_TIMEOUT = 1.0  # seconds
# memcached refuses items above 1 MB with their key and its own 50 bytes, unless it is started with another -I.
MAX_ENTRY_SIZE = MEGABYTE - 1024
RELATIVE = 30 * 24 * 3600  # seconds; memcached takes a larger lifetime for a date
DIGEST_BYTES = 32
FAILURES = (OSError, TimeoutError, MemcachedError, MemcachioConnectionError)

T = TypeVar("T")


def servers(environment: Mapping[str, str]) -> list[tuple[str, int]]:
    """Return the servers of MEMCACHED_SERVERS (HOST:PORT with commas between), or of MEMCACHED_HOST and MEMCACHED_PORT.

    Raises ValueError where a port is no number.
    """
    text = environment.get("MEMCACHED_SERVERS", "")
    if text.strip():
        pairs = [server.strip().rpartition(":") for server in text.split(",") if server.strip()]
        return [(host, int(port)) if host else (port, PORT) for host, _, port in pairs]
    host = environment.get("MEMCACHED_HOST", "")
    return [(host, int(environment.get("MEMCACHED_PORT") or PORT))] if host else []


class MemcachedBackend:
    """Entries on several servers, each key on one of them. One event loop uses it."""

    max_entry = MAX_ENTRY_SIZE

    def __init__(self, places: Sequence[tuple[str, int]]) -> None:
        self.servers = [_Server(place) for place in places]

    async def get(self, key: str) -> bytes | None:
        """Return an entry; None where there is none, or memcached does not answer in time."""
        server, name = self._place(key)
        return await server.get(name) if server.up else None

    def put(self, key: str, entry: bytes, ttl: float | None) -> None:
        """Keep an entry, unless memcached is down or full."""
        server, name = self._place(key)
        if server.up:
            server.task(server.put(name, entry, _lifetime(ttl)))

    def _place(self, key: str) -> tuple[_Server, str]:
        """Return the server of a key, and the key as memcached takes it: at most 250 bytes without spaces."""
        digest = hashlib.blake2b(key.encode(), digest_size=DIGEST_BYTES)
        return self.servers[digest.digest()[0] % len(self.servers)], f"langop:{digest.hexdigest()}"


class _Server:
    """One server, and its circuit."""

    def __init__(self, place: tuple[str, int]) -> None:
        self.place = place
        self.client = self._connected()
        self.up = True
        self.tasks: set[asyncio.Task[Any]] = set()

    async def get(self, name: str) -> bytes | None:
        try:
            found = await self._asked(self.client.get(name), TIMEOUT)
        except FAILURES as problem:
            self._went_down(problem)
            return None
        item = found.get(name.encode())
        return bytes(item.value) if item is not None else None

    async def put(self, name: str, entry: bytes, lifetime: int) -> None:
        try:
            await self._asked(self.client.set(name, entry, expiry=lifetime), PROBE_TIMEOUT)
        except MemcachedError as problem:  # it does not take this entry, perhaps for its size
            log.warning("memcached did not keep an answer of %s bytes (%s)", len(entry), type(problem).__name__)
        except FAILURES as problem:
            self._went_down(problem)

    def task(self, work: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
        task = asyncio.get_running_loop().create_task(work)
        self.tasks.add(task)  # the event loop keeps no task
        task.add_done_callback(self.tasks.discard)
        return task

    async def _asked(self, question: Coroutine[Any, Any, T], within: float) -> T:
        """Return the answer. The question goes on where its client leaves: memcachio would not get its connection back."""
        asking = self.task(question)
        done, _ = await asyncio.wait({asking}, timeout=within)
        if not done:
            asking.cancel()
            raise TimeoutError(f"no answer within {within:g} s")
        return asking.result()

    def _connected(self) -> Client[bytes]:
        """Return a new client. Nothing in it waits longer than what is asked of it here."""
        return Client(self.place, decode_responses=False, connect_timeout=PROBE_TIMEOUT, min_connections=0)

    def _went_down(self, problem: BaseException) -> None:
        if self.up:
            self.up = False
            log.warning("memcached is unreachable: answers are neither found nor kept until it is back (%s)", _said(problem))
            self.client.connection_pool.close()  # an answer that comes late must not be taken for the next one's
            self.task(self._probe())

    async def _probe(self) -> None:
        while not self.up:
            await asyncio.sleep(PROBE_INTERVAL)
            client = self._connected()
            try:
                await self._asked(client.get("langop:probe"), PROBE_TIMEOUT)
            except FAILURES:
                client.connection_pool.close()
            else:
                self.client, self.up = client, True
                log.info("memcached is reachable again")


def _lifetime(ttl: float | None) -> int:
    """Return whole seconds, at least one; 0 is without end."""
    if ttl is None:
        return 0
    seconds = max(1, round(ttl))
    return seconds if seconds <= RELATIVE else int(time.time()) + seconds


def _said(problem: BaseException) -> str:
    return f"{type(problem).__name__}: {problem}" if str(problem) else type(problem).__name__
