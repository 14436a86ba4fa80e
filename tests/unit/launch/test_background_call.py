"""Something that is computed in another process: its result, its error, and its defects."""

from __future__ import annotations

import os
import signal
import time

import pytest

from langop_model.launch.background_call import ForkedCall
from langop_model.renderer import findings
from langop_model.renderer.findings import SpecError

LARGE = "x" * 1_000_000  # more than a pipe holds


def test_the_result_comes_from_another_process():
    assert ForkedCall(os.getpid, SpecError).result() != os.getpid()


def test_a_large_result_is_whole():
    assert ForkedCall(lambda: LARGE, SpecError).result() == LARGE


def test_it_says_when_it_is_done():
    began = ForkedCall(lambda: time.sleep(0.2), SpecError)
    assert not began.done
    deadline = time.monotonic() + 10
    while not began.done:
        assert time.monotonic() < deadline
    assert began.result() is None


def test_what_is_wrong_with_a_specification_arrives_whole():
    problem = SpecError([findings.make("LM703", ("spec", "models", 1), file="/models"), findings.make("LM726")])

    def fail() -> None:
        raise problem

    with pytest.raises(SpecError) as caught:
        ForkedCall(fail, SpecError).result()
    assert caught.value.findings == problem.findings


def test_a_defect_shows_itself_here(capfd: pytest.CaptureFixture[str]):
    def fail() -> None:
        raise KeyError(os.getpid())

    with pytest.raises(KeyError) as caught:
        ForkedCall(fail, SpecError).result()
    assert caught.value.args == (os.getpid(),)
    assert capfd.readouterr().err == ""


def test_a_child_that_was_killed_costs_nothing_but_time():
    parent = os.getpid()

    def die_once() -> str:
        if os.getpid() != parent:
            os.kill(os.getpid(), signal.SIGKILL)
        return "here"

    assert ForkedCall(die_once, SpecError).result() == "here"
