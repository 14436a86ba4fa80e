"""When a connection to redis is used, when it is given up, and what is said of it: redis itself is made up, and so is time."""

from __future__ import annotations

import asyncio
import gc
import logging
from collections.abc import Awaitable, Callable
from functools import partial
from types import SimpleNamespace
from typing import Any, TypeVar, cast

import pytest
from redis.exceptions import ClusterDownError, NoScriptError, RedisError, ResponseError

from langop_model.gateway.limits import redis_connection
from langop_model.gateway.limits.redis_connection import RedisConnection
from langop_model.gateway.limits.redis_lane import RedisUnavailableError
from langop_model.gateway.redis_client import Client
from tests.unit.gateway.virtual_time import run

T = TypeVar("T")
Sent = list[tuple[Any, ...]]
DOWN = "redis is unreachable: each process enforces limits and cooldowns locally until it is back"
UP = "redis is reachable again: limits and cooldowns are shared"


class Redis:
    """A client whose pipelines answer each command by `answer`, which may raise, after some `seconds`."""

    def __init__(self, answer: Callable[[tuple[Any, ...]], Any] = lambda _: 1, seconds: float = 0.0) -> None:
        self.answer = answer
        self.seconds = seconds
        self.at_close: Exception | None = None
        self.at_disconnect: Exception | None = None
        self.sent: list[Sent] = []  # batches
        self.closed = 0
        self.disconnected = 0
        self.connection_pool = self

    def register_script(self, text: str) -> Any:
        return SimpleNamespace(sha=f"sha of {len(text)}")

    def pipeline(self, transaction: bool) -> Pipeline:
        assert transaction is False
        return Pipeline(self)

    async def disconnect(self) -> None:
        self.disconnected += 1
        if self.at_disconnect:
            raise self.at_disconnect

    async def aclose(self) -> None:
        self.closed += 1
        if self.at_close:
            raise self.at_close

    @property
    def commands(self) -> Sent:
        """Every command in order."""
        return [command for batch in self.sent for command in batch]


class Pipeline:
    def __init__(self, redis: Redis) -> None:
        self.redis = redis
        self.commands: Sent = []

    def execute_command(self, *arguments: Any) -> None:
        self.commands.append(arguments)

    async def execute(self, raise_on_error: bool) -> list[Any]:
        assert raise_on_error is False
        self.redis.sent.append(self.commands)
        await asyncio.sleep(self.redis.seconds)
        return [self.redis.answer(command) for command in self.commands]


def connected(redis: Redis) -> RedisConnection:
    return RedisConnection(cast("Client", redis))


def play(scene: Callable[[], Awaitable[T]]) -> T:
    """Run a scene in made-up time."""
    return run(lambda _: scene())


def refuse(error: Exception) -> Callable[[tuple[Any, ...]], Any]:
    """Return what answers every command with an error that ends the whole batch."""

    def answer(_: tuple[Any, ...]) -> Any:
        raise error

    return answer


def gone_once(value: Any) -> Callable[[tuple[Any, ...]], Any]:
    """Return what breaks at the first command, and answers each further one with `value`."""
    failures = [OSError("gone")]

    def answer(_: tuple[Any, ...]) -> Any:
        if failures:
            raise failures.pop()
        return value

    return answer


def messages(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.name == "langop.redis"]


@pytest.fixture(autouse=True)
def _every_line(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "langop.redis")


# A question.


def test_a_script_is_run_by_its_digest_with_its_keys_and_arguments():
    redis = Redis(lambda _: b"answer")

    async def scene() -> Any:
        return await connected(redis).run("usage", ["k1", "k2"], [1, "a"])

    assert play(scene) == b"answer"
    ((command, sha, *rest),) = redis.commands
    assert (command, rest) == ("EVALSHA", [2, "k1", "k2", 1, "a"])
    assert sha.startswith("sha of ")


def test_a_script_that_redis_does_not_know_is_sent_as_text():
    redis = Redis(lambda command: NoScriptError() if command[0] == "EVALSHA" else 7)

    async def scene() -> Any:
        return await connected(redis).run("usage", ["key"], [5])

    assert play(scene) == 7
    assert redis.commands[1][0] == "EVAL"
    assert "Returns for each model what is used" in redis.commands[1][1]
    assert redis.commands[1][2:] == (1, "key", 5)


