"""A changed specification or key reaches the running gateway: without a lost request, and a wrong one not at all."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Iterator

import pytest

from stand_in import StandIn
from tests.live.changing import Changing, put
from tests.live.laboratory import PATIENCE, question
from tests.support import plain_http
from tests.support.load import Load
from tests.support.waiting import eventually
from tools import memory
from tools.processes import Gateway


@pytest.fixture(scope="module")
def changing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Changing]:
    folder = tmp_path_factory.mktemp("reload")
    with StandIn() as provider:
        changing = Changing(Gateway(folder / "model.json", folder / "secrets", folder), provider, folder)
        changing.mount()
        put(folder / "secrets" / "keys" / "one", "sk-first\n")
        with changing.gateway:
            yield changing


@pytest.fixture
def served(changing: Changing) -> Iterator[int]:
    """How many changes have been served so far; at the end no former worker is left."""
    yield changing.served()
    changing.until_quiet()


def test_five_changes_under_load_lose_no_request(changing: Changing, served: int):
    """And stay within the operator's memory limit."""
    assert changing.gateway.process is not None
    pid = changing.gateway.process.pid
    url = f"{changing.gateway.url}/v1/chat/completions"
    with memory.Most(lambda: memory.used(pid)) as used, Load("POST", url, question("reload", "Hello"), least=2000) as load:
        for change in range(1, 6):
            changing.mount(timeout=f"{change + 60}s")
            changing.until_served(served + change)
    assert load.failures == []
    assert load.statuses == {200: load.count}
    assert "timeout: 65\n" in changing.gateway.config.read_text(encoding="utf-8")
    assert used.most < 512  # MiB


def test_a_rotated_key_is_used_by_the_next_request_without_a_new_worker(changing: Changing):
    before = changing.workers()
    put(changing.folder / "secrets" / "keys" / "one", "sk-rotated\n")
    assert asked_with(changing) == "Bearer sk-rotated"
    assert changing.workers() == before


def asked_with(changing: Changing) -> str | None:
    assert changing.ask().status_code == 200
    return changing.provider.requests[-1].headers.get("authorization")


def test_a_changed_log_level_takes_effect_without_a_new_import(changing: Changing, served: int):
    changing.mount(observability={"logging": {"level": "debug"}})
    changing.until_served(served + 1)
    before = len(changing.log())
    changing.ask()
    eventually(lambda: '"level":"DEBUG"' in changing.log()[before:])
    changing.mount()
    changing.until_served(served + 2)
    changing.until_quiet()
    before = len(changing.log())
    changing.ask()
    time.sleep(0.5)
    assert '"level":"DEBUG"' not in changing.log()[before:]


def test_a_wrong_specification_is_told_and_the_former_one_goes_on(changing: Changing, served: int):
    changing.mount(timeout="soon")
    eventually(lambda: "LM726" in changing.log())
    assert re.search(r"model\.json:1:\d+: LM\d+: spec\.timeout", changing.log())
    assert changing.ask().status_code == 200
    assert changing.served() == served
    changing.mount()


def test_no_key_stands_in_the_log(changing: Changing):
    assert "sk-first" not in changing.log()
    assert "sk-rotated" not in changing.log()


def test_told_to_stop_it_finishes_a_stream(changing: Changing):
    """The exit code is 0. The last one: afterwards the gateway is gone."""
    changing.provider.behave("reload", chunk_delay=0.3)
    assert changing.gateway.process is not None
    body = {**question("reload"), "stream": True}
    with plain_http.stream("POST", f"{changing.gateway.url}/v1/chat/completions", json=body, timeout=PATIENCE) as answer:
        lines = answer.iter_lines()
        first = next(lines)
        os.kill(changing.gateway.process.pid, 15)
        rest = list(lines)
    assert first.startswith("data: {")
    assert "data: [DONE]" in rest
    assert changing.gateway.process.wait(PATIENCE) == 0
