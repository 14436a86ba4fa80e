"""The redis that several processes share: whether it is reachable, and the scripts that run in it.

A redis that is down loses no request and delays none: who asks gets RedisUnavailableError and counts locally. While it is
down only the heartbeat asks it; when it is back, each process first tells it what it has counted.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import secrets
from collections.abc import Coroutine, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import ConnectionError, RedisError  # noqa: A004 - Python's own is an OSError

if TYPE_CHECKING:
    from redis.asyncio import Redis

log = logging.getLogger("langop.redis")

HEARTBEAT_INTERVAL = 1.0  # seconds between two heartbeats; how old another process's word on an endpoint may be
STATE_TTL = 600  # seconds that redis has_state a process which says nothing
ANSWER_TIMEOUT = 2.0  # seconds; one request waits so long, once, when redis is there and does not answer
READ_GRACE = 0.2  # seconds to read what came while the event loop was busy: LiteLLM's first request takes a second of it
LUA = Path(__file__).with_name("lua")
SCRIPTS = {
    **{name: ("common.lua", f"{name}.lua") for name in ("admit", "settle", "renew", "withdraw")},
    **{name: (f"{name}.lua",) for name in ("report", "presence")},
}


class RedisUnavailableError(Exception):
    """Redis is unreachable, or does not answer in time."""


class HeartbeatListener(Protocol):
    """What the heartbeat looks after."""

    async def beat(self, has_state: bool) -> None:
        """Tell redis what it must know by now, or everything if it does not remember. Raises RedisUnavailableError."""


class RedisConnection:
    """A connection to redis for one process. One event loop uses it."""

    def __init__(self, client: Redis) -> None:
        # Once more, at once: a connection may have outlived its server. redis-py's own retries would take seconds.
        client.set_retry(Retry(NoBackoff(), 1, supported_errors=(ConnectionError,)))
        self.client = client
        self.process = secrets.token_hex(6)
        self.presence_key = f"langop:process:{self.process}"  # in redis for as long as it has lost nothing
        self.up = True
        self.listeners: list[HeartbeatListener] = []
        self.tasks: set[asyncio.Task[Any]] = set()
        self.scripts = {name: client.register_script(_text(*parts)) for name, parts in SCRIPTS.items()}

    async def run(self, script: str, keys: Sequence[str], arguments: Sequence[str | int | float]) -> Any:
        """Return what a script of the folder lua returns. Raises RedisUnavailableError, at once while it is down."""
        if not self.up:
            raise RedisUnavailableError
        return await self._ask(script, keys, arguments)

    async def _ask(self, script: str, keys: Sequence[str], arguments: Sequence[str | int | float]) -> Any:
        asking = self.task(self.scripts[script](keys=list(keys), args=list(arguments)))
        done, _ = await asyncio.wait({asking}, timeout=ANSWER_TIMEOUT)
        if not done:  # the answer may be there, and this process too busy to have read it
            done, _ = await asyncio.wait({asking}, timeout=READ_GRACE)
        if not done:
            asking.cancel()
            self._lost(f"no answer within {ANSWER_TIMEOUT:g} s")
            raise RedisUnavailableError
        try:
            return asking.result()
        except (RedisError, OSError) as problem:
            self._lost(f"{type(problem).__name__}: {problem}")
            raise RedisUnavailableError from None

    def task(self, work: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
        """Start work that ends even if nobody waits for it."""
        task = asyncio.get_running_loop().create_task(work)
        self.tasks.add(task)  # the event loop keeps no task
        task.add_done_callback(self.tasks.discard)
        return task

    def start(self) -> None:
        """Let the heart beat as long as the event loop runs; where none runs, nobody serves."""
        with contextlib.suppress(RuntimeError):
            asyncio.get_running_loop()
            self.task(self._beat_forever())
            log.info("limits and cooldowns are shared through redis")

    async def _beat_forever(self) -> None:
        while True:
            await asyncio.sleep(HEARTBEAT_INTERVAL)
            try:
                await self.beat()
            except RedisUnavailableError:
                continue
            except Exception:  # it must not stop
                log.exception("a heartbeat failed")

    async def beat(self) -> None:
        """Look whether redis is there and what it has_state; tell it what it must know. Raises RedisUnavailableError."""
        has_state = bool(await self._ask("presence", [self.presence_key], [STATE_TTL]))
        if not self.up:
            self.up = True
            log.warning("redis is reachable again: limits and cooldowns are shared")
        for member in self.listeners:
            await member.beat(has_state)

    def _lost(self, reason: str) -> None:
        if self.up:
            self.up = False
            log.warning(
                "redis is unreachable: each process enforces limits and cooldowns locally until it is back (%s)", reason
            )


def _text(*names: str) -> str:
    return "".join((LUA / name).read_text(encoding="utf-8") for name in names)
