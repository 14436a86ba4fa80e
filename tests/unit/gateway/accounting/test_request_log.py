"""The request log: the lines of several requests are written together."""

from __future__ import annotations

import json
from typing import Any

import pytest

from langop_model.gateway.accounting.request_log import RequestLog
from langop_model.gateway.accounting.request_record import RequestRecord
from langop_model.log_format import JsonFormatter

ATOMIC = 4096  # bytes that a pipe takes at once, whoever else writes to it (pipe(7))


class Output:
    """A standard output: what it holds, and what has left it."""

    def __init__(self) -> None:
        self.held = ""
        self.left: list[str] = []

    def write(self, text: str) -> None:
        self.held += text

    def flush(self) -> None:
        self.left.append(self.held)
        self.held = ""


class Log:
    """A log and its output."""

    def __init__(self) -> None:
        self.output = Output()
        self.log = RequestLog("INFO", self.output, JsonFormatter())  # type: ignore[arg-type]

    def write(self, *names: str, **more: Any) -> None:
        """Write the line of a request of each name."""
        for name in names:
            self.log.write(RequestRecord("POST", "/v1/chat/completions", None, name, None, status=200, **more), 0.0)

    def left(self) -> list[list[str]]:
        """Return the names of the requests whose lines have left, those of one write together."""
        return [[json.loads(line)["call_id"] for line in text.splitlines()] for text in self.output.left]


@pytest.fixture
def log() -> Log:
    return Log()


def test_lines_leave_together(log: Log):
    log.write("a", "b")
    assert log.left() == []
    log.log.flush()
    assert log.left() == [["a", "b"]]


def test_lines_that_have_left_do_not_leave_again(log: Log):
    log.write("a")
    log.log.flush()
    log.log.flush()
    log.write("b")
    log.log.flush()
    assert log.left() == [["a"], ["b"]]


def test_more_than_a_pipe_takes_at_once_is_not_written_together(log: Log):
    names = [f"{number:099}" for number in range(100)]
    log.write(*names)
    log.log.flush()
    assert [name for each in log.left() for name in each] == names
    assert max(len(text) for text in log.output.left) <= ATOMIC
    assert len(log.left()) < 10


def test_a_long_line_is_written_alone(log: Log):
    log.write("a", "b" * ATOMIC, "c")
    log.log.flush()
    assert [len(each) for each in log.left()] == [1, 1, 1]
