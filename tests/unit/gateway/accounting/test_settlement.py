"""Requests that are over are counted and logged together."""

from __future__ import annotations

import dataclasses
import errno
import io
import json
import logging
import os
import time
from collections.abc import Callable
from datetime import datetime

import pytest
from opentelemetry.trace import INVALID_SPAN_CONTEXT, NonRecordingSpan

from langop_model.contract.settings import Endpoint, Group, Log
from langop_model.gateway.accounting.metrics import Metrics
from langop_model.gateway.accounting.prices import Prices
from langop_model.gateway.accounting.recorder import Accounting, Recorder
from langop_model.gateway.accounting.request_log import RequestLog
from langop_model.gateway.accounting.request_record import RequestRecord
from langop_model.gateway.accounting.settlement import MOST
from langop_model.gateway.upstreams.base import FailureKind, Route, UpstreamError
from langop_model.log_format import JsonFormatter

GROUP = Group("m", "resource", (Endpoint("m/0"),))


class Turn:
    """A turn of an event loop; the test says when its end has come, or the time is over."""

    def __init__(self) -> None:
        self.at_end: list[Callable[[], None]] = []
        self.at_time: list[Callable[[], None]] = []

    def soon(self, call: Callable[[], None]) -> None:
        self.at_end.append(call)

    def later(self, _: float, call: Callable[[], None]) -> None:
        self.at_time.append(call)


class Worker:
    """An accounting in a turn, or without one."""

    def __init__(self, turn: Turn | None = None, group: Group = GROUP) -> None:
        self.output = io.StringIO()
        self.metrics = Metrics([GROUP])
        self.group = group
        self.accounting = Accounting(self.metrics, RequestLog("INFO", self.output, JsonFormatter()), Prices({}), turn=turn)

    def begin(self, name: str) -> Recorder:
        record = self.accounting.begin("POST", "/v1/chat/completions", Route.CHAT, name)
        record.asked(self.group, {"messages": []})
        return record

    def finish(self, *names: str) -> None:
        """Let a request of each name begin and end."""
        for name in names:
            self.begin(name).finished(200)

    def logged(self) -> list[str]:
        return [json.loads(line)["call_id"] for line in self.output.getvalue().splitlines()]

    def counted(self) -> float:
        return self.metrics.requests.labels("m", "success").value


def test_without_a_turn_a_request_is_counted_and_logged_at_once():
    worker = Worker()
    worker.finish("a")
    assert (worker.logged(), worker.counted()) == (["a"], 1)


def test_those_that_are_over_wait_for_each_other_for_some_time():
    turn = Turn()
    worker = Worker(turn)
    worker.finish("a", "b")
    assert (worker.logged(), worker.counted(), turn.at_end, len(turn.at_time)) == ([], 0, [], 1)
    turn.at_time[0]()
    assert (worker.logged(), worker.counted()) == (["a", "b"], 2)
    worker.finish("c")
    assert len(turn.at_time) == 2


def test_so_many_wait_no_longer():
    turn = Turn()
    worker = Worker(turn)
    worker.finish(*"a" * (MOST - 1))
    assert turn.at_end == []
    worker.finish("b", "c")
    assert len(turn.at_end) == 1
    turn.at_end[0]()
    assert worker.counted() == MOST + 1


def test_one_that_must_not_wait_takes_the_others_along():
    turn = Turn()
    worker = Worker(turn)
    worker.finish("a")
    worker.begin("b").finished(500, failure=FAILURE)
    turn.at_end[0]()
    assert worker.logged() == ["a", "b"]
    turn.at_time[0]()
    assert worker.logged() == ["a", "b"]


FAILURE = UpstreamError(FailureKind.HTTP, 500, "broken", cause="server_error")


@pytest.mark.parametrize("what", ["a failure", "a question that is logged", "an answer that is logged", "a span"])
def test_what_must_not_wait_is_settled_at_the_end_of_the_turn(what: str):
    turn = Turn()
    log = Log(requests=what == "a question that is logged", responses=what == "an answer that is logged")
    worker = Worker(turn, dataclasses.replace(GROUP, log=log))
    record = worker.begin("a")
    if what == "a failure":
        record.failed(FAILURE)
    if what == "a span":
        record.span = NonRecordingSpan(INVALID_SPAN_CONTEXT)  # type: ignore[assignment]
    record.finished(200)
    assert (len(turn.at_end), turn.at_time) == (1, [])


def test_a_line_says_when_its_request_was_over():
    turn = Turn()
    worker = Worker(turn)
    before = time.time()
    worker.finish("a")
    after = time.time()
    time.sleep(0.01)
    turn.at_time[0]()
    said = datetime.fromisoformat(json.loads(worker.output.getvalue())["timestamp"]).timestamp()
    assert before - 0.001 <= said <= after


def test_a_request_that_is_over_does_not_keep_its_body():
    record = Worker(Turn()).begin("a")
    assert record.body is not None
    record.finished(200)
    assert record.body is None


def test_one_that_fails_keeps_no_other_back(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture):
    turn = Turn()
    worker = Worker(turn)
    worker.finish("a", "b", "c")
    write = worker.accounting.log.write

    def fails_for_b(record: RequestRecord, ended: float) -> None:
        if record.call_id == "b":
            raise ValueError("b")
        write(record, ended)

    monkeypatch.setattr(worker.accounting.log, "write", fails_for_b)
    with caplog.at_level(logging.ERROR):
        turn.at_time[0]()
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
    worker = Worker()
    worker.output = worker.accounting.log.stream = disk = FullDisk()
    worker.finish("a")
    disk.is_full = False
    worker.finish("b")
    assert (worker.logged(), worker.counted()) == (["b"], 2)
    assert [record.getMessage() for record in caplog.records] == [
        "could not write 1 of the request log's lines: [Errno 28] No space left on device"
    ]
