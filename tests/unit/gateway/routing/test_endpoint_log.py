"""The lines about endpoints: which, where, why, and nothing secret."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from langop_model.contract.settings import Endpoint, Group
from langop_model.gateway.routing.endpoint_log import address_of
from langop_model.gateway.routing.endpoints import Endpoints
from tests.unit.gateway.clock import Clock

if TYPE_CHECKING:
    import pytest

URL = "https://user:secret@host:8443/v1?key=secret"


def balanced(clock: Clock) -> Endpoints:
    return Endpoints(Group("m", "m", (Endpoint("m/0", url=URL), Endpoint("m/1"))), clock)


def test_an_address_has_no_credentials():
    assert address_of(Endpoint("m/0", url=URL)) == "https://host:8443/v1"
    assert address_of(Endpoint("m/0", url="https://user:p@ss@host/v1")) == "https://host/v1"
    assert address_of(Endpoint("m/0", url="http://host/v1")) == "http://host/v1"
    assert address_of(Endpoint("m/0")) == ""


def test_failures_in_a_row_are_one_line_with_address_and_reason(caplog: pytest.LogCaptureFixture):
    clock = Clock()
    endpoints = balanced(clock)
    for _ in range(5):
        endpoints.failed(endpoints.states[0], "server_error", 503)
    (line,) = caplog.records
    assert line.levelno == logging.WARNING
    expected = "endpoint m/0 is skipped after 3 failures in a row, for 30 s: server_error (503) (https://host:8443/v1)"
    assert line.getMessage() == expected
    assert (line.__dict__["event"], line.__dict__["endpoint"]) == ("endpoint_down", "m/0")
    assert line.__dict__["url"] == "https://host:8443/v1"
    assert line.__dict__["reason"] == "server_error (503)"


def test_a_second_cooldown_is_a_line_again(caplog: pytest.LogCaptureFixture):
    clock = Clock()
    endpoints = balanced(clock)
    for _ in range(3):
        endpoints.failed(endpoints.states[0], "timeout", 504)
    clock.now += 31
    endpoints.failed(endpoints.states[0], "timeout", 504)
    assert len(caplog.records) == 2


def test_an_answer_after_a_cooldown_is_a_line(caplog: pytest.LogCaptureFixture):
    caplog.set_level(logging.INFO)
    endpoints = balanced(Clock())
    for _ in range(3):
        endpoints.failed(endpoints.states[0], "timeout", 504)
    for _ in range(2):
        endpoints.answered(endpoints.states[0], 0.1)
    (_, line) = caplog.records
    assert (line.levelno, line.getMessage()) == (logging.INFO, "endpoint m/0 is healthy again after an answer")
    assert (line.__dict__["event"], line.__dict__["endpoint"]) == ("endpoint_up", "m/0")


def test_an_answer_that_follows_no_cooldown_is_none(caplog: pytest.LogCaptureFixture):
    caplog.set_level(logging.INFO)
    endpoints = balanced(Clock())
    endpoints.failed(endpoints.states[0], "timeout", 504)
    endpoints.answered(endpoints.states[0], 0.1)
    assert caplog.records == []
