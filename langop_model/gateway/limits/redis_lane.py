"""Commands to redis in batches: those that come together, or while a batch is on its way, share one round trip.

They take effect in the order in which they were given, and one batch at a time is on its way.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from redis.exceptions import RedisError

from langop_model.gateway.redis_client import Client

Argument = str | bytes | int | float


class RedisUnavailableError(Exception):
    """Redis is unreachable, or does not answer in time."""


@dataclass(slots=True, eq=False)
class Command:
    """A command, and who waits for its answer.

    `on_orphan` gets an answer that nobody waits for any more, `on_failure` is called where there is none. `is_vital`: an error
    as answer means that redis can't be used at all. `script` is the name of the script that it runs.
    """

    arguments: tuple[Argument, ...]
    answer: asyncio.Future[Any] | None = None
    on_orphan: Callable[[Any], None] | None = None
    on_failure: Callable[[], None] | None = None
    is_vital: bool = True
    script: str = ""
    timer: asyncio.TimerHandle | None = None

    @property
    def first_key(self) -> str:
        """The first key of EVALSHA sha count key ..., or of COMMAND key ...."""
        return str(self.arguments[3] if self.script else self.arguments[1])

    def settle(self, result: Any) -> None:
        """Hand the answer on."""
        if self.timer is not None:
            self.timer.cancel()
        if self.answer is not None and not self.answer.done():
            self.answer.set_result(result)
        elif self.on_orphan is not None:
            self.on_orphan(result)

    def fail(self) -> None:
        """Report that there is no answer."""
        if self.timer is not None:
            self.timer.cancel()
        if self.answer is not None and not self.answer.done():
            self.answer.set_exception(RedisUnavailableError())
        if self.on_failure is not None:
            self.on_failure()


class Lane:
    """A queue of commands to one client; a connection of its pool carries the batch that is on its way.

    `settle` gets each command with its result, which may be an error; `failed` the error of a whole batch. One event loop uses
    it.
    """

    def __init__(
        self,
        client: Client,
        max_batch: int,
        settle: Callable[[Command, Any], None],
        failed: Callable[[Exception, Command | None], None],
    ) -> None:
        self.client = client
        self.max_batch = max_batch
        self.settle = settle
        self.failed = failed
        self.queue: deque[Command] = deque()
        self.sent: list[Command] = []
        self.sender: asyncio.Task[None] | None = None

    def put(self, command: Command) -> None:
        """Send a command with the next batch."""
        self.queue.append(command)
        if self.sender is None:
            self.sender = asyncio.get_running_loop().create_task(self._send())

    async def flush(self) -> None:
        """Wait until everything has been sent and answered."""
        while self.sender is not None:
            await asyncio.wait({self.sender})

    def clear(self) -> None:
        """Let every command fail, and the batch that is on its way end."""
        commands = [*self.sent, *self.queue]
        self.sent = []
        self.queue.clear()
        for command in commands:
            command.fail()
        if self.sender is not None and self.sender is not asyncio.current_task():
            self.sender.cancel()

    async def _send(self) -> None:
        try:
            while self.queue:
                self.sent = [self.queue.popleft() for _ in range(min(len(self.queue), self.max_batch))]
                pipeline: Any = self.client.pipeline(transaction=False)
                for command in self.sent:
                    pipeline.execute_command(*command.arguments)
                results = await pipeline.execute(raise_on_error=False)
                answered, self.sent = self.sent, []
                for command, result in zip(answered, results, strict=True):
                    self.settle(command, result)
        except (RedisError, OSError) as problem:
            self.failed(problem, self.sent[0] if self.sent else None)
        finally:
            self.sender = asyncio.get_running_loop().create_task(self._send()) if self.queue else None
