"""GET /health of several workers is one truth, whichever of them answers."""

from __future__ import annotations

import os
import signal
import time
from typing import Any

import pytest

from tests.live.hurt import Hurt, processes
from tests.live.laboratory import Laboratory
from tests.support import plain_http
from tests.support.proc import command_line
from tests.support.waiting import eventually

pytest_plugins = ["tests.live.hurt"]


def health(hurt: Hurt) -> dict[str, Any]:
    answer = plain_http.get(f"{hurt.laboratory.gateway.url}/health", timeout=60)
    assert answer.status_code == 200
    report: dict[str, Any] = answer.json()
    return report


@pytest.fixture(scope="module")
def told(hurt: Hurt) -> dict[str, Any]:
    """What a worker says that has been asleep while the other one found an endpoint dead and kept requests waiting."""
    eventually(lambda: len(workers(hurt)) == 2)
    asleep, awake = workers(hurt)
    laboratory = Laboratory(hurt.laboratory.gateway, hurt.laboratory.provider)  # without a connection to either
    os.kill(asleep, signal.SIGSTOP)
    try:
        laboratory.ask_often("unseen", 12)
        laboratory.provider.behave("narrow", delay=2.0)
        waiting = [laboratory.ask_in_background("narrow") for _ in range(3)]
        eventually(lambda: health(hurt)["models"]["narrow"]["queued"] == 2)
        time.sleep(1.2)  # shared_metrics.INTERVAL
        os.kill(awake, signal.SIGSTOP)
    finally:
        os.kill(asleep, signal.SIGCONT)
    try:
        return health(hurt)
    finally:
        os.kill(awake, signal.SIGCONT)
        assert [each.result(60).status_code for each in waiting] == [200] * 3


def workers(hurt: Hurt) -> list[int]:
    return [pid for pid in processes(hurt)[1:] if b"langop_model.translator" not in command_line(pid)]


def test_it_says_what_another_worker_has_seen_of_an_endpoint(told: dict[str, Any]):
    alive, dead = told["models"]["unseen"]["endpoints"]
    assert (alive["status"], dead["status"]) == ("up", "down")
    assert dead["failures_in_a_row"] >= 3
    assert dead["last_error"]["cause"] == "server_error"
    assert dead["since"] < dead["cooldown_until"]
    assert told["models"]["unseen"]["status"] == "degraded"


def test_it_counts_what_waits_at_another_worker(told: dict[str, Any]):
    narrow = told["models"]["narrow"]
    assert (narrow["queued"], narrow["endpoints"][0]["in_flight"]) == (2, 1)
    assert narrow["limits"]["concurrentRequests"] == {"limit": 1, "used": 1}
