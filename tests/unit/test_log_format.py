"""Lines of the log: one JSON object each, from whatever logger, or text for people."""

from __future__ import annotations

import io
import json
import logging
import re
from collections.abc import Iterator

import pytest

from langop_model import log_format


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture(autouse=True)
def loggers() -> Iterator[None]:
    root = logging.getLogger()
    kept = root.handlers[:], root.level
    yield
    root.handlers[:], level = kept
    root.setLevel(level)
    logging.captureWarnings(capture=False)


def configured(**environment: str) -> io.StringIO:
    stream = io.StringIO()
    log_format.configure("INFO", stream, environment)
    return stream


def test_a_line_is_one_json_object():
    stream = configured()
    logging.getLogger("langop").info("served %d models\nin two lines", 2, extra={"models": ["a", "b"], "hash": "abc"})
    line = json.loads(stream.getvalue())
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", line.pop("timestamp"))
    assert line == {
        "level": "INFO",
        "message": "served 2 models\nin two lines",
        "logger": "langop",
        "models": ["a", "b"],
        "hash": "abc",
    }
    assert stream.getvalue().count("\n") == 1


def test_time_level_and_message_come_first():
    stream = configured()
    logging.getLogger("x").warning("m", extra={"a": 1})
    assert list(json.loads(stream.getvalue())) == ["timestamp", "level", "message", "logger", "a"]


@pytest.mark.parametrize("name", ["uvicorn.error", "LiteLLM", "anything.else"])
def test_the_loggers_of_libraries_write_the_same_lines(name: str):
    library = logging.getLogger(name)
    library.addHandler(logging.StreamHandler(io.StringIO()))
    stream = configured()
    library.error("\x1b[31mStarted\x1b[0m server", extra={"color_message": "\x1b[36mStarted"})
    assert "\x1b" not in stream.getvalue()
    line = json.loads(stream.getvalue())
    assert (line["message"], line["logger"]) == ("Started server", name)
    assert "color_message" not in line
    library.handlers.clear()


def test_the_access_log_of_uvicorn_is_silent():
    stream = configured()
    logging.getLogger("uvicorn.access").info("GET / 200")
    assert stream.getvalue() == ""


def test_an_exception_is_a_field():
    stream = configured()
    try:
        raise RuntimeError("broken")
    except RuntimeError:
        logging.getLogger("x").exception("failed")
    line = json.loads(stream.getvalue())
    assert "RuntimeError: broken" in line["exc_info"]


def test_what_json_does_not_have_is_text():
    stream = configured()
    logging.getLogger("x").info("m", extra={"path": object, "keys": {1: b"2"}, "bad": "\ud800"})
    assert json.loads(stream.getvalue())["message"] == "m"


def test_a_terminal_gets_text():
    form = log_format.formatter(Terminal(), {})
    text = form.line(0, "INFO", "request", {"status_code": 200, "path": "/v1", "error": "two words"})
    assert text == '1970-01-01T00:00:00.000Z INFO    request status_code=200 path=/v1 error="two words"'


@pytest.mark.parametrize(
    ("stream", "variable", "kind"),
    [
        (io.StringIO(), "", log_format.JsonFormatter),
        (Terminal(), "json", log_format.JsonFormatter),
        (io.StringIO(), "TEXT", log_format.TextFormatter),
    ],
)
def test_the_variable_decides(stream: io.StringIO, variable: str, kind: type):
    assert isinstance(log_format.formatter(stream, {"LANGOP_LOG_FORMAT": variable}), kind)


def test_an_unknown_format_says_which_there_are():
    with pytest.raises(ValueError, match="json, text"):
        log_format.formatter(io.StringIO(), {"LANGOP_LOG_FORMAT": "xml"})
