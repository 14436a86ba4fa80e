"""What the translator writes: each line in the gateway's one format, without keys and without texts of callers."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import Any

from tests.conftest import ROOT

SECRET = "sk-not-a-real-key-4711"
PROGRAM = """
import logging, sys, threading, warnings
from langop_model.translator import logs
logs.install("INFO")
logs.remember(["sk-not-a-real-key-4711"])
{}
"""


def written(code: str, log_format: str = "json") -> list[str]:
    """Return the lines of a program, of both streams."""
    environment = {**os.environ, "LANGOP_LOG_FORMAT": log_format}
    command = [sys.executable, "-c", PROGRAM.format(code)]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    return (done.stdout + done.stderr).splitlines()


def line(code: str) -> dict[str, Any]:
    """Return the one line of a program."""
    (found,) = written(code)
    parsed: dict[str, Any] = json.loads(found)
    assert parsed["timestamp"].endswith("Z")
    return parsed


def test_a_line_of_another_library_is_one_of_ours():
    found = line('logging.getLogger("somebody").warning("beware of %s", "dogs")')
    assert (found["level"], found["message"], found["logger"]) == ("WARNING", "beware of dogs", "somebody")


def test_a_key_is_hidden():
    assert line(f'logs.LOGGER.error("with {SECRET}")')["message"] == "with [hidden]"


def test_of_an_exception_only_the_type_is_said():
    code = 'try:\n    raise ValueError("what the caller wrote")\nexcept ValueError:\n    logs.LOGGER.exception("it failed")'
    found = line(code)
    assert found["message"] == "it failed (ValueError)"
    assert "caller" not in json.dumps(found)


def test_of_a_warning_the_text_is_not_said():
    found = line('warnings.warn("input_value=what the caller wrote", UserWarning)')
    assert found["level"] == "WARNING"
    assert "UserWarning in " in found["message"]
    assert "caller" not in json.dumps(found)


def test_what_is_printed_is_a_line_on_either_stream():
    for stream in ("stdout", "stderr"):
        assert line(f'print("\\033[1mbold\\033[0m", file=sys.{stream})')["message"] == "bold"


def test_an_exception_that_nothing_catches_is_a_line():
    assert line('raise ValueError("what the caller wrote")')["message"] == "an exception that nothing caught (ValueError)"


def test_the_exception_of_a_thread_is_a_line():
    found = line('threading.Thread(target=lambda: 1 / 0, name="exporter").start()')
    assert found["message"] == "a thread has failed: exporter (ZeroDivisionError)"


def test_text_is_for_people():
    (found,) = written('logs.LOGGER.error("here I am")', "text")
    assert "ERROR   here I am" in found
    assert not found.startswith("{")
