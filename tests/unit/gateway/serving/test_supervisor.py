"""The supervisor with its workers, and a small application: starting, changing, dying, stopping."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.conftest import ROOT
from tests.support import plain_http
from tests.support.load import Load
from tests.support.proc import children
from tests.support.waiting import eventually
from tools.processes import free_port

PATIENCE = 20.0  # seconds; nothing here takes one


class Small:
    """A running small gateway."""

    def __init__(self, folder: Path, workers: int = 1, **variables: str) -> None:
        self.folder = folder
        self.port = free_port()
        self.want(VERSION="1", **variables)
        command = [sys.executable, "-m", "tests.unit.gateway.small_gateway", str(self.port), str(folder), str(workers)]
        self.process = subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def want(self, **variables: str) -> None:
        (self.folder / "new").write_text(json.dumps(variables), encoding="utf-8")
        (self.folder / "new").replace(self.folder / "wanted.json")

    def url(self, path: str = "") -> str:
        return f"http://127.0.0.1:{self.port}/{path}"

    def get(self, path: str = "") -> httpx.Response:
        return plain_http.get(self.url(path), timeout=PATIENCE)

    def version(self) -> str:
        try:
            answer = self.get()
        except httpx.TransportError:
            return ""
        return answer.text.rstrip(".") if answer.status_code == 200 else ""

    def told(self) -> list[str]:
        file = self.folder / "told"
        return file.read_text(encoding="utf-8").splitlines() if file.exists() else []

    def children(self) -> list[int]:
        return children(self.process.pid)

    def signal(self, number: int = signal.SIGTERM) -> None:
        self.process.send_signal(number)

    def ended(self) -> int:
        return self.process.wait(PATIENCE)


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., Small]]:
    started: list[Small] = []

    def start(**options: Any) -> Small:
        small = Small(tmp_path, **options)
        started.append(small)
        return small

    yield start
    for small in started:
        small.process.kill()
        small.process.communicate()


@pytest.fixture
def small(start: Callable[..., Small]) -> Small:
    """One worker, which is ready."""
    small = start()
    assert eventually(lambda: small.version() == "1" and len(small.children()) == 1)
    return small


@contextlib.contextmanager
def open_answers(small: Small, of_worker: Callable[[str], bool]) -> Iterator[list[httpx.Response]]:
    """Yield answers that take a second, the last of them of a worker whose pid `of_worker` accepts."""
    with contextlib.ExitStack() as opened:
        answers: list[httpx.Response] = []
        while not answers or not of_worker(answers[-1].headers["pid"]):
            answers.append(opened.enter_context(plain_http.stream("GET", small.url("1"), timeout=PATIENCE)))
        yield answers


# Starting.


def refused(small: Small) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", small.port)) != 0


def test_after_the_start_only_the_workers_are_left(start: Callable[..., Small]):
    small = start(workers=2)
    assert eventually(lambda: small.version() == "1")
    assert eventually(lambda: len(small.children()) == 2)


def test_what_the_application_can_not_load_is_told_in_a_line(start: Callable[..., Small]):
    small = start(FAIL="no such\ncallback")
    _, errors = small.process.communicate(timeout=PATIENCE)
    assert small.process.returncode == 1
    assert errors.splitlines()[-1] == "LaunchError: ValueError: no such callback"
    assert "a traceback" not in errors


# A change.


def test_a_change_loses_no_request_on_open_connections(small: Small):
    """Five changes, 2,000 requests."""
    with Load("GET", small.url(), least=2000) as load:
        for changes in range(1, 6):
            small.want(VERSION=f"change {changes}")
            assert eventually(lambda: len(small.told()) == changes)  # noqa: B023 - called at once
    assert load.failures == []
    assert load.statuses == {200: load.count}
    assert small.told() == ["took effect"] * 5
    assert small.version() == "change 5"


def test_a_change_is_told_and_the_former_worker_goes(small: Small):
    (former,) = small.children()
    small.want(VERSION="2")
    assert eventually(lambda: small.version() == "2")
    assert eventually(lambda: small.told() == ["took effect"])
    assert eventually(lambda: former not in small.children())


def test_the_previous_worker_finishes_its_answers(small: Small):
    with plain_http.stream("GET", small.url("0.5"), timeout=PATIENCE) as answer:
        small.want(VERSION="2")
        assert eventually(lambda: small.version() == "2")
        assert answer.read() == b"1."


def test_after_a_change_an_open_connection_is_asked_to_close_and_not_cut(small: Small):
    with httpx.Client(timeout=PATIENCE) as client:
        assert client.get(small.url()).headers.get("connection") != "close"
        small.want(VERSION="2")
        assert eventually(lambda: small.version() == "2")
        time.sleep(0.2)  # the previous worker is notified right after the new one is ready
        last = client.get(small.url())
        assert (last.text, last.headers["connection"]) == ("1.", "close")
        assert client.get(small.url()).text == "2."


def test_a_change_that_can_not_be_loaded_leaves_the_former_worker_serving(small: Small):
    before = small.children()
    small.want(VERSION="2", FAIL="no such model")
    assert eventually(lambda: small.told() == ["failed: ValueError: no such model"])
    assert small.version() == "1"
    assert eventually(lambda: small.children() == before)


def test_a_change_that_no_worker_can_load_is_told_once(start: Callable[..., Small]):
    small = start(workers=3)
    assert eventually(lambda: small.version() == "1" and len(small.children()) == 3)
    small.want(VERSION="2", FAIL="no such model")
    assert eventually(small.told)
    assert eventually(lambda: len(small.children()) == 3)
    assert small.told() == ["failed: ValueError: no such model"]
    assert small.version() == "1"


def test_a_worker_of_a_change_that_failed_finishes_its_answers(start: Callable[..., Small], tmp_path: Path):
    """Two workers of the change: one has taken requests when the other one dies."""
    small = start(workers=2)
    assert eventually(lambda: small.version() == "1" and len(small.children()) == 2)
    before = set(small.children())
    small.want(VERSION="2", HOLD=str(tmp_path))
    ready = int(eventually(small.get, lambda answer: answer.text == "2.").headers["pid"])
    (held,) = set(small.children()) - before - {ready}
    with open_answers(small, lambda pid: pid == str(ready)) as answers:
        os.kill(held, signal.SIGKILL)
        assert {answer.read() for answer in answers} <= {b"1.", b"2."}
    assert eventually(lambda: set(small.children()) == before)
    assert small.version() == "1"


def test_after_a_change_that_failed_the_next_one_is_served(small: Small):
    small.want(VERSION="2", FAIL="no such model")
    assert eventually(small.told)
    small.want(VERSION="3")
    assert eventually(lambda: small.version() == "3")


def test_a_change_that_can_not_be_read_leaves_the_former_worker_serving(small: Small):
    small.want(VERSION="2", UNREADABLE="no such place")
    assert eventually(lambda: small.told() == ["failed: ValueError: no such place"])
    small.want(VERSION="3")
    assert eventually(lambda: small.version() == "3")


def test_until_what_a_change_needs_is_ready_the_former_worker_serves(small: Small, tmp_path: Path):
    before = small.children()
    small.want(VERSION="2", NEEDS=str(tmp_path / "needed"))
    with Load("GET", small.url(), least=500) as load:
        pass
    assert (load.failures, load.statuses) == ([], {200: load.count})
    assert (small.version(), small.children(), small.told()) == ("1", before, [])
    (tmp_path / "needed").touch()
    assert eventually(lambda: small.version() == "2" and small.told() == ["took effect"])


def test_a_worker_that_dies_while_a_change_waits_is_replaced_by_its_like(small: Small, tmp_path: Path):
    small.want(VERSION="2", NEEDS=str(tmp_path / "needed"))
    with pytest.raises(httpx.TransportError):
        small.get("die")
    assert eventually(lambda: small.version() == "1")
    (tmp_path / "needed").touch()
    assert eventually(lambda: small.version() == "2")
    assert [line.partition(":")[0] for line in small.told()] == ["died", "took effect"]


def test_told_to_stop_while_a_change_waits_it_ends_with_0(small: Small, tmp_path: Path):
    small.want(VERSION="2", NEEDS=str(tmp_path / "needed"))
    time.sleep(0.2)
    small.signal()
    assert small.ended() == 0


def test_at_most_two_generations_live_at_a_time(small: Small):
    with plain_http.stream("GET", small.url("1"), timeout=PATIENCE) as answer:
        for version in ("2", "3"):
            small.want(VERSION=version)
            time.sleep(0.3)
            assert len(small.children()) <= 2
        answer.read()
    assert eventually(lambda: small.version() == "3")


# A death.


def test_a_worker_that_dies_is_replaced_and_its_death_told(small: Small):
    with pytest.raises(httpx.TransportError):
        small.get("die")
    assert eventually(lambda: small.version() == "1")
    assert small.told()[0].startswith("died: SIGKILL")


def test_workers_that_die_again_and_again_end_the_gateway(small: Small):
    for _ in range(5):
        assert eventually(lambda: small.version() == "1" or small.process.poll() is not None)
        with pytest.raises(httpx.TransportError):
            small.get("die")
    _, errors = small.process.communicate(timeout=PATIENCE)
    assert errors.splitlines()[-1].startswith("CrashLoopError: SIGKILL")


def test_as_many_deaths_of_several_workers_are_no_end(start: Callable[..., Small]):
    small = start(workers=2)
    for deaths in range(1, 6):
        assert eventually(lambda: small.version() == "1")
        with pytest.raises(httpx.TransportError):
            small.get("die")
        eventually(small.told, lambda told: len(told) == deaths)  # noqa: B023 - called at once
    assert eventually(lambda: len(small.children()) == 2 and small.version() == "1")


def test_a_worker_that_dies_while_another_one_starts_is_replaced(start: Callable[..., Small], tmp_path: Path):
    small = start(workers=2, HOLD=str(tmp_path))
    assert eventually(lambda: small.version() == "1")
    with pytest.raises(httpx.TransportError):
        small.get("die")
    assert eventually(lambda: len(small.told()) == 1 and len(small.children()) == 2)
    (tmp_path / "go").touch()
    assert eventually(lambda: small.version() == "1")


def test_when_the_launcher_is_killed_its_workers_go_too(small: Small):
    (worker,) = small.children()
    small.signal(signal.SIGKILL)
    assert eventually(lambda: not Path(f"/proc/{worker}").exists() or refused(small))
    assert eventually(lambda: refused(small))


def test_a_child_that_process_1_inherits_is_waited_for():
    from langop_model.gateway.serving import child_process

    pid = os.fork()
    if pid == 0:
        os._exit(3)
    assert eventually(lambda: pid in {ended for ended, _ in child_process.reap()})


# Stopping.


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_told_to_stop_it_finishes_its_answers(small: Small, number: int):
    """It ends with 0."""
    with plain_http.stream("GET", small.url("0.5"), timeout=PATIENCE) as answer:
        small.signal(number)
        assert eventually(lambda: refused(small))
        assert answer.read() == b"1."
    assert small.ended() == 0


def test_told_a_second_time_it_ends_at_once(small: Small):
    with plain_http.stream("GET", small.url("15"), timeout=PATIENCE) as answer:
        small.signal()
        assert eventually(lambda: refused(small))
        small.signal()
        assert small.ended() == 128 + signal.SIGTERM
        with pytest.raises(httpx.TransportError):
            answer.read()


def test_told_again_and_again_its_exit_code_stays(small: Small):
    """Also while the interpreter ends, when Python has given its signals back to the system."""
    with plain_http.stream("GET", small.url("15"), timeout=PATIENCE):
        while small.process.poll() is None:
            small.signal()
            time.sleep(0.001)
    assert small.ended() == 128 + signal.SIGTERM


def test_told_to_stop_a_worker_just_ready_finishes_its_answers(start: Callable[..., Small], tmp_path: Path):
    """The supervisor finds the worker's message and the signal at once, as on a busy machine."""
    small = start(workers=2, HOLD=str(tmp_path))
    assert eventually(lambda: small.version() == "1")
    first = small.get().headers["pid"]
    small.signal(signal.SIGSTOP)
    (tmp_path / "go").touch()
    assert eventually(lambda: small.get().headers["pid"] != first)
    with open_answers(small, lambda pid: pid != first) as answers:
        small.signal()
        small.signal(signal.SIGCONT)
        assert {answer.read() for answer in answers} == {b"1."}
    assert small.ended() == 0


def test_told_to_stop_during_a_change_both_generations_finish(small: Small):
    with plain_http.stream("GET", small.url("0.6"), timeout=PATIENCE) as former:
        small.want(VERSION="2")
        assert eventually(lambda: small.version() == "2")
        with plain_http.stream("GET", small.url("0.3"), timeout=PATIENCE) as present:
            small.signal()
            assert (former.read(), present.read()) == (b"1.", b"2.")
    assert small.ended() == 0
