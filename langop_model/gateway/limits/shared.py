"""The redis that several processes share: whether it is there, and what is told to it in the background.

A redis that is down loses no request and holds none up: whoever asks gets `Lost` and counts alone. While it is down, only the
heartbeat asks; when it is back, it is told first what each process knows.
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

BEAT = 1.0  # seconds between two heartbeats; how old another process's word on an endpoint may be
REMEMBERED = 600  # seconds that redis remembers a process which says nothing
ANSWER_WITHIN = 2.0  # seconds; one request waits so long, once, when redis is there and does not answer
READ_WITHIN = 0.2  # seconds to read what came while the event loop was busy: LiteLLM's first request takes a second of it
LUA = Path(__file__).with_name("lua")
SCRIPTS = {
    **{name: ("common.lua", f"{name}.lua") for name in ("admit", "leave", "renew", "withdraw")},
    **{name: (f"{name}.lua",) for name in ("exchange", "mark")},
}


class Lost(Exception):
    """Redis is not there."""


class Member(Protocol):
    """What the heartbeat looks after."""

    async def beat(self, remembers: bool) -> None:
        """Tell redis what it must know by now, or everything if it does not remember. Raises Lost."""


class Shared:
    """A connection to redis for one process. One event loop uses it."""

    def __init__(self, client: Redis) -> None:
        # Once more, at once: a connection may have outlived its server. redis-py's own retries would take seconds.
        client.set_retry(Retry(NoBackoff(), 1, supported_errors=(ConnectionError,)))
        self.client = client
        self.process = secrets.token_hex(6)
        self.mark = f"langop:process:{self.process}"  # in redis for as long as it has lost nothing
        self.up = True
        self.members: list[Member] = []
        self.tasks: set[asyncio.Task[Any]] = set()
        self.scripts = {name: client.register_script(_text(*parts)) for name, parts in SCRIPTS.items()}

    async def run(self, script: str, keys: Sequence[str], arguments: Sequence[str | int | float]) -> Any:
        """Return what a script of the folder lua returns. Raises Lost, at once where it is known that redis is not there."""
        if not self.up:
            raise Lost
        return await self._ask(script, keys, arguments)

    async def _ask(self, script: str, keys: Sequence[str], arguments: Sequence[str | int | float]) -> Any:
        asking = self.task(self.scripts[script](keys=list(keys), args=list(arguments)))
        done, _ = await asyncio.wait({asking}, timeout=ANSWER_WITHIN)
        if not done:  # the answer may be there, and this process too busy to have read it
            done, _ = await asyncio.wait({asking}, timeout=READ_WITHIN)
        if not done:
            asking.cancel()
            self._lost(f"no answer within {ANSWER_WITHIN:g} s")
            raise Lost
        try:
            return asking.result()
        except (RedisError, OSError) as problem:
            self._lost(f"{type(problem).__name__}: {problem}")
            raise Lost from None

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
            self.task(self._beat_for_ever())
            log.info("limits and cooldowns are shared through redis")

    async def _beat_for_ever(self) -> None:
        while True:
            await asyncio.sleep(BEAT)
            try:
                await self.beat()
            except Lost:
                continue
            except Exception:  # it must not stop
                log.exception("a heartbeat failed")

    async def beat(self) -> None:
        """Look whether redis is there and what it remembers; tell it what it must know. Raises Lost."""
        remembers = bool(await self._ask("mark", [self.mark], [REMEMBERED]))
        if not self.up:
            self.up = True
            log.warning("redis is there again: limits and cooldowns are shared")
        for member in self.members:
            await member.beat(remembers)

    def _lost(self, reason: str) -> None:
        if self.up:
            self.up = False
            log.warning("redis is not there: each process keeps limits and cooldowns by itself until it is back (%s)", reason)


def _text(*names: str) -> str:
    return "".join((LUA / name).read_text(encoding="utf-8") for name in names)
