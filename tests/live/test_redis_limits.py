"""spec.rateLimits and endpoints that are down, over two proxies of the same models that share one redis."""

from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from stand_in import StandIn
from tests.live import redis_server
from tests.live.laboratory import Laboratory, a_model, at, balanced, most_in_flight, mount, said, statuses
from tests.live.observed import REDIS_PASSWORD, redis_environment
from tests.live.redis_server import RedisServer
from tests.support import plain_http
from tests.support.waiting import eventually
from tools.memory import family
from tools.processes import Gateway

if TYPE_CHECKING:
    import httpx

CALLER = "sk-a-callers-own-key-2342"
IMPATIENT = {"timeout": "20s"}  # what would have to wait for the window to move is refused at once


def _limited(label: str, **limits: int) -> dict[str, Any]:
    return a_model(label, rateLimits=limits, **IMPATIENT)


MODELS_OF_BOTH = {
    "shared-rpm": _limited("shared-rpm", requestsPerMinute=10),
    "shared-rpm-two": balanced("shared-rpm-two-a", "shared-rpm-two-b", rateLimits={"requestsPerMinute": 10}, **IMPATIENT),
    "shared-tpm": _limited("shared-tpm", tokensPerMinute=100),
    "shared-slots": a_model("shared-slots", rateLimits={"concurrentRequests": 3}),
    "shared-dead": a_model("shared-dead", rateLimits={"concurrentRequests": 1}),
    "shared-outage": _limited("shared-outage", requestsPerMinute=10),
    "shared-load": a_model("shared-load", rateLimits={"concurrentRequests": 4, "tokensPerMinute": 1_000_000}),
    "shared-silence": _limited("shared-silence", requestsPerMinute=100, concurrentRequests=5),
    "shared-down": balanced("shared-down-a", "shared-down-b"),
}
# Two resources that have nothing in common but their names. Each proxy has the one of its namespace.
TWIN = {
    **_limited("twin", requestsPerMinute=2),
    "modelName": "twin",
    "caching": {"enabled": True, "backend": "redis", "ttl": "1h"},
}


@dataclass
class Pair:
    """Two proxies and their redis."""

    first: Laboratory
    second: Laboratory
    server: RedisServer

    @property
    def both(self) -> tuple[Laboratory, Laboratory]:
        """Both proxies."""
        return self.first, self.second

    def ask_both(self, model: str, count: int, **body: Any) -> list[httpx.Response]:
        """Ask `count` questions at the same time, half of them each proxy."""
        with ThreadPoolExecutor(count) as pool:
            asked = [pool.submit(self.both[number % 2].ask, model, **body) for number in range(count)]
            return [future.result() for future in asked]

    def sharing(self) -> None:
        """Wait until both proxies have found their redis."""
        eventually(lambda: [_is_sharing(laboratory) for laboratory in self.both], all)


def _is_sharing(laboratory: Laboratory) -> bool:
    log = laboratory.gateway.log.read_text(encoding="utf-8")
    return log.rfind("redis is reachable again") >= log.rfind("redis is unreachable")