@pytest.mark.parametrize(("value", "expected"), [(b"text", b"text"), (None, None), (ResponseError("WRONGTYPE"), None)])
def test_a_value_is_found_or_there_is_none(value: Any, expected: bytes | None):
    redis = Redis(lambda _: value)

    async def scene() -> tuple[bytes | None, bool]:
        redis_connection = connected(redis)
        return await redis_connection.get("key"), redis_connection.up

    assert play(scene) == (expected, True)
    assert redis.commands == [("GET", "key")]


# The circuit opens.


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (refuse(ConnectionResetError("gone")), "ConnectionResetError: gone"),
        (lambda _: ResponseError("NOPERM"), "ResponseError: NOPERM"),
    ],
    ids=["batch", "command"],
)
def test_a_script_that_fails_opens_the_circuit_and_is_said_once(
    answer: Callable[..., Any], reason: str, caplog: pytest.LogCaptureFixture
):
    redis = Redis(answer)

    async def scene() -> str:
        connection = connected(redis)
        for _ in range(2):
            with pytest.raises(RedisUnavailableError):
                await connection.run("usage", ["key"], [])
        await asyncio.sleep(0)
        return connection.suspect

    assert play(scene) == "key"
    assert messages(caplog) == [f"{DOWN} ({reason})"]
    assert (len(redis.commands), redis.disconnected) == (1, 1)


@pytest.mark.parametrize("error", [ClusterDownError("down"), ConnectionResetError("gone")])
def test_a_value_of_a_node_that_is_down_opens_the_circuit(error: Exception):
    async def scene() -> tuple[bool, str]:
        connection = connected(Redis(lambda _: error))
        with pytest.raises(RedisUnavailableError):
            await connection.get("cached")
        return connection.up, connection.suspect

    assert play(scene) == (False, "cached")


def test_an_answer_that_does_not_come_opens_the_circuit(caplog: pytest.LogCaptureFixture):
    async def scene() -> tuple[float, str]:
        connection = connected(Redis(seconds=60))
        loop = asyncio.get_running_loop()
        with pytest.raises(RedisUnavailableError):
            await connection.run("usage", ["key"], [])
        return loop.time(), connection.suspect

    seconds, suspect = play(scene)
    assert seconds == pytest.approx(0.25, abs=0.01)
    assert suspect == "key"
    assert messages(caplog) == [f"{DOWN} (no answer within 0.25 s)"]


def test_an_answer_within_the_grace_is_one():
    async def scene() -> tuple[Any, bool]:
        connection = connected(Redis(seconds=0.24))
        answer = await connection.run("usage", ["key"], [])
        await asyncio.sleep(1)  # and no timer is left
        return answer, connection.up

    assert play(scene) == (1, True)


def test_while_the_circuit_is_open_nothing_is_sent():
    redis = Redis()

    async def scene() -> list[str]:
        connection = connected(redis)
        connection.up = False
        failed: list[str] = []
        connection.tell("settle", ["key"], [], lambda: failed.append("settle"))
        connection.store("key", b"value", 5)
        for question in (connection.run("usage", ["key"], []), connection.get("key")):
            with pytest.raises(RedisUnavailableError):
                await question
        await asyncio.sleep(9)
        return failed

    assert play(scene) == ["settle"]
    assert redis.commands == []


def test_what_nobody_waits_for_is_said_to_have_failed():
    async def scene() -> list[str]:
        connection = connected(Redis(refuse(OSError())))
        failed: list[str] = []
        connection.tell("settle", ["key"], [], lambda: failed.append("settle"))
        await connection.flush()
        return failed

    assert play(scene) == ["settle"]


def test_what_a_cancelled_caller_asked_is_handed_to_who_undoes_it():
    async def scene() -> list[Any]:
        orphans: list[Any] = []
        connection = connected(Redis(lambda _: b"admitted", seconds=0.1))
        asking = asyncio.create_task(connection.run("admit", ["key"], [], orphans.append))
        await asyncio.sleep(0.05)
        asking.cancel()
        await asyncio.sleep(1)
        return orphans

    assert play(scene) == [b"admitted"]


@pytest.mark.parametrize("answer", [b"admitted", ResponseError("NOPERM")], ids=str)
def test_a_caller_that_is_cancelled_when_its_answer_has_come_undoes_it(answer: Any):
    """Between the moment in which the answer is handed on and the one in which the caller goes on."""

    async def scene() -> list[Any]:
        orphans: list[Any] = []

        def cancel_and_answer(_: tuple[Any, ...]) -> Any:
            asyncio.get_running_loop().call_soon(asking.cancel)
            return answer

        asking = asyncio.create_task(connected(Redis(cancel_and_answer)).run("admit", ["key"], [], orphans.append))
        await asyncio.wait({asking})
        assert asking.cancelled()
        return orphans

    assert play(scene) == ([answer] if isinstance(answer, bytes) else [])


