"""How a line of the log looks: one JSON object for machines, text for people at a terminal. One formatter for every process.

python-json-logger, because it is a formatter of the standard library's logging: uvicorn's, LiteLLM's and our own loggers
use it as they are. structlog would have to wrap each of them, takes ten times as long to import, and is no faster for a
foreign logger.
"""

from __future__ import annotations

import json
import logging
import os
import re
import sys
import threading
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import lru_cache
from types import TracebackType
from typing import Any, TextIO

import orjson
from pythonjsonlogger.core import RESERVED_ATTRS, BaseJsonFormatter

FORMAT_VARIABLE = "LANGOP_LOG_FORMAT"
FORMATS = ("json", "text")
MILLISECONDS = tuple(f".{number:03d}Z" for number in range(1000))  # the end of a time: looked up, because each line has one
ANSI = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
NOT_FIELDS = frozenset({*RESERVED_ATTRS, "color_message", "taskName", "message", "asctime"})  # uvicorn adds color_message
# Loggers that libraries give handlers of their own; their lines are the root logger's here.
FOREIGN = ("uvicorn", "uvicorn.error", "uvicorn.access", "uvicorn.asgi", "LiteLLM", "LiteLLM Router", "LiteLLM Proxy")
SILENT = ("uvicorn.access",)  # the request log says more
WIDTH = len("WARNING")
UNCAUGHT = logging.getLogger("langop.uncaught")


class JsonFormatter(BaseJsonFormatter):
    """`timestamp` in UTC as RFC 3339 has it, `level`, `message`, `logger`, and the record's own fields."""

    def add_fields(self, log_data: dict[str, Any], record: logging.LogRecord, message_dict: dict[str, Any]) -> None:
        """Fill in what a line has."""
        log_data["timestamp"] = timestamp(record.created)
        log_data["level"] = record.levelname
        log_data["message"] = plain(record.message)
        log_data["logger"] = record.name
        log_data.update({name: value for name, value in record.__dict__.items() if name not in NOT_FIELDS})
        log_data.update(message_dict)

    def jsonify_log_record(self, log_data: dict[str, Any]) -> str:
        """Return the line. orjson refuses what is not valid Unicode, and a question may hold it."""
        try:
            return orjson.dumps(log_data, default=_shown, option=orjson.OPT_NON_STR_KEYS).decode()
        except TypeError:
            return json.dumps(log_data, default=_shown, skipkeys=True)

    def line(self, created: float, level: str, message: str, fields: Mapping[str, Any]) -> str:
        """Return a line for who has no record of logging: the request log. `message` is a word."""
        at = timestamp(created)
        try:
            members = orjson.dumps(fields, default=_shown).decode()
        except TypeError:
            return self.jsonify_log_record({"timestamp": at, "level": level, "message": message, **fields})
        return f'{{"timestamp":"{at}","level":"{level}","message":"{message}",{members[1:]}'


class TextFormatter(logging.Formatter):
    """The same for people: time, level, message, and the fields as name=value."""

    def format(self, record: logging.LogRecord) -> str:
        """Return a line, with the traceback below it if there is one."""
        fields = {name: value for name, value in record.__dict__.items() if name not in NOT_FIELDS}
        text = self.line(record.created, record.levelname, plain(record.getMessage()), fields)
        return f"{text}\n{self.formatException(record.exc_info)}" if record.exc_info else text

    def line(self, created: float, level: str, message: str, fields: Mapping[str, Any]) -> str:
        shown = "".join(f" {name}={_short(value)}" for name, value in fields.items() if value is not None)
        return f"{timestamp(created)} {level:<{WIDTH}} {message}{shown}"


def formatter(stream: TextIO | None = None, environment: Mapping[str, str] = os.environ) -> JsonFormatter | TextFormatter:
    """Return the formatter of this process: what LANGOP_LOG_FORMAT says, else text where `stream` is a terminal.

    Raises ValueError for a format that does not exist.
    """
    chosen = environment.get(FORMAT_VARIABLE, "").lower()
    if chosen and chosen not in FORMATS:
        raise ValueError(f"{FORMAT_VARIABLE} is {chosen!r}; it is one of {', '.join(FORMATS)}, or unset")
    stream = stream or sys.stderr
    if not chosen:
        chosen = "text" if stream.isatty() else "json"
    return JsonFormatter() if chosen == "json" else TextFormatter()


def configure(level: str = "INFO", stream: TextIO | None = None, environment: Mapping[str, str] = os.environ) -> None:
    """Let every logger of this process write through the one formatter, to `stream`: standard error unless it says otherwise.

    A library that adds a handler later is not heard twice if this is called again after its import.
    """
    stream = stream or sys.stderr
    handler = logging.StreamHandler(stream)
    handler.setFormatter(formatter(stream, environment))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    for name in FOREIGN:
        logger = logging.getLogger(name)
        logger.handlers.clear()
        logger.propagate = name not in SILENT
    logging.captureWarnings(capture=True)


def log_uncaught() -> None:
    """Let what would be printed as a traceback be a line too: exceptions of a program, of its threads and of its garbage."""

    def of_program(kind: type[BaseException], problem: BaseException, trace: TracebackType | None) -> None:
        if issubclass(kind, KeyboardInterrupt):
            sys.__excepthook__(kind, problem, trace)
        else:
            UNCAUGHT.error("an exception that nothing caught", exc_info=(kind, problem, trace))

    def of_thread(args: threading.ExceptHookArgs) -> None:
        if args.exc_value is not None and not isinstance(args.exc_value, SystemExit):
            name = args.thread.name if args.thread is not None else ""
            UNCAUGHT.error("a thread has failed: %s", name, exc_info=(args.exc_type, args.exc_value, args.exc_traceback))

    def of_garbage(args: Any) -> None:
        problem = args.exc_value or args.exc_type()
        UNCAUGHT.warning(
            "%s", args.err_msg or "an exception was ignored", exc_info=(args.exc_type, problem, args.exc_traceback)
        )

    sys.excepthook, threading.excepthook, sys.unraisablehook = of_program, of_thread, of_garbage


def timestamp(created: float) -> str:
    """Return a time in seconds since 1970 as RFC 3339 writes it, in UTC with milliseconds."""
    seconds = int(created)
    return _second(seconds) + MILLISECONDS[int((created - seconds) * 1000)]


@lru_cache(maxsize=8)
def _second(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S")


def plain(text: str) -> str:
    """Return a text without the codes that color a terminal."""
    return ANSI.sub("", text) if "\x1b" in text else text


def _short(value: Any) -> str:
    if isinstance(value, str) and value and not re.search(r"[\s\"=]", value):
        return value
    return json.dumps(value, default=_shown, skipkeys=True)


def _shown(value: Any) -> str:
    return str(value)
