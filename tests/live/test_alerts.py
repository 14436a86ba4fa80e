"""deploy/monitoring/alerts.yaml at work: a gateway is hurt, and exactly the alert that is meant for it fires in Prometheus.

The rules are those that are shipped, with two seconds for each minute (prometheus.shortened), 5.12 s instead of 40.96 s as
the objective of latency, and one second instead of five in the queue of a limit. Alerts that have fired are asked for since the
start, so that one too many would not go unnoticed.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

import httpx
import pytest

from stand_in import StandIn
from tests.live import redis_server
from tests.live.observed import REDIS_PASSWORD, ObservedGateway, model, mount, question, redis_environment
from tests.live.prometheus import Prometheus, find_or_skip, shortened
from tests.live.redis_server import RedisServer
from tests.support import plain_http
from tests.support.monitoring import FOLDER
from tests.support.proc import command_line
from tests.support.waiting import eventually
from tools.memory import family
from tools.processes import Gateway

T = TypeVar("T")
RULES = shortened((FOLDER / "alerts.yaml").read_text(encoding="utf-8"))
for _shipped, _tested in {'le="40.96"': 'le="5.12"', "          > 5\n": "          > 1\n"}.items():
    assert _shipped in RULES
    RULES = RULES.replace(_shipped, _tested)
LABELS = {name: {"namespace": "ns", "service": name, "pod": f"{name}-1"} for name in ("gateway", "single")}
LONGEST = 150.0  # seconds; the longest alert takes 60
PAUSE = 0.25  # seconds between two requests to a model
# The gateway's cooldowns are not shortened with the alerts: without them each endpoint is asked all the time.
NO_COOLDOWN = json.dumps({"router_settings": {"cooldown_time": 0.1}})

# What is done to each model, and what fires for it. What is hurt enough for the fast alert is so for the slow one; requests
# that wait for a limit, or that it refuses, have used it up; and where a fallback fails too, clients see failures.
EXPECTED = {
    "steady": set[str](),
    "failing": {"LangopModelFailuresFast", "LangopModelFailuresSlow"},
    "slow": {"LangopModelLatencyFast", "LangopModelLatencySlow"},
    "half": {"LangopModelEndpointDown"},
    "locked": {"LangopModelCredentials"},
    "limited": {"LangopModelLimitNearlyUsed"},
    "throttled": {"LangopModelProviderLimits"},
    "refusing": {"LangopModelRefusals", "LangopModelLimitNearlyUsed"},
    "queueing": {"LangopModelQueue", "LangopModelLimitNearlyUsed"},
    "rescued": {"LangopModelFallbacks"},
    "lost": {"LangopModelFallbacksFail", "LangopModelFailuresFast", "LangopModelFailuresSlow"},
    "last": {"LangopModelEndpointDown"},  # the fallback of `lost`
}
# What else is done, and the replica or service that is hurt: at the start, and when all of that was seen.
AT_ONCE = {
    "LangopModelCost": "gateway",
    "LangopModelChangeRefused": "single-1",
    "LangopModelTranslatorRestarts": "gateway-1",
    "LangopModelNoTraffic": "single",
}
AFTERWARDS = {"LangopModelRedisDown": "gateway-1", "LangopModelDown": "single-1"}
ASKED = ("steady", "failing", "slow", "half", "locked", "throttled", "refusing", "rescued", "lost")


@dataclass
class Watched:
    """Two gateways, their redis, and the Prometheus that scrapes them."""

    laboratory: ObservedGateway
    single: Gateway
    redis: RedisServer
    prometheus: Prometheus
    unaware: Prometheus  # knows of no gateway, as where the ServiceMonitor selects nothing
    traffic: threading.Event = field(default_factory=threading.Event)

    def fired(self) -> set[tuple[str, str]]:
        """Return the alerts that have ever fired, each with the model, endpoint, replica or service that it is about.

        Prometheus discovers its targets after five seconds only, which LangopModelAbsent takes for minutes: that is seen by
        the one that is unaware.
        """
        found = self.prometheus.series('max_over_time(ALERTS{alertstate="firing", alertname!="LangopModelAbsent"}[1h])')
        return {(series["metric"]["alertname"], _subject(series["metric"])) for series in found}

    def fired_for(self, subject: str) -> set[str]:
        """Return the alerts that have ever fired about a model and its endpoints, or about a replica or a service."""
        return {name for name, about in self.fired() if about.partition("/")[0] == subject}


def fires(look: Callable[[], set[T]], expected: set[T]) -> set[T]:
    """Return what has fired, once it is at least what is expected, or once that has taken too long."""
    deadline = time.monotonic() + LONGEST
    while not (fired := look()) >= expected and time.monotonic() < deadline:
        time.sleep(0.5)
    return fired


def _subject(labels: dict[str, str]) -> str:
    return next(labels[name] for name in ("endpoint", "model", "pod", "service") if name in labels)


@pytest.fixture(scope="module")
def watched(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Watched]:
    program = find_or_skip("NO ALERT IS SEEN FIRING")
    redis = RedisServer(redis_server.find_or_skip("NO ALERT IS SEEN FIRING"), tmp_path_factory.mktemp("redis"), REDIS_PASSWORD)
    folder, alone = tmp_path_factory.mktemp("gateway"), tmp_path_factory.mktemp("single")
    with contextlib.ExitStack() as stack:
        provider = stack.enter_context(StandIn())
        _hurt(provider)
        redis.start()
        stack.callback(redis.kill)
        mounted, secrets = mount(folder, _models(provider))
        environment = {**redis_environment(redis.port), "LANGOP_GATEWAY_EXTRA_CONFIG": NO_COOLDOWN}
        gateway = stack.enter_context(Gateway(mounted, secrets, folder, environment=environment))
        single = stack.enter_context(Gateway(_single(alone, provider), secrets, alone))
        gateways = {"gateway": gateway, "single": single}
        prometheus = Prometheus(program, tmp_path_factory.mktemp("prometheus"), gateways, LABELS, RULES)
        stack.callback(prometheus.stop)
        unaware = Prometheus(program, tmp_path_factory.mktemp("unaware"), {}, {}, RULES)
        stack.callback(unaware.stop)
        watched = Watched(ObservedGateway(gateway, provider), single, redis, prometheus, unaware)
        stack.callback(watched.traffic.set)
        _send(watched)
        for hurt in (_spend, _misspell, _kill_translators):
            hurt(watched)
        yield watched


def _models(provider: StandIn) -> list[dict[str, object]]:
    def at(name: str, **spec: object) -> dict[str, object]:
        return model(name, f"{provider.base(name)}/v1", observability={"metrics": True}, **spec)

    def of_two(name: str) -> dict[str, object]:
        urls = [{"url": f"{provider.base(each)}/v1"} for each in (f"{name}-a", f"{name}-b")]
        return at(name, loadBalancing={"strategy": "round-robin", "endpoints": urls})

    limits: dict[str, dict[str, object]] = {
        "limited": {"rateLimits": {"requestsPerMinute": 20}},
        "refusing": {"rateLimits": {"requestsPerMinute": 20}, "timeout": "1s"},
        "queueing": {"rateLimits": {"concurrentRequests": 1}},
    }
    fallbacks = {"rescued": [{"modelRef": "steady"}], "lost": [{"modelRef": "last"}]}
    return [
        *map(at, ("steady", "failing", "slow", "translated", "throttled", "last")),
        *map(of_two, ("half", "locked")),
        *(at(name, **fields) for name, fields in limits.items()),
        *(at(name, fallbacks=entries) for name, entries in fallbacks.items()),
        at("dear", costTracking={"enabled": True, "inputTokenCost": 100.0, "outputTokenCost": 100.0}),
    ]


def _single(folder: Path, provider: StandIn) -> Path:
    mounted = folder / "model.json"
    spec = model("single", f"{provider.base('single')}/v1", observability={"metrics": True})
    mounted.write_text(json.dumps(spec), encoding="utf-8")
    return mounted


def _hurt(provider: StandIn) -> None:
    for name in ("failing", "slow", "half-a", "locked-a", "throttled", "queueing", "rescued", "lost", "last"):
        provider.base(name)
    for name in ("failing", "rescued", "lost"):
        provider.behave(name, statuses=[200, 500] * 2000)
    provider.behave("throttled", statuses=[200, 429] * 2000)
    provider.behave("last", status=500)
    provider.behave("slow", delay=6.0)
    provider.behave("queueing", delay=0.4)
    provider.behave("half-a", status=500)
    provider.behave("locked-a", status=401)


def _send(watched: Watched) -> None:
    """Ask each model again and again until `traffic` is set; use up the limit of `limited` once, and ask `single` once."""

    def again_and_again(name: str) -> None:
        while not watched.traffic.wait(PAUSE):
            with contextlib.suppress(httpx.HTTPError):  # a gateway that is being stopped
                watched.laboratory.post(name, question())

    for name in (*ASKED, "slow", "slow", *["queueing"] * 5):
        threading.Thread(target=again_and_again, args=(name,), daemon=True).start()
    for _ in range(20):
        assert watched.laboratory.post("limited", question()).status_code == 200
    eventually(
        lambda: watched.prometheus.values('sum(langop_requests_total{service="single"})'), lambda values: values == [0.0]
    )
    body = {"model": "single", "messages": [{"role": "user", "content": question()}]}
    assert httpx.post(f"{watched.single.url}/v1/chat/completions", json=body, timeout=60).status_code == 200


def _spend(watched: Watched) -> None:
    """Some dollars within a minute are more than 100 a day, at that pace. Prometheus must have seen that there were none."""
    eventually(
        lambda: watched.prometheus.values('sum(langop_cost_usd_total{service="gateway"})'), lambda values: values == [0.0]
    )
    for _ in range(3):
        assert watched.laboratory.post("dear", question()).status_code == 200


def _misspell(watched: Watched) -> None:
    file = Path(watched.single.environment["LANGOP_MODEL_PATH"])
    file.write_text(file.read_text(encoding="utf-8").replace('"provider"', '"providr"'), encoding="utf-8")


def _kill_translators(watched: Watched) -> None:
    """Kill three of them, one after the other."""
    gateway = watched.laboratory.gateway

    def translators() -> list[int]:
        assert gateway.process is not None
        return [pid for pid in family(gateway.process.pid) if b"langop_model.translator" in command_line(pid)]

    body = {"model": "translated", "input": "Hello"}
    assert plain_http.post(f"{gateway.url}/v1/responses", json=body, timeout=60).status_code == 200
    for _ in range(3):
        for pid in (found := eventually(translators)):
            os.kill(pid, signal.SIGKILL)
        eventually(translators, lambda now, gone=found: not set(now) & set(gone))  # type: ignore[misc]


@pytest.mark.parametrize("name", EXPECTED)
def test_a_model_that_is_hurt_makes_its_alerts_fire_and_no_others(watched: Watched, name: str):
    assert fires(lambda: watched.fired_for(name), EXPECTED[name]) == EXPECTED[name]


@pytest.mark.parametrize("alert", AT_ONCE)
def test_what_is_done_to_a_service_makes_its_alert_fire(watched: Watched, alert: str):
    """`single` has been asked once, at the start, and that traffic has ended."""
    assert alert in fires(lambda: watched.fired_for(AT_ONCE[alert]), {alert})


def test_a_gateway_that_prometheus_does_not_know(watched: Watched):
    firing = 'max_over_time(ALERTS{alertstate="firing"}[1h])'
    expected = {"LangopModelAbsent"}
    assert fires(lambda: {each["metric"]["alertname"] for each in watched.unaware.series(firing)}, expected) == expected


def _makes_fire(watched: Watched, hurt: Callable[[], object], alert: str) -> None:
    before, expected = watched.fired(), {(alert, AFTERWARDS[alert])}
    hurt()
    assert fires(lambda: watched.fired() - before, expected) == expected


def test_a_redis_that_is_down(watched: Watched):
    _makes_fire(watched, watched.redis.kill, "LangopModelRedisDown")


def test_a_replica_that_is_gone(watched: Watched):
    _makes_fire(watched, watched.single.stop, "LangopModelDown")


def test_nothing_else_has_fired(watched: Watched):
    endpoints = ("half", "locked", "last")
    models = {(alert, f"{name}/endpoint-0" if name in endpoints else name) for name in EXPECTED for alert in EXPECTED[name]}
    assert watched.fired() == models | {*AT_ONCE.items(), *AFTERWARDS.items()}


def test_each_alert_is_seen_firing_here():
    seen = {"LangopModelAbsent"}.union(AT_ONCE, AFTERWARDS, *EXPECTED.values())
    assert seen == set(re.findall(r"alert: (\w+)", RULES))
