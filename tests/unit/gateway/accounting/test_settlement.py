"""Requests that are over are counted and logged together."""

from __future__ import annotations

import errno
import io
import json
import logging
import os
from collections.abc import Callable
from typing import TYPE_CHECKING

from langop_model.contract.settings import Endpoint, Group
from langop_model.gateway.accounting.metrics import Metrics
from langop_model.gateway.accounting.prices import Prices
from langop_model.gateway.accounting.recorder import Accounting
from langop_model.gateway.accounting.request_log import RequestLog
from langop_model.gateway.accounting.settlement import at_once
from langop_model.gateway.upstreams.base import Route
from langop_model.log_format import JsonFormatter

if TYPE_CHECKING:
    import pytest

GROUP = Group("m", "resource", (Endpoint("m/0"),))


class Worker:
    """An accounting whose time comes when the test says so."""

    def __init__(self, *, waits: bool = True) -> None:
        self.waiting: list[Callable[[], None]] = []
        self.output = io.StringIO()
        self.metrics = Metrics([GROUP])
        log = RequestLog("INFO", self.output, JsonFormatter())
        self.accounting = Accounting(self.metrics, log, Prices({}), soon=self.waiting.append if waits else at_once)

    def finish(self, *names: str) -> None:
        """Let a request of each name begin and end."""
        for name in names:
            record = self.accounting.begin("POST", "/v1/chat/completions", Route.CHAT, name)
            record.asked(GROUP)
            record.finished(200)

    def logged(self) -> list[str]:
        return [json.loads(line)["call_id"] for line in self.output.getvalue().splitlines()]

    def counted(self) -> float:
        return self.metrics.requests.labels("m", "success").value


def test_a_request_that_is_over_is_counted_and_logged_at_once():
    worker = Worker(waits=False)
    worker.finish("a")
    assert (worker.logged(), worker.counted()) == (["a"], 1)


def test_several_wait_for_one_call():
    worker = Worker()
    worker.finish("a", "b")
    assert (worker.logged(), worker.counted(), len(worker.waiting)) == ([], 0, 1)
    worker.waiting[0]()
    assert (worker.logged(), worker.counted()) == (["a", "b"], 2)


def test_those_that_end_later_wait_for_a_call_of_their_own():
    worker = Worker()
    worker.finish("a")
    worker.waiting[0]()
    worker.finish("b")
    assert (worker.logged(), len(worker.waiting)) == (["a"], 2)
    worker.waiting[1]()
    assert (worker.logged(), worker.counted()) == (["a", "b"], 2)


def test_one_that_fails_keeps_no_other_back(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture):
    worker = Worker()
    worker.finish("a", "b", "c")
    write = worker.accounting.log.write

    def fails_for_b(record: object) -> None:
        if getattr(record, "call_id", "") == "b":
            raise ValueError("b")
        write(record)  # type: ignore[arg-type]

    monkeypatch.setattr(worker.accounting.log, "write", fails_for_b)
    with caplog.at_level(logging.ERROR):
        worker.waiting[0]()
    assert worker.logged() == ["a", "c"]
    assert [record.message for record in caplog.records] == ["a request could not be counted and logged"]


class FullDisk(io.StringIO):
    """An output that can't be written to as long as it `is_full`."""

    is_full = True

    def write(self, text: str) -> int:
        if self.is_full:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return super().write(text)


def test_a_log_that_can_not_be_written_fails_no_request(caplog: pytest.LogCaptureFixture):
    worker = Worker(waits=False)
    worker.output = worker.accounting.log.stream = disk = FullDisk()
    worker.finish("a")
    disk.is_full = False
    worker.finish("b")
    assert (worker.logged(), worker.counted()) == (["b"], 2)
    assert [record.getMessage() for record in caplog.records] == [
        "1 lines of the request log are lost: [Errno 28] No space left on device"
    ]
