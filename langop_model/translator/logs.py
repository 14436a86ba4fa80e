"""What the translator writes: lines as all other processes of the gateway write them, without keys and texts of callers.

LiteLLM's errors and warnings are among them, and what it or a callback prints. LiteLLM puts requests, answers and texts of
exceptions into its lines: of each only what stands in LiteLLM's source is written (log_templates.py), with where that is and
how often. What LiteLLM says below a warning holds whole requests and is not written at all.
"""

from __future__ import annotations

import io
import logging
import sys
import time
import warnings
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TextIO

from langop_model import log_format
from langop_model.gateway.upstreams.redaction import HIDDEN, SHORTEST
from langop_model.translator import log_templates

LOGGER = logging.getLogger("langop.translator")
PRINTED = logging.getLogger("langop.translator.printed")
_LITELLM = ("LiteLLM", "LiteLLM Router", "LiteLLM Proxy")
_LONGEST = 2000  # characters of a message
_REPEAT_INTERVAL = 60.0  # seconds between two lines of one place in LiteLLM's source: a stream may warn at each event

_secrets: dict[str, None] = {}
_KEPT = 1000  # keys are few; what a caller can make many of is not kept here


def remember(secrets: Iterable[str]) -> None:
    """Hide these values in every line from now on."""
    for secret in secrets:
        if len(secret) >= SHORTEST and secret not in _secrets:
            _secrets[secret] = None
            if len(_secrets) > _KEPT:
                del _secrets[next(iter(_secrets))]


def without_secrets(text: str) -> str:
    """Return a text without the remembered values, the longest first: one may be a part of another."""
    for secret in sorted(_secrets, key=len, reverse=True):
        text = text.replace(secret, HIDDEN)
    return text


class Redaction(logging.Filter):
    """Cuts a record to what may be written: no secret, and of an exception its type alone."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Cut it; it is written always."""
        message = record.getMessage()
        if record.exc_info and record.exc_info[0] is not None:
            message = f"{message} ({record.exc_info[0].__name__})"
        record.msg, record.args = without_secrets(message)[:_LONGEST], ()
        record.exc_info = record.exc_text = record.stack_info = None
        return True


class LiteLLMLines(logging.Filter):
    """Makes a line of LiteLLM's one without values: what its source says at `source`, and `times` since the last such line."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self.clock = clock
        # When, by the place in the source; places are as many as LiteLLM's calls.
        self.written: dict[tuple[str, int], float] = {}
        self.waiting: dict[tuple[str, int], int] = {}  # lines since then that were not written

    def filter(self, record: logging.LogRecord) -> bool:
        """Cut a line to what it may say; return whether it is written now."""
        if record.name not in _LITELLM and not record.name.startswith("litellm."):
            return True
        place, now = (record.pathname, record.lineno), self.clock()
        times = self.waiting.pop(place, 0) + 1
        if now < self.written.get(place, -_REPEAT_INTERVAL) + _REPEAT_INTERVAL:
            self.waiting[place] = times
            return False
        self.written[place] = now
        source = f"{_short_path(record.pathname)}:{record.lineno}"
        for name in record.__dict__.keys() - log_format.NOT_FIELDS:  # what LiteLLM would add to the line
            delattr(record, name)
        record.msg, record.args = log_templates.template(*place) or f"LiteLLM says something at {source}", ()
        record.source, record.times = source, times
        return True


class Printed(io.TextIOBase):
    """Standard output or error of a program that logs: each line that is printed becomes a line of the log."""

    def __init__(self) -> None:
        self._rest = ""

    def write(self, text: str) -> int:
        """Take a part of a line, or several."""
        *lines, self._rest = (self._rest + text).split("\n")
        for line in lines:
            if line.strip():
                PRINTED.info("%s", log_format.plain(line))
        self._rest = self._rest[-_LONGEST:]
        return len(text)

    def isatty(self) -> bool:
        return False


def install(level: str, stream: TextIO | None = None) -> None:
    """Write to `stream` what is printed, the translator's lines from `level` on, and others' from WARNING on at most."""
    log_format.configure(level, stream)
    root = logging.getLogger()
    root.setLevel(max(root.level, logging.WARNING))
    log_format.log_uncaught()
    for handler in root.handlers:
        handler.addFilter(LiteLLMLines())
        handler.addFilter(Redaction())
    LOGGER.setLevel(level)
    PRINTED.setLevel(logging.INFO)
    warnings.showwarning = _warn
    sys.stdout = sys.stderr = Printed()


def adopt_litellm() -> None:
    """Take LiteLLM's loggers over, after its import has given them handlers of their own."""
    for name in _LITELLM:
        logger = logging.getLogger(name)
        logger.handlers.clear()
        logger.propagate = True
        logger.setLevel(logging.NOTSET)  # as the root logger


def _short_path(path: str) -> str:
    """Return a source file's path from its package on: litellm/utils.py."""
    parts = Path(path).parts
    at = len(parts) - 1 - parts[::-1].index("litellm") if "litellm" in parts else len(parts) - 2
    return "/".join(parts[max(at, 0) :])


def _warn(
    message: Warning | str,  # noqa: ARG001 - pydantic's hold what a client wrote
    category: type[Warning],
    filename: str,
    lineno: int,
    file: TextIO | None = None,  # noqa: ARG001
    line: str | None = None,  # noqa: ARG001
) -> None:
    LOGGER.warning("%s in %s, line %s", category.__name__, "/".join(Path(filename).parts[-2:]), lineno)
