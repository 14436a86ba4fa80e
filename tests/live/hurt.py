"""A gateway of two workers with a redis that is hurt in each way once: for the tests of what an operator then sees.

A test module gets it by `pytest_plugins = ["tests.live.hurt"]`.
"""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from stand_in import StandIn
from stand_in.answer import as_json
from tests.live import redis_server
from tests.live.changing import put
from tests.live.laboratory import NOBODY, PATIENCE, Laboratory, a_model, balanced, mount
from tests.live.observed import REDIS_PASSWORD, redis_environment
from tests.support import plain_http
from tests.support.proc import command_line
from tests.support.waiting import eventually
from tools.memory import family
from tools.processes import Gateway

ONCE: dict[str, Any] = {"retryPolicy": {"maxAttempts": 0}}
PRICES: dict[str, Any] = {"costTracking": {"enabled": True, "inputTokenCost": 0.5, "outputTokenCost": 1.5}}
MEMORY: dict[str, Any] = {"caching": {"enabled": True, "backend": "memory", "ttl": "1h", "maxSize": 1}}
CHECKED: dict[str, Any] = {"healthCheck": {"enabled": True, "interval": "300ms", "timeout": "3s", "unhealthyThreshold": 2}}
WATCHED = {  # not HURT_MODELS: they are no business of the shared laboratory
    "every": a_model("every", **PRICES, **MEMORY, observability={"metrics": True}),
    "limited": a_model("limited", rateLimits={"requestsPerMinute": 1, "tokensPerMinute": 100_000}, timeout="2s"),
    "narrow": a_model("narrow", rateLimits={"concurrentRequests": 1}),
    "dead": balanced("alive", {"url": NOBODY}, **ONCE),
    "unseen": balanced("alive", {"url": NOBODY}, **ONCE),
    "checked": balanced("checked", {"url": NOBODY}, **CHECKED),
    "failing": a_model("failing", **ONCE, fallbacks=[{"modelRef": "every", "conditions": ["error"]}]),
    "changing": a_model("changing"),
}

Series = dict[tuple[str, frozenset[tuple[str, str]]], float]


@dataclass
class Hurt:
    """The gateway, and the scrapes so far by the step that they followed."""

    laboratory: Laboratory
    redis: redis_server.RedisServer
    models: Path
    scrapes: dict[str, Series] = field(default_factory=dict)

    def scrape(self) -> Series:
        """Return the samples of GET /metrics."""
        answer = plain_http.get(f"{self.laboratory.gateway.url}/metrics", timeout=PATIENCE)
        assert answer.status_code == 200
        families = text_string_to_metric_families(answer.text)
        return {(each.name, frozenset(each.labels.items())): each.value for family in families for each in family.samples}

    def until(self, name: str, wanted: Callable[[float], bool], **labels: str) -> None:
        """Scrape until the sum of a metric's samples with these labels is as wanted, and keep that scrape."""

        step = f"{len(self.scrapes)}: {name} {labels}"

        def is_so() -> bool:
            self.scrapes[step] = found = self.scrape()
            return wanted(total(found, name, **labels))

        eventually(is_so)

    def after(self, step: str) -> None:
        """Keep a scrape that both workers' counts have reached."""
        time.sleep(1.2)  # shared_metrics.INTERVAL
        self.scrapes[step] = self.scrape()


def total(series: Series, name: str, **labels: str) -> float:
    """Return the sum of a metric's samples that have these labels; -1 where there is none."""
    found = [value for (each, having), value in series.items() if each == name and labels.items() <= dict(having).items()]
    return sum(found) if found else -1.0


def ask(hurt: Hurt) -> None:
    """Everything that requests move."""
    laboratory, provider = hurt.laboratory, hurt.laboratory.provider
    provider.behave("narrow", delay=1.0)
    waiting = [laboratory.ask_in_background("narrow") for _ in range(4)]
    hurt.until("langop_queue_length", lambda value: value == 3, model="narrow")
    hurt.until("langop_endpoint_requests_in_flight", lambda value: value == 1, model="narrow")
    assert [each.result(PATIENCE).status_code for each in waiting] == [200] * 4
    for text in ("again", "again"):
        laboratory.ask("every", text)
    laboratory.ask("every", stream=True)
    provider.behave("failing", status=500)
    laboratory.ask("failing")
    laboratory.ask_often("limited", 2)
    laboratory.ask("changing")  # has no price
    laboratory.post("/v1/chat/completions", {"model": "every"})
    provider.behave("changing", answer=as_json({"choices": [{"index": 0, "message": {"role": "assistant", "content": "Hi"}}]}))
    laboratory.ask("changing")
    laboratory.ask_often("dead", 12)
    hurt.until("langop_endpoint_in_cooldown", lambda value: value == 1, model="dead")
    hurt.after("asked")