@pytest.fixture(scope="module")
def proxies(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    program = redis_server.find_or_skip("NOTHING ABOUT LIMITS OF SEVERAL PROXIES IS TESTED")
    server = RedisServer(program, tmp_path_factory.mktemp("redis"), REDIS_PASSWORD)
    server.start()
    gateways = []
    with StandIn() as provider:
        provider.base("twin")
        for namespace in ("team-a", "team-b"):
            folder = tmp_path_factory.mktemp(namespace)
            mounted = mount(MODELS_OF_BOTH, folder, provider)
            (mounted / "model__twin.json").write_text(_twin(namespace, provider), encoding="utf-8")
            gateways.append(Gateway(mounted, folder, folder, environment=redis_environment(server.port)))
        try:
            for gateway in gateways:
                gateway.start()
            for gateway in gateways:
                gateway.wait_until_ready()
            first, second = (Laboratory(gateway, provider) for gateway in gateways)
            yield Pair(first, second, server)
        finally:
            for gateway in gateways:
                gateway.stop()
            server.kill()


def _twin(namespace: str, provider: StandIn) -> str:
    metadata = {"name": "twin", "namespace": namespace}
    manifest = {"apiVersion": "langop.io/v1alpha1", "kind": "LanguageModel", "metadata": metadata, "spec": TWIN}
    return json.dumps(manifest).replace(at("twin"), f"{provider.url}/twin/v1")


@pytest.fixture
def pair(proxies: Pair) -> Pair:
    """Both proxies and their redis, running, in front of a provider that behaves normally."""
    proxies.server.start()
    for laboratory in proxies.both:
        gateway = laboratory.gateway
        if gateway.process is None or gateway.process.poll() is not None:  # a test killed it
            gateway.start()
            gateway.wait_until_ready()
    proxies.sharing()
    proxies.first.provider.reset()
    return proxies


@pytest.mark.parametrize("model", ["shared-rpm", "shared-rpm-two"])
def test_of_thirty_requests_at_two_proxies_exactly_ten_reach_the_providers(pair: Pair, model: str):
    answers = pair.ask_both(model, 30)
    assert statuses(answers) == {200: 10, 429: 20}
    assert all(1 <= int(answer.headers["retry-after"]) <= 60 for answer in answers if answer.status_code == 429)
    assert len(pair.first.seen(model, f"{model}-a", f"{model}-b")) == 10


def test_tokens_of_both_proxies_exceed_their_limit_by_one_request_at_most(pair: Pair):
    pair.first.provider.behave("shared-tpm", usage=(10, 15), delay=0.1)
    answers = pair.ask_both("shared-tpm", 20)
    used = 25 * len(pair.first.seen("shared-tpm"))
    assert 100 <= used <= 100 + 25
    assert statuses(answers) == {200: used // 25, 429: 20 - used // 25}


def test_never_more_than_c_requests_of_both_proxies_are_at_the_provider(pair: Pair):
    pair.first.provider.behave("shared-slots", delay=0.2)
    assert statuses(pair.ask_both("shared-slots", 20)) == {200: 20}
    assert most_in_flight(pair.first.seen("shared-slots")) == 3


def test_namespaces_have_their_own_limits_and_answers(pair: Pair):
    """For models of the same name."""
    for laboratory in pair.both:
        answers = [laboratory.ask("twin", "The same question of both"), *laboratory.ask_often("twin", 2)]
        assert [answer.status_code for answer in answers] == [200, 200, 429]
    asked = [seen.body["messages"][0]["content"] for seen in pair.first.seen("twin")]
    assert asked.count("The same question of both") == 2
    for laboratory in pair.both:  # each has its own answer
        assert laboratory.ask("twin", "The same question of both").status_code == 200
    assert len(pair.first.seen("twin")) == 4


def test_an_endpoint_that_one_proxy_found_down_is_left_out_by_the_other(pair: Pair):
    pair.first.provider.behave("shared-down-a", status=500)
    assert statuses(pair.first.ask_often("shared-down", 6)) == {200: 6}
    failed = len(pair.first.seen("shared-down-a"))
    assert failed == 3
    eventually(lambda: "down shared-down/" in pair.server.said())
    time.sleep(2)  # the other one hears of it once a second
    assert statuses(pair.second.ask_often("shared-down", 6)) == {200: 6}
    assert len(pair.first.seen("shared-down-a")) == failed


def test_nothing_of_a_caller_is_in_redis_but_cached_answers(pair: Pair):
    pair.server.client.flushall()
    headers = {"Authorization": f"Bearer {CALLER}"}
    for model in ("shared-slots", "shared-down", "twin"):
        body = {"model": model, "messages": [{"role": "user", "content": "A word: rhododendron"}]}
        plain_http.post(f"{pair.first.gateway.url}/v1/chat/completions", json=body, headers=headers, timeout=60)
    time.sleep(1.5)  # processes report about endpoints once a second
    answers = pair.server.answers()
    keys = [key.decode() for key in pair.server.client.scan_iter("*")]
    assert {key.partition(":")[0] for key in keys if key not in answers} == {"langop"}
    said_there = pair.server.said(*answers)
    assert "rhododendron" not in said_there
    assert not any(CALLER in text for text in (said_there, *keys))


def test_a_redis_that_dies_and_returns_loses_no_request_and_no_count(pair: Pair):
    model = "shared-outage"
    assert statuses(pair.first.ask_often(model, 3)) == {200: 3}
    pair.server.kill()
    assert statuses(pair.second.ask_often(model, 3)) == {200: 3}
    assert statuses(pair.first.ask_often(model, 1)) == {200: 1}
    pair.server.start()
    pair.sharing()
    assert statuses(pair.ask_both(model, 10)) == {200: 3, 429: 7}
    assert len(pair.first.seen(model)) == 10


def test_a_redis_that_dies_and_returns_under_load_loses_no_request(pair: Pair):
    model = "shared-load"
    pair.first.provider.behave(model, delay=0.2)
    with ThreadPoolExecutor(1) as pool:
        asked = pool.submit(pair.ask_both, model, 60)
        pair.first.wait_for(10, model)
        pair.server.kill()
        pair.first.wait_for(25, model)
        assert not all(_is_sharing(laboratory) for laboratory in pair.both)
        pair.server.start()
        assert statuses(asked.result()) == {200: 60}
    assert most_in_flight(pair.first.seen(model)) <= 4 + 4  # while redis is down, each proxy keeps the limit by itself


def test_a_silent_redis_holds_no_request_up_for_long(pair: Pair):
    model = "shared-silence"
    pair.first.ask(model)
    pair.server.pause()
    try:
        began = time.monotonic()
        assert statuses(pair.ask_both(model, 20)) == {200: 20}
        assert time.monotonic() - began < 20  # each would wait for two seconds, one after the other
    finally:
        pair.server.go_on()
    pair.sharing()


def test_the_password_of_redis_is_in_no_log(pair: Pair):
    assert not any(REDIS_PASSWORD in laboratory.gateway.log.read_text(encoding="utf-8") for laboratory in pair.both)


def test_a_proxy_that_is_killed_gives_its_places_back(pair: Pair):
    pair.first.provider.behave("shared-dead", statuses=["hang"])
    pair.first.ask_in_background("shared-dead", "Never answered")
    pair.first.wait_for(1, "shared-dead")
    waiting = pair.second.ask_in_background("shared-dead", "Waits for the place")
    time.sleep(1)
    assert not waiting.done()
    dead = pair.first.gateway
    assert dead.process is not None
    for pid in family(dead.process.pid):  # the launcher first, so that nobody replaces its worker
        os.kill(pid, signal.SIGKILL)
    dead.process.wait()
    assert said(waiting.result()) == "You said: Waits for the place"
