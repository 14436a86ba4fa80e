"""What the translator writes: each line in the gateway's one format, without keys and without texts of callers."""

from __future__ import annotations

import importlib.util
import json
import logging
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from langop_model.translator import log_templates, logs
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


# LiteLLM's own lines.

SECRET_TEXT = "what the caller wrote"
LITELLM_MODULE = f"""
import logging
log = logging.getLogger("LiteLLM")
said = {SECRET_TEXT!r}
DROPPED = "dropping %s"
{{call}}
"""


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            'log.warning(f"dropping {said!r}, as {said} has no such part")',
            "dropping …, as … has no such part",
        ),
        ('log.warning("dropping %s: %.3f s", said, 1.0)', "dropping …: … s"),
        ('log.error("dropping %s" % said)', "dropping …"),
        ('log.error("dropping {}".format(said))', "dropping …"),
        ('log.error("dropping " + said)', "dropping …"),
        ('log.error(\n    "dropping "\n    f"{said}"\n)', "dropping …"),
        ("log.warning(said)", "LiteLLM says something at "),
        ('log.warning("100%")', "100%"),
        ("log.warning(DROPPED, said)", "dropping …"),
    ],
)
def test_of_a_line_of_litellm_only_what_stands_in_its_source_is_said(tmp_path: Path, call: str, message: str):
    found = by_litellm(tmp_path, call)
    assert found["message"].startswith(message)
    assert found["source"].startswith("litellm/module.py:")
    assert found["times"] == 1
    assert SECRET_TEXT not in json.dumps(found)


def test_of_an_exception_that_litellm_logs_the_type_is_said(tmp_path: Path):
    logged = 'log.exception("it failed: %s", e, extra={"detail": said})'
    call = f"try:\n    raise ValueError(said)\nexcept ValueError as e:\n    {logged}"
    found = by_litellm(tmp_path, call)
    assert found["message"] == "it failed: … (ValueError)"
    assert SECRET_TEXT not in json.dumps(found)


def test_what_litellm_says_below_a_warning_is_not_written(tmp_path: Path):
    assert lines_by_litellm(tmp_path, 'log.info("the request is %s", said)') == []


def test_a_place_in_its_source_has_one_line_a_minute_that_counts():
    now = [0.0]
    lines = logs.LiteLLMLines(lambda: now[0])

    def said_at(second: float, line: int = 7) -> tuple[bool, int]:
        now[0] = second
        record = logging.LogRecord("LiteLLM", logging.WARNING, "/somewhere/litellm/utils.py", line, "text", (), None)
        return lines.filter(record), getattr(record, "times", 0)

    assert [said_at(second)[0] for second in (0, 1, 59)] == [True, False, False]
    assert said_at(2, line=8) == (True, 1)
    assert said_at(60) == (True, 3)


def test_most_of_litellms_warnings_say_something():
    """Read from the source of the installed LiteLLM: a line without any constant text tells only where it is."""
    package = Path(importlib.util.find_spec("litellm").submodule_search_locations[0])  # type: ignore[union-attr, index]
    found = [
        log_templates.template(str(file), number)
        for file in (package / "llms").rglob("*.py")
        for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), 1)
        if re.match(r"\s*verbose_logger\.(warning|error|exception)\(", line)
    ]
    assert len(found) > 100
    assert sum(map(bool, found)) > 0.95 * len(found)


def by_litellm(folder: Path, call: str) -> dict[str, Any]:
    (line,) = lines_by_litellm(folder, call)
    return line


def lines_by_litellm(folder: Path, call: str) -> list[dict[str, Any]]:
    """Return the lines of a module of LiteLLM's that logs."""
    module = folder / "litellm" / "module.py"
    module.parent.mkdir()
    (module.parent / "__init__.py").touch()
    module.write_text(LITELLM_MODULE.format(call=call), encoding="utf-8")
    code = f"logs.adopt_litellm()\nsys.path.insert(0, {str(folder)!r})\nimport litellm.module"
    return [json.loads(line) for line in written(code)]