# The circuit closes.


def test_a_beat_that_redis_answers_closes_the_circuit(caplog: pytest.LogCaptureFixture):
    redis = Redis()

    async def scene() -> bool:
        connection = connected(redis)
        connection.up, connection.suspect = False, "key"
        await connection.beat()
        await connection.beat()
        assert connection.suspect == ""
        return connection.up

    assert play(scene) is True
    assert messages(caplog) == [UP]
    assert [command[0] for command in redis.commands] == ["EXISTS", "EVALSHA", "EVALSHA"]
    assert redis.commands[0] == ("EXISTS", "key")


def test_a_node_that_failed_keeps_the_circuit_open():
    async def scene() -> bool:
        connection = connected(Redis(lambda command: ClusterDownError("down") if command[0] == "EXISTS" else 1))
        connection.up, connection.suspect = False, "key"
        with pytest.raises(RedisUnavailableError):
            await connection.beat()
        return connection.up

    assert play(scene) is False


@pytest.mark.parametrize("has_state", [0, 1])
def test_a_beat_says_whether_redis_still_has_its_state(has_state: int):
    heard: list[bool] = []
    redis = Redis(lambda _: has_state)

    class Listener:
        async def beat(self, has_state: bool) -> None:
            heard.append(has_state)

    async def scene() -> str:
        connection = connected(redis)
        connection.listeners.append(Listener())
        await connection.beat()
        return connection.presence_key

    key = play(scene)
    assert key.startswith("langop:process:")
    assert redis.commands[0][2:] == (1, key, redis_connection.STATE_TTL)
    assert [type(each) for each in heard] == [bool]
    assert heard == [bool(has_state)]


def test_the_heart_beats_at_once_and_then_each_second_whatever_happens(caplog: pytest.LogCaptureFixture):
    beats: list[float] = []
    problems = [None, RedisUnavailableError(), ValueError("a defect"), None]

    class Listener:
        async def beat(self, _: bool) -> None:
            beats.append(asyncio.get_running_loop().time())
            problem = problems.pop(0) if problems else None
            if problem:
                raise problem

    async def scene() -> int:
        connection = connected(Redis())
        connection.listeners.append(Listener())
        connection.start()
        await asyncio.sleep(3.5)
        (task,) = connection.tasks
        await connection.aclose()
        await asyncio.wait({task})
        return len(connection.tasks)

    assert play(scene) == 0
    assert beats == pytest.approx([0, 1, 2, 3], abs=0.05)
    assert messages(caplog) == ["limits and cooldowns are shared through redis", "a heartbeat failed"]


def test_without_an_event_loop_no_heart_beats(caplog: pytest.LogCaptureFixture):
    connected(Redis()).start()
    assert messages(caplog) == []


@pytest.mark.parametrize("problem", [None, ConnectionResetError(), ResponseError("no")], ids=str)
def test_the_end_sends_what_was_told_and_survives_a_broken_connection(problem: Exception | None):
    redis = Redis()
    redis.at_close = problem

    async def scene() -> None:
        connection = connected(redis)
        connection.tell("settle", ["key"], [], lambda: None)
        connection.store("answer", b"value", None)
        await connection.aclose()

    play(scene)
    assert [command[0] for command in redis.commands] == ["EVALSHA", "SET"]
    assert redis.closed == 1


# What is stored.


@pytest.mark.parametrize(
    ("ttl", "lifetime"), [(None, ()), (1.5, ("PX", 1500)), (0.0001, ("PX", 1))], ids=["without end", "seconds", "shortest"]
)
def test_a_value_is_stored_for_its_lifetime(ttl: float | None, lifetime: tuple[Any, ...]):
    redis = Redis()

    async def scene() -> int:
        connection = connected(redis)
        connection.store("key", b"value", ttl)
        assert connection.stored_bytes == 5
        await connection.flush()
        return connection.stored_bytes

    assert play(scene) == 0
    assert redis.commands == [("SET", "key", b"value", *lifetime)]