def lose_redis(hurt: Hurt) -> None:
    """Redis dies and comes back."""
    hurt.redis.kill()
    hurt.until("langop_redis_up", lambda value: value == 0)
    hurt.redis.start()
    hurt.until("langop_redis_up", lambda value: value == 1)


def lose_the_translator(hurt: Hurt) -> None:
    """The translator is needed, and dies."""
    answer = hurt.laboratory.post("/v1/responses", {"model": "changing", "input": "Hello"})
    assert answer.status_code in {200, 502}  # the stand-in's answer is no matter here
    hurt.until("langop_translator_up", lambda value: value == 1)
    (translator,) = [pid for pid in processes(hurt) if b"langop_model.translator" in command_line(pid)]
    os.kill(translator, signal.SIGKILL)
    hurt.until("langop_translator_up", lambda value: value == 0)
    hurt.until("langop_translator_restarts_total", lambda value: value == 1)


def lose_a_worker(hurt: Hurt) -> None:
    """A worker dies, and its counts stay. Its replacement is stopped before it is ready, so that a scrape sees it missing."""
    before = total(hurt.scrape(), "langop_requests_total")
    serving = workers(hurt)
    os.kill(serving[0], signal.SIGKILL)
    (replacement,) = eventually(lambda: set(workers(hurt)) - set(serving), interval=0.002)
    os.kill(replacement, signal.SIGSTOP)
    hurt.until("langop_workers", lambda value: value == 1)
    os.kill(replacement, signal.SIGCONT)
    hurt.until("langop_worker_restarts_total", lambda value: value == 1)
    hurt.until("langop_workers", lambda value: value == 2)
    assert total(hurt.scrape(), "langop_requests_total") >= before


def change(hurt: Hurt) -> None:
    """A change can't be written, is written, and then another one is wrong for one model."""
    changing, config = hurt.models / "model__changing.json", hurt.laboratory.gateway.config
    config.unlink()
    config.mkdir()  # so that no file can be written there, as on a full disk
    text = changing.read_text(encoding="utf-8")
    put(changing, text.replace("{", '{"rateLimits": {"requestsPerMinute": 77}, ', 1))
    hurt.until("langop_config_last_reload_successful", lambda value: value == 0)
    config.rmdir()
    hurt.until("langop_config_last_reload_successful", lambda value: value == 1)
    hurt.until("langop_limit", lambda value: value == 77, model="changing")
    put(changing, text.replace("{", '{"timeout": "soon", ', 1))
    hurt.until("langop_models", lambda value: value == 1, state="outdated")


def processes(hurt: Hurt) -> list[int]:
    """Return the gateway's processes."""
    process = hurt.laboratory.gateway.process
    assert process is not None
    return family(process.pid)


def workers(hurt: Hurt) -> list[int]:
    """Return the processes that answer requests."""
    return [pid for pid in processes(hurt)[1:] if b"langop_model.translator" not in command_line(pid)]


@pytest.fixture(scope="session")
def hurt(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hurt]:
    """The gateway after all of it."""
    program = redis_server.find_or_skip("metrics of a redis are not tested")
    folder = tmp_path_factory.mktemp("every-metric")
    redis = redis_server.RedisServer(program, folder, REDIS_PASSWORD)
    redis.start()
    try:
        with StandIn() as provider:
            models = mount(WATCHED, folder, provider)
            environment = {**redis_environment(redis.port), "LANGOP_WORKERS": "2"}
            with Gateway(models, folder, folder, environment=environment) as gateway:
                hurt = Hurt(Laboratory(gateway, provider), redis, models)
                hurt.until("langop_workers", lambda value: value == 2)
                hurt.scrapes = {"start": hurt.scrape()}
                for step in (ask, lose_redis, lose_the_translator, lose_a_worker, change):
                    step(hurt)
                yield hurt
    finally:
        redis.kill()
