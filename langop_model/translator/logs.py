"""Log lines of the translator: one JSON object each on stderr, without keys, and LiteLLM's own lines too."""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import Iterable
from datetime import UTC, datetime

LOGGER = logging.getLogger("langop_model.translator")
_LITELLM = ("LiteLLM", "LiteLLM Router", "LiteLLM Proxy")
_LONGEST = 2000  # characters of a message
_SHORTEST_SECRET = 8  # shorter values are no secrets, and would be found in ordinary words

_secrets: dict[str, None] = {}
_KEPT = 1000  # keys are few; what a caller can make many of is not kept here


def remember(secrets: Iterable[str]) -> None:
    """Hide these values in every line from now on."""
    for secret in secrets:
        if len(secret) >= _SHORTEST_SECRET and secret not in _secrets:
            _secrets[secret] = None
            if len(_secrets) > _KEPT:
                del _secrets[next(iter(_secrets))]


def without_secrets(text: str) -> str:
    """Return a text without the remembered values."""
    for secret in _secrets:
        text = text.replace(secret, "[hidden]")
    return text


class JsonLines(logging.Formatter):
    """A record as one line of JSON. A traceback is cut to the exception's type: it may hold what a client wrote."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
        message = record.getMessage()
        if record.exc_info and record.exc_info[0] is not None:
            message = f"{message} ({record.exc_info[0].__name__})"
        moment = datetime.fromtimestamp(record.created, UTC)
        line = {
            "timestamp": moment.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "level": record.levelname,
            "message": without_secrets(message)[:_LONGEST],
            "logger": record.name,
        }
        return json.dumps(line, ensure_ascii=False)


def install(level: str) -> None:
    """Write every logger's lines as JSON. What LiteLLM says below a warning holds whole requests: it is never written."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines())
    logging.basicConfig(handlers=[handler], level=logging.WARNING, force=True)
    LOGGER.setLevel(level)


def adopt_litellm() -> None:
    """Take LiteLLM's loggers over, after its import has given them handlers of their own."""
    for name in _LITELLM:
        logger = logging.getLogger(name)
        logger.handlers.clear()
        logger.propagate = True
        logger.setLevel(logging.ERROR)