def test_what_waits_to_be_stored_is_bounded_to_the_byte(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(redis_connection, "MAX_STORES_SIZE", 10)
    redis = Redis()

    async def scene() -> None:
        connection = connected(redis)
        for key, value in (("a", b"12345"), ("b", b"123456"), ("c", b"12345"), ("d", b"1")):
            connection.store(key, value, None)
        await connection.flush()

    play(scene)
    assert [command[1] for command in redis.commands] == ["a", "c"]


def test_a_value_that_redis_refuses_is_not_kept_and_is_no_outage():
    async def scene() -> tuple[int, bool]:
        connection = connected(Redis(lambda _: ResponseError("OOM")))
        connection.store("key", b"value", None)
        await connection.flush()
        return connection.stored_bytes, connection.up

    assert play(scene) == (0, True)


def test_a_store_that_takes_too_long_opens_the_circuit(caplog: pytest.LogCaptureFixture):
    async def scene() -> int:
        connection = connected(Redis(seconds=60))
        connection.store("key", b"value", None)
        await asyncio.sleep(3)
        return connection.stored_bytes

    assert play(scene) == 0
    assert messages(caplog) == [f"{DOWN} (no answer within 2.05 s)"]


# Batches.


def test_questions_that_come_together_are_batches_of_256():
    redis = Redis(lambda command: command[-1], seconds=0.01)

    async def scene() -> list[Any]:
        connection = connected(redis)
        return await asyncio.gather(*(connection.run("usage", ["key"], [number]) for number in range(600)))

    assert play(scene) == list(range(600))
    assert [len(batch) for batch in redis.sent] == [256, 256, 88]


def test_stores_are_batches_of_eight_beside_the_questions():
    redis = Redis(seconds=0.01)

    async def scene() -> None:
        connection = connected(redis)
        for number in range(9):
            connection.store(f"{number}", b"value", None)
        await connection.get("key")
        await connection.flush()

    play(scene)
    assert [[command[0] for command in batch] for batch in redis.sent] == [["SET"] * 8, ["GET"], ["SET"]]


def test_when_redis_goes_down_all_that_waits_fails():
    redis = Redis(seconds=60)

    async def scene() -> tuple[list[str], float]:
        connection = connected(redis)
        failed: list[str] = []
        for number in range(300):
            connection.tell("settle", ["key"], [], partial(failed.append, f"{number}"))
        await connection.flush()
        return failed, asyncio.get_running_loop().time()

    failed, seconds = play(scene)
    assert failed == [f"{number}" for number in range(300)]
    assert seconds == pytest.approx(0.25, abs=0.01)
    assert len(redis.sent) == 1


def test_after_a_failure_what_comes_next_is_sent_again():
    async def scene() -> Any:
        connection = connected(Redis(gone_once(5)))
        with pytest.raises(RedisUnavailableError):
            await connection.run("usage", ["key"], [])
        await connection.beat()
        return await connection.run("usage", ["key"], [])

    assert play(scene) == 5


def test_an_outage_that_is_over_opens_the_circuit_no_second_time():
    """What failed with the connection is not late as well."""

    async def scene() -> bool:
        connection = connected(Redis(gone_once(1)))
        with pytest.raises(RedisUnavailableError):
            await connection.run("usage", ["key"], [])
        await connection.beat()
        await asyncio.sleep(1)
        return connection.up

    assert play(scene)


@pytest.mark.parametrize(("is_cluster", "ended"), [(False, (1, 0)), (True, (0, 1))])
def test_an_outage_ends_the_connections_on_which_answers_may_still_come(
    is_cluster: bool, ended: tuple[int, int], monkeypatch: pytest.MonkeyPatch
):
    """The client of a cluster has a pool for each node: it is closed as a whole, and opens again by itself."""
    redis = Redis(refuse(ConnectionResetError()))
    if is_cluster:
        monkeypatch.setattr(redis_connection, "RedisCluster", Redis)

    async def scene() -> None:
        with pytest.raises(RedisUnavailableError):
            await connected(redis).run("usage", ["key"], [])
        await asyncio.sleep(0)

    play(scene)
    assert (redis.disconnected, redis.closed) == ended


@pytest.mark.parametrize("problem", [RedisError("gone"), OSError("gone"), None], ids=repr)
def test_connections_that_can_not_be_ended_are_no_further_trouble(problem: Exception | None):
    redis = Redis(refuse(ConnectionResetError()))
    redis.at_disconnect = problem

    async def scene() -> list[dict[str, Any]]:
        gc.collect()  # what others have left says nothing of this one
        unhandled: list[dict[str, Any]] = []
        asyncio.get_running_loop().set_exception_handler(lambda _, context: unhandled.append(context))
        with pytest.raises(RedisUnavailableError):
            await connected(redis).run("usage", ["key"], [])
        await asyncio.sleep(0)
        gc.collect()
        return unhandled

    assert play(scene) == []
    assert redis.disconnected == 1
