"""spec.caching with the backend redis: replicas share answers, and a redis that is down loses no request."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.live import redis_server
from tests.live.observed import REDIS_PASSWORD, ObservedGateway, question
from tests.live.redis_server import RedisServer
from tests.support.waiting import eventually
from tools.processes import Gateway

HOUR = 3600  # seconds: the model's time to live


@pytest.fixture(scope="module")
def server(debugged_gateway: ObservedGateway, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    """The redis that the gateway looks for. It does not run yet."""
    program = redis_server.find_or_skip("NOTHING ABOUT REDIS IS TESTED")
    port = int(debugged_gateway.gateway.environment["REDIS_PORT"])
    server = RedisServer(program, tmp_path_factory.mktemp("redis"), REDIS_PASSWORD, port)
    yield server
    server.kill()


@pytest.fixture
def shared(debugged: ObservedGateway, server: RedisServer) -> RedisServer:
    """The redis, running, and found by the gateway."""
    server.start()

    def kept() -> int:
        debugged.said("debugged", question("Is redis there?"))
        return len(server.answers())

    eventually(kept)
    return server


@pytest.fixture(scope="module")
def replica(
    debugged_gateway: ObservedGateway, server: RedisServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[ObservedGateway]:
    """A second gateway of the same model."""
    server.start()
    environment = debugged_gateway.gateway.environment
    mounted, secrets = Path(environment["LANGOP_MODEL_PATH"]), Path(environment["LANGOP_SECRETS_PATH"])
    same = {name: value for name, value in environment.items() if name.startswith("REDIS_")}
    with Gateway(mounted, secrets, tmp_path_factory.mktemp("replica"), environment=same) as gateway:
        yield ObservedGateway(gateway, debugged_gateway.provider)


def test_a_gateway_whose_redis_is_not_there_starts_and_answers(debugged: ObservedGateway, server: RedisServer):
    server.kill()
    for _ in range(10):
        text = question()
        assert debugged.said("debugged", text) == f"You said: {text}"
        assert debugged.streamed("debugged", text) == f"You said: {text}"


def test_an_answer_is_in_redis_for_its_time_to_live(debugged: ObservedGateway, shared: RedisServer):
    shared.client.flushall()
    text = question()
    debugged.said("debugged", text)
    ((key, left),) = eventually(shared.answers).items()
    assert "default/debugged" in key  # the resource's namespace and name: two gateways may share a redis
    assert HOUR - 60 < left <= HOUR


def test_replicas_share_answers_and_streams(debugged: ObservedGateway, shared: RedisServer, replica: ObservedGateway):
    for ask in (ObservedGateway.said, ObservedGateway.streamed):
        shared.client.flushall()
        text = question()
        answer = ask(debugged, "debugged", text)
        eventually(shared.answers)
        assert ask(replica, "debugged", text) == answer
        assert len(debugged.seen(text)) == 1


def test_what_redis_forgot_a_replica_has_forgotten_too(
    debugged: ObservedGateway, shared: RedisServer, replica: ObservedGateway
):
    """One that has only read it."""
    shared.client.flushall()
    text = question()
    debugged.said("debugged", text)
    eventually(shared.answers)
    replica.said("debugged", text)
    assert len(debugged.seen(text)) == 1
    shared.client.flushall()  # what the end of its time to live does to an answer
    replica.said("debugged", text)
    assert len(debugged.seen(text)) == 2


def test_a_redis_that_is_killed_loses_no_request(debugged: ObservedGateway, shared: RedisServer):
    debugged.provider.behave("debugged", hang=True)
    with ThreadPoolExecutor(20) as pool:
        questions = [question() for _ in range(20)]
        answers = [pool.submit(debugged.said, "debugged", text) for text in questions]
        eventually(lambda: debugged.provider.in_flight, lambda calls: calls == 20)
        shared.kill()
        debugged.provider.reset()
        assert [answer.result() for answer in answers] == [f"You said: {text}" for text in questions]
    for _ in range(10):
        text = question()
        assert debugged.said("debugged", text) == f"You said: {text}"
    assert debugged.said("debugged", questions[0]) == f"You said: {questions[0]}"


def test_answers_are_cached_again_when_redis_is_back(debugged: ObservedGateway, shared: RedisServer):
    shared.kill()
    debugged.said("debugged", question())
    shared.start()

    def kept() -> int:
        debugged.said("debugged", question())
        return len(shared.answers())

    assert eventually(kept)
