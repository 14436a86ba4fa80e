"""What the translator writes: lines as all other processes of the gateway write them, without keys and texts of callers.

LiteLLM's errors are among them, and what it or a callback prints. What LiteLLM says below an error holds whole requests, and
the text of an exception or of a warning what a client wrote: neither is written.
"""

from __future__ import annotations

import io
import logging
import sys
import warnings
from collections.abc import Iterable
from pathlib import Path
from typing import TextIO

from langop_model import log_format
from langop_model.gateway.upstreams.redaction import HIDDEN, SHORTEST

LOGGER = logging.getLogger("langop.translator")
PRINTED = logging.getLogger("langop.translator.printed")
_LITELLM = ("LiteLLM", "LiteLLM Router", "LiteLLM Proxy")
_LONGEST = 2000  # characters of a message

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
    """Write every logger's lines from WARNING on to `stream`, the translator's own from `level` on, and what is printed."""
    log_format.configure("WARNING", stream)
    log_format.log_uncaught()
    for handler in logging.getLogger().handlers:
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
        logger.setLevel(logging.ERROR)


def _warn(
    message: Warning | str,  # noqa: ARG001 - pydantic's hold what a client wrote
    category: type[Warning],
    filename: str,
    lineno: int,
    file: TextIO | None = None,  # noqa: ARG001
    line: str | None = None,  # noqa: ARG001
) -> None:
    LOGGER.warning("%s in %s, line %s", category.__name__, "/".join(Path(filename).parts[-2:]), lineno)
