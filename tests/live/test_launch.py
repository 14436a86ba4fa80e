"""`launch` with everything that it starts: one stream of logs, several workers, and what is left behind."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from langop_model.gateway.accounting import snapshots
from stand_in import StandIn
from tests.live.changing import put
from tests.live.laboratory import PATIENCE, question
from tests.support import plain_http
from tests.support.proc import children
from tests.support.waiting import eventually
from tools.processes import Gateway


@dataclass
class Two:
    """A gateway of two workers."""

    gateway: Gateway
    provider: StandIn
    folder: Path

    def mount(self, **fields: Any) -> None:
        spec = {"provider": "openai-compatible", "modelName": "two", "observability": {"metrics": True}, **fields}
        put(self.folder / "model.json", json.dumps({"endpoint": f"{self.provider.base('two')}/v1", **spec}))

    def ask(self, count: int) -> None:
        """Ask on connections of their own, which either worker may accept."""
        for _ in range(count):
            answer = plain_http.post(f"{self.gateway.url}/v1/chat/completions", json=question("two"), timeout=PATIENCE)
            assert answer.status_code == 200

    def counted(self) -> float:
        """Return the requests of the model by one scrape, on a connection of its own."""
        text = plain_http.get(f"{self.gateway.url}/metrics", timeout=PATIENCE).text
        found = re.findall(r"^langop_responses_total\{[^}]*\"two\"[^}]*\} ([\d.]+)", text, re.MULTILINE)
        return sum(map(float, found))

    def until_all_count(self, expected: float) -> None:
        """Wait until scrapes of both workers say the same."""
        eventually(lambda: [self.counted() for _ in range(6)] == [expected] * 6)

    def workers(self) -> list[int]:
        assert self.gateway.process is not None
        return children(self.gateway.process.pid)

    def snapshots(self) -> set[str]:
        (folder,) = (self.folder / "tmp").glob("langop-metrics-*")
        return {path.name for path in folder.iterdir() if path.name.isdigit()}

    def saved(self) -> float:
        """Return the requests in the workers' snapshots: what one has counted since its last one is lost when it is killed."""
        (folder,) = (self.folder / "tmp").glob("langop-metrics-*")
        every = [snapshots.load((folder / name).read_bytes()) for name in self.snapshots()]
        return sum(sum(each["langop_responses"].numbers) for each in every if "langop_responses" in each)

    def log(self) -> str:
        return self.gateway.log.read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def two(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Two]:
    folder = tmp_path_factory.mktemp("two")
    (folder / "tmp").mkdir()
    environment = {"LANGOP_WORKERS": "2", "TMPDIR": str(folder / "tmp")}
    with StandIn() as provider:
        two = Two(Gateway(folder / "model.json", folder, folder, environment=environment), provider, folder)
        two.mount()
        with two.gateway:
            yield two


def test_several_workers_add_up_their_metrics(two: Two):
    two.ask(16)
    two.until_all_count(16)


def test_a_worker_that_dies_takes_no_counts_with_it(two: Two):
    eventually(lambda: two.saved() == 16)
    before = set(two.workers())
    os.kill(two.workers()[0], signal.SIGKILL)
    eventually(lambda: len(set(two.workers()) - before) == 1)
    two.until_all_count(16)
    two.ask(4)
    two.until_all_count(20)
    eventually(lambda: two.snapshots() == {str(pid) for pid in two.workers()})


def test_a_change_takes_no_counts_with_it(two: Two):
    before = set(two.workers())
    two.mount(timeout="77s")
    eventually(lambda: "LM724" in two.log() and len(two.workers()) == 2 and not before & set(two.workers()))
    two.until_all_count(20)
    eventually(lambda: two.snapshots() == {str(pid) for pid in two.workers()})


def test_each_line_of_the_log_is_an_object_with_a_time_and_a_level(two: Two):
    lines = [json.loads(line) for line in two.log().splitlines()]
    assert all({"timestamp", "level", "message"} <= line.keys() for line in lines)


def test_one_line_says_what_is_served(two: Two):
    (serving,) = [line for line in map(json.loads, two.log().splitlines()) if line.get("event") == "serving"]
    assert (serving["models"], serving["endpoints"], serving["workers"], serving["redis"]) == (["two"], 1, 2, False)
    assert re.fullmatch(r"[0-9a-f]{12}", serving["configuration"])


def test_one_line_says_what_a_change_has_changed(two: Two):
    (served,) = [line for line in map(json.loads, two.log().splitlines()) if line.get("code") == "LM724"]
    assert "timeout 300 s → 77 s" in served["message"]


def test_half_a_request_holds_no_stop_up_and_nothing_is_left_behind(two: Two):
    """The last one: afterwards the gateway is gone."""
    with socket.create_connection(("127.0.0.1", two.gateway.port), timeout=PATIENCE) as half:
        half.sendall(b"POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\ncontent-length: 100\r\n\r\n{")
        eventually(lambda: plain_http.get(f"{two.gateway.url}/health/readiness", timeout=PATIENCE).status_code == 200)
        assert two.gateway.stop() == 0
    assert list((two.folder / "tmp").iterdir()) == []


@pytest.mark.parametrize("chosen", ["xml", "JSON lines"])
def test_a_format_of_the_log_that_does_not_exist_ends_the_start_with_78(tmp_path: Path, chosen: str):
    termination = tmp_path / "termination-log"
    termination.touch()
    environment = {"LANGOP_TERMINATION_LOG": str(termination), "LANGOP_LOG_FORMAT": chosen}
    gateway = Gateway(tmp_path / "model.json", tmp_path, tmp_path, environment=environment)
    gateway.start()
    assert gateway.process is not None
    assert gateway.process.wait(PATIENCE) == 78
    gateway.stop()
    assert termination.read_text(encoding="utf-8").startswith("error LM738: LANGOP_LOG_FORMAT is ")
