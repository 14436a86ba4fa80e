"""The redis that several processes share: scripts and commands in batches, and a circuit that opens when it does not answer.

What a request asks before its provider is one round trip (redis_lane.py), and what it tells afterwards waits for nobody.
Answers to be kept, which may be large, take another connection than questions.

A redis that is down loses no request. One that hangs delays those that have asked by ANSWER_TIMEOUT + READ_GRACE; then the
circuit is open: who asks gets RedisUnavailableError at once, and only the heartbeat tries, until it succeeds. Then each process
first tells redis what it has counted meanwhile.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import secrets
from collections.abc import Callable, Coroutine, Sequence
from pathlib import Path
from typing import Any, Protocol

from redis.asyncio import RedisCluster
from redis.exceptions import ClusterDownError, ConnectionError, NoScriptError, RedisError, TimeoutError  # noqa: A004

from langop_model.gateway.limits.redis_lane import Argument, Command, Lane, RedisUnavailableError
from langop_model.gateway.redis_client import Client

log = logging.getLogger("langop.redis")

HEARTBEAT_INTERVAL = 1.0  # seconds; also how old a report of another process may be
HEARTBEAT_TIMEOUT = 2.0  # seconds; a cluster or a sentinel may have to look for another node first
STATE_TTL = 600  # seconds that redis keeps the state of a process which has stopped
ANSWER_TIMEOUT = 0.2  # seconds
READ_GRACE = 0.05  # seconds more, to read an answer that came while the event loop was busy
STORE_TIMEOUT = 2.0  # seconds; nobody waits for it
MAX_BATCH = 256  # questions
MAX_STORES = 8  # answers to be kept, in one batch
MAX_STORES_SIZE = 16 * 1024 * 1024  # of answers that wait to be kept; more are not kept
LUA = Path(__file__).with_name("lua")
PARTS = {
    **{name: ("base.lua", "common.lua", f"{name}.lua") for name in ("admit", "settle", "renew", "withdraw")},
    "usage": ("base.lua", "usage.lua"),
    **{name: (f"{name}.lua",) for name in ("report", "presence")},
}
# Errors that a cluster gives as answers of single commands.
UNREACHABLE = (ConnectionError, TimeoutError, ClusterDownError, OSError)


class HeartbeatListener(Protocol):
    """What a heartbeat calls."""

    async def beat(self, has_state: bool) -> None:
        """Tell redis what is due, or everything unless it still `has_state` of this process. Raises RedisUnavailableError."""


class RedisConnection:
    """A connection to redis for one process. `answer_timeout` is in seconds. One event loop uses it."""

    def __init__(self, client: Client, answer_timeout: float = ANSWER_TIMEOUT) -> None:
        self.client = client
        self.answer_timeout = answer_timeout
        self.process = secrets.token_hex(6)
        self.presence_key = f"langop:process:{self.process}"  # in redis for as long as it has lost nothing
        self.suspect = ""  # a key of the command that failed: its node of a cluster is asked before the circuit closes
        self.up = True
        self.listeners: list[HeartbeatListener] = []
        self.tasks: set[asyncio.Task[Any]] = set()
        self.scripts = {name: _Script(client, name) for name in PARTS}
        self.questions = Lane(client, MAX_BATCH, self._settle, self._failed)
        self.stores = Lane(client, MAX_STORES, self._settle, self._failed)
        self.stored_bytes = 0  # of the values in `stores`

    @property
    def is_cluster(self) -> bool:
        """Whether the keys of two models may be on two servers: then no script may have both."""
        return isinstance(self.client, RedisCluster)

    async def run(
        self,
        script: str,
        keys: Sequence[str | bytes],
        arguments: Sequence[Argument],
        on_orphan: Callable[[Any], None] | None = None,
    ) -> Any:
        """Return what a script of the folder lua returns. Raises RedisUnavailableError, at once while the circuit is open.

        When the caller is cancelled meanwhile, `on_orphan` gets the answer: the script has run all the same.
        """
        if not self.up:
            raise RedisUnavailableError
        return await self._ask(self._of_script(script, keys, arguments, on_orphan), self.answer_timeout)

    async def get(self, key: str) -> bytes | None:
        """Return the value of a key; None where there is none, or no string. Raises RedisUnavailableError."""
        if not self.up:
            raise RedisUnavailableError
        value: bytes | None = await self._ask(Command(("GET", key), is_vital=False), self.answer_timeout)
        return value

    def tell(
        self, script: str, keys: Sequence[str | bytes], arguments: Sequence[Argument], on_failure: Callable[[], None]
    ) -> None:
        """Run a script whose answer nobody waits for."""
        if self.up:
            command = self._of_script(script, keys, arguments)
            command.on_failure = on_failure
            self._put(self.questions, command, self.answer_timeout)
        else:
            on_failure()

    def store(self, key: str, value: bytes, ttl: float | None) -> None:
        """Set a key for `ttl` seconds (None: without end), unless the circuit is open or too much waits to be stored."""
        if not self.up or self.stored_bytes + len(value) > MAX_STORES_SIZE:
            return

        def stored(*_: Any) -> None:
            self.stored_bytes -= len(value)

        self.stored_bytes += len(value)
        lifetime = () if ttl is None else ("PX", max(1, round(ttl * 1000)))
        command = Command(("SET", key, value, *lifetime), on_orphan=stored, on_failure=stored, is_vital=False)
        self._put(self.stores, command, STORE_TIMEOUT)

    async def flush(self) -> None:
        """Wait until everything that was told has been sent and answered."""
        await self.questions.flush()
        await self.stores.flush()

    async def aclose(self) -> None:
        """Stop the heartbeat, send what was told, and close the connections."""
        for task in self.tasks:
            task.cancel()
        await self.flush()
        with contextlib.suppress(RedisError, OSError):
            await self.client.aclose()

    def start(self) -> None:
        """Start the heartbeat, which ends with the event loop; without a running loop do nothing."""
        with contextlib.suppress(RuntimeError):
            asyncio.get_running_loop()
            self.task(self._beat_forever())
            log.info("limits and cooldowns are shared through redis")

    def task(self, work: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
        """Start work that ends even if nothing awaits it."""
        task = asyncio.get_running_loop().create_task(work)
        self.tasks.add(task)  # the event loop keeps no task
        task.add_done_callback(self.tasks.discard)
        return task

    async def beat(self) -> None:
        """Check that redis answers and whether it has lost its state; tell it what is due. Raises RedisUnavailableError."""
        if self.suspect:
            await self._ask(Command(("EXISTS", self.suspect)), HEARTBEAT_TIMEOUT)
        command = self._of_script("presence", [self.presence_key], [STATE_TTL])
        has_state = bool(await self._ask(command, HEARTBEAT_TIMEOUT))
        if not self.up:
            self.up = True
            self.suspect = ""
            log.info("redis is reachable again: limits and cooldowns are shared")
        for listener in self.listeners:
            await listener.beat(has_state)

    async def _beat_forever(self) -> None:
        while True:  # the first one at once: it opens the connection, or the circuit
            try:
                await self.beat()
            except RedisUnavailableError:
                pass
            except Exception:  # it must not stop
                log.exception("a heartbeat failed")
            await asyncio.sleep(HEARTBEAT_INTERVAL)

    def _of_script(
        self,
        name: str,
        keys: Sequence[str | bytes],
        arguments: Sequence[Argument],
        on_orphan: Callable[[Any], None] | None = None,
    ) -> Command:
        return Command(("EVALSHA", self.scripts[name].sha, len(keys), *keys, *arguments), on_orphan=on_orphan, script=name)

    async def _ask(self, command: Command, within: float) -> Any:
        command.answer = answer = asyncio.get_running_loop().create_future()
        self._put(self.questions, command, within)
        try:
            return await answer
        except asyncio.CancelledError:
            # The answer may have come just before: then it was handed on to a caller that does not go on.
            if not answer.cancelled() and answer.exception() is None and command.on_orphan is not None:
                command.on_orphan(answer.result())
            raise

    def _put(self, lane: Lane, command: Command, within: float) -> None:
        command.timer = asyncio.get_running_loop().call_later(within, self._late, command, within)
        lane.put(command)

    def _late(self, command: Command, seconds: float) -> None:
        """A command has no answer in time; but it may be there, and this process too busy to have read it."""

        def give_up() -> None:
            self._went_down(f"no answer within {seconds + READ_GRACE:g} s", command)

        command.timer = asyncio.get_running_loop().call_later(READ_GRACE, give_up)

    def _settle(self, command: Command, result: Any) -> None:
        if isinstance(result, NoScriptError) and command.arguments[0] == "EVALSHA":
            command.arguments = ("EVAL", self.scripts[command.script].text, *command.arguments[2:])
            self.questions.put(command)
        elif isinstance(result, Exception) and (command.is_vital or isinstance(result, UNREACHABLE)):
            command.fail()
            self._failed(result, command)
        else:
            command.settle(None if isinstance(result, Exception) else result)

    def _failed(self, problem: Exception, command: Command | None) -> None:
        self._went_down(f"{type(problem).__name__}: {problem}", command)

    def _went_down(self, reason: str, command: Command | None) -> None:
        if self.up:
            self.up = False
            log.warning(
                "redis is unreachable: each process enforces limits and cooldowns locally until it is back (%s)", reason
            )
        if command is not None:
            self.suspect = command.first_key
        self.questions.clear()
        self.stores.clear()
        self.task(self._disconnect())  # the answers of what was sent must not be taken for those of what comes next

    async def _disconnect(self) -> None:
        with contextlib.suppress(RedisError, OSError):
            if isinstance(self.client, RedisCluster):
                await self.client.aclose()
            else:
                await self.client.connection_pool.disconnect()


class _Script:
    """A script by its text and the digest by which redis knows it."""

    def __init__(self, client: Client, name: str) -> None:
        self.text = "".join((LUA / part).read_text(encoding="utf-8") for part in PARTS[name])
        self.sha: str = client.register_script(self.text).sha
