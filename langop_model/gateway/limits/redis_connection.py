"""The redis that several processes share: commands in batches, and a circuit that opens when it does not answer.

Commands that come together, or while a batch is on its way, share one round trip, and take effect in the order in which they
were given: so what a request asks before the provider is one round trip, and what it tells afterwards waits for nobody.

A redis that is down loses no request. One that hangs delays those that have asked by ANSWER_TIMEOUT + READ_GRACE; then the
circuit is open: who asks gets RedisUnavailableError at once, and only the heartbeat tries, until it succeeds. Then each process
first tells redis what it has counted meanwhile.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import secrets
from collections import deque
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from redis.asyncio import RedisCluster
from redis.exceptions import ClusterDownError, ConnectionError, NoScriptError, RedisError, TimeoutError  # noqa: A004

from langop_model.gateway.redis_client import Client

log = logging.getLogger("langop.redis")

HEARTBEAT_INTERVAL = 1.0  # seconds; also how old a report of another process may be
HEARTBEAT_TIMEOUT = 2.0  # seconds; a cluster or a sentinel may have to look for another node first
STATE_TTL = 600  # seconds that redis keeps the state of a process which has stopped
ANSWER_TIMEOUT = 0.2  # seconds
READ_GRACE = 0.05  # seconds more, to read an answer that came while the event loop was busy
MAX_BATCH = 256  # commands
LUA = Path(__file__).with_name("lua")
PARTS = {
    **{name: ("common.lua", f"{name}.lua") for name in ("admit", "settle", "renew", "withdraw")},
    **{name: (f"{name}.lua",) for name in ("report", "presence")},
}

# Errors that a cluster gives as answers of single commands.
UNREACHABLE = (ConnectionError, TimeoutError, ClusterDownError, OSError)

Argument = str | bytes | int | float


class RedisUnavailableError(Exception):
    """Redis is unreachable, or does not answer in time."""


class HeartbeatListener(Protocol):
    """What a heartbeat calls."""

    async def beat(self, has_state: bool) -> None:
        """Tell redis what is due, or everything unless it still `has_state` of this process. Raises RedisUnavailableError."""


@dataclass(slots=True, eq=False)
class _Command:
    """A command, and who waits for its answer.

    `on_orphan` gets an answer that nobody waits for any more, `on_failure` is called where there is none. `is_vital`: an error
    as answer means that redis can't be used at all.
    """

    arguments: tuple[Argument, ...]
    answer: asyncio.Future[Any] | None = None
    on_orphan: Callable[[Any], None] | None = None
    on_failure: Callable[[], None] | None = None
    is_vital: bool = True
    script: str = ""
    timer: asyncio.TimerHandle | None = None

    def settle(self, result: Any) -> None:
        """Hand the answer on."""
        if self.timer is not None:
            self.timer.cancel()
        if self.answer is not None and not self.answer.done():
            self.answer.set_result(result)
        elif self.on_orphan is not None:
            self.on_orphan(result)

    def fail(self) -> None:
        """Say that there is no answer."""
        if self.timer is not None:
            self.timer.cancel()
        if self.answer is not None and not self.answer.done():
            self.answer.set_exception(RedisUnavailableError())
        if self.on_failure is not None:
            self.on_failure()


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
        self.queue: deque[_Command] = deque()
        self.sent: list[_Command] = []  # the batch that is on its way
        self.sender: asyncio.Task[None] | None = None

    async def run(
        self,
        script: str,
        keys: Sequence[str],
        arguments: Sequence[Argument],
        on_orphan: Callable[[Any], None] | None = None,
    ) -> Any:
        """Return what a script of the folder lua returns. Raises RedisUnavailableError, at once while the circuit is open.

        When the caller is cancelled meanwhile, `on_orphan` gets the answer: the script has run all the same.
        """
        if not self.up:
            raise RedisUnavailableError
        return await self._ask(self._of_script(script, keys, arguments, on_orphan), self.answer_timeout)

    async def command(self, *arguments: Argument) -> Any:
        """Return what a command returns; None where it is an error. Raises RedisUnavailableError."""
        if not self.up:
            raise RedisUnavailableError
        return await self._ask(_Command(arguments, is_vital=False), self.answer_timeout)

    def tell(self, script: str, keys: Sequence[str], arguments: Sequence[Argument], on_failure: Callable[[], None]) -> None:
        """Run a script whose answer nobody waits for."""
        if self.up:
            command = self._of_script(script, keys, arguments)
            command.on_failure = on_failure
            self._put(command, self.answer_timeout)
        else:
            on_failure()

    def tell_command(self, *arguments: Argument) -> None:
        """Run a command whose answer nobody waits for, unless the circuit is open."""
        if self.up:
            self._put(_Command(arguments, is_vital=False), self.answer_timeout)

    async def flush(self) -> None:
        """Wait until everything that was told has been sent and answered."""
        while self.sender is not None:
            await asyncio.wait({self.sender})

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
            await self._ask(_Command(("EXISTS", self.suspect)), HEARTBEAT_TIMEOUT)
        command = self._of_script("presence", [self.presence_key], [STATE_TTL])
        has_state = bool(await self._ask(command, HEARTBEAT_TIMEOUT))
        if not self.up:
            self.up = True
            self.suspect = ""
            log.warning("redis is reachable again: limits and cooldowns are shared")
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
        self, name: str, keys: Sequence[str], arguments: Sequence[Argument], on_orphan: Callable[[Any], None] | None = None
    ) -> _Command:
        return _Command(("EVALSHA", self.scripts[name].sha, len(keys), *keys, *arguments), on_orphan=on_orphan, script=name)

    async def _ask(self, command: _Command, within: float) -> Any:
        command.answer = asyncio.get_running_loop().create_future()
        self._put(command, within)
        return await command.answer

    def _put(self, command: _Command, within: float) -> None:
        loop = asyncio.get_running_loop()
        command.timer = loop.call_later(within, self._late, command, within)
        self.queue.append(command)
        if self.sender is None:
            self.sender = loop.create_task(self._send())

    def _late(self, command: _Command, seconds: float) -> None:
        """A command has no answer in time; but it may be there, and this process too busy to have read it."""

        def give_up() -> None:
            self._went_down(f"no answer within {seconds + READ_GRACE:g} s", command)

        command.timer = asyncio.get_running_loop().call_later(READ_GRACE, give_up)

    async def _send(self) -> None:
        try:
            while self.queue:
                self.sent = [self.queue.popleft() for _ in range(min(len(self.queue), MAX_BATCH))]
                pipeline: Any = self.client.pipeline(transaction=False)
                for command in self.sent:
                    pipeline.execute_command(*command.arguments)
                results = await pipeline.execute(raise_on_error=False)
                answered, self.sent = self.sent, []
                for command, result in zip(answered, results, strict=True):
                    self._settle(command, result)
        except (RedisError, OSError) as problem:
            self._went_down(_said(problem), *self.sent[:1])
        finally:
            self.sender = asyncio.get_running_loop().create_task(self._send()) if self.queue else None

    def _settle(self, command: _Command, result: Any) -> None:
        if isinstance(result, NoScriptError) and command.arguments[0] == "EVALSHA":
            command.arguments = ("EVAL", self.scripts[command.script].text, *command.arguments[2:])
            self.queue.append(command)
        elif isinstance(result, Exception) and (command.is_vital or isinstance(result, UNREACHABLE)):
            command.fail()
            self._went_down(_said(result), command)
        else:
            command.settle(None if isinstance(result, Exception) else result)

    def _went_down(self, reason: str, command: _Command | None = None) -> None:
        if self.up:
            self.up = False
            log.warning(
                "redis is unreachable: each process enforces limits and cooldowns locally until it is back (%s)", reason
            )
        if command is not None:
            self.suspect = _first_key(command.arguments)
        failed = [*self.sent, *self.queue]
        self.sent = []
        self.queue.clear()
        for each in failed:
            each.fail()
        if self.sender is not None and self.sender is not asyncio.current_task():
            self.sender.cancel()
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


def _first_key(arguments: Sequence[Argument]) -> str:
    """Return the first key of EVALSHA sha count key ..., or of COMMAND key ...."""
    key = arguments[3] if arguments[0] in ("EVALSHA", "EVAL") else arguments[1]
    return str(key)


def _said(problem: Exception) -> str:
    return f"{type(problem).__name__}: {problem}"
