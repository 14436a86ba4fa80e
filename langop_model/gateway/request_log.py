"""One JSON line on standard output for each request: who asked, who answered, how long, at what cost; messages where asked for.

The gate begins a line and ends it with the answer's last part, so that refusals, streams and cache hits have one too. LiteLLM's
callbacks fill in what they know: some of it a moment after the answer.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
import uuid
from collections.abc import Callable, Iterable, Mapping
from contextvars import ContextVar
from typing import Any

from litellm.integrations.custom_logger import CustomLogger

from langop_model.contract.settings import Group, Log
from langop_model.gateway.routing import causes

LEVELS = {"DEBUG": 10, "INFO": 20, "WARNING": 30, "ERROR": 40}
NO_CONTENT = Log(requests=False, responses=False)
FIGURES_WITHIN = 5.0  # seconds after an answer in which LiteLLM tells its figures; then the line is written without
LEFT = 499  # nginx's status for a client that did not wait for its answer


class Line:
    """The line of one request. `write` is called once with its members, when it is over and its figures are known.

    `untranslatable` says why LiteLLM could make no request for the provider of this one.
    """

    def __init__(self, method: str, path: str, write: Callable[[Mapping[str, Any]], None]) -> None:
        self.call_id = str(uuid.uuid4())
        self.started = time.monotonic()
        self.members: dict[str, Any] = {"call_id": self.call_id, "method": method, "path": path}
        self.write: Callable[[Mapping[str, Any]], None] | None = write
        self.untranslatable: str | None = None
        self.is_over = False
        self.has_figures = False

    def note(self, **members: Any) -> None:
        """Note what is known; a later word replaces an earlier one."""
        self.members.update(members)

    def figures(self, members: Mapping[str, Any]) -> None:
        """Note what LiteLLM's callbacks tell, the last thing that is known of a request."""
        self.members = {**members, **self.members}
        self.has_figures = True
        if self.is_over:
            self._write()

    def end(self, status: int, with_figures: bool) -> None:
        """Note the end of the answer. `with_figures`: wait a moment for LiteLLM's."""
        self.is_over = True
        self.note(status_code=status, seconds=round(time.monotonic() - self.started, 6))
        if with_figures and not self.has_figures:
            asyncio.get_running_loop().call_later(FIGURES_WITHIN, self._write)
        else:
            self._write()

    def _write(self) -> None:
        if self.write is not None:
            self.write(self.members)
            self.write = None


present: ContextVar[Line | None] = ContextVar("langop_line", default=None)


class RequestLog(CustomLogger):  # type: ignore[misc]
    """LiteLLM's callback, and what writes the lines. `groups` say what their lines hold; `level` is LITELLM_LOG."""

    def __init__(self, groups: Iterable[Group], level: str) -> None:
        super().__init__()
        self.groups = {name: group for group in groups for name in _names(group)}
        self.level = LEVELS.get(level.upper(), LEVELS["INFO"])

    async def async_log_success_event(self, kwargs: Any, *_: Any, **__: Any) -> None:
        """Note the figures of an answer. A health check belongs to no request, and has no line."""
        line, payload = present.get(), kwargs.get("standard_logging_object")
        if line is not None and payload:
            model_info = (kwargs.get("litellm_params") or {}).get("model_info") or {}
            line.figures({**payload, "region": model_info.get("region")})

    async def async_post_call_failure_hook(self, request_data: Any, original_exception: Exception, *_: Any, **__: Any) -> None:
        """Note why a request failed for good. A failed attempt that was retried leaves no trace."""
        line = present.get()
        if line is None:
            return
        line.untranslatable = causes.untranslatable(original_exception)
        payload = request_data.get("standard_logging_object") or {
            "model_group": request_data.get("model"),
            "messages": request_data.get("messages"),
        }
        line.note(error=type(original_exception).__name__)
        line.figures({**payload, "response": None})

    def write(self, members: Mapping[str, Any]) -> None:
        """Write a line, at level error where the request failed."""
        code = members["status_code"]
        has_failed = code != LEFT and (code >= 400 or members.get("error") is not None)
        level = "ERROR" if has_failed else "INFO"
        if LEVELS[level] >= self.level:
            status = "failure" if has_failed else "left" if code == LEFT else "success"
            line = self.line(level, {**members, "status": status})
            sys.stdout.write(json.dumps(line, ensure_ascii=False, default=str) + "\n")
            sys.stdout.flush()

    def line(self, level: str, known: Mapping[str, Any]) -> dict[str, Any]:
        """Return what the line says. Headers, keys and parameters of the provider are never in it."""
        asked = known.get("model_group")
        group = self.groups.get(known.get("model_id") or "") or self.groups.get(asked or "")
        log = group.log if group else NO_CONTENT
        members = {
            "level": level,
            "event": "request",
            "call_id": known.get("call_id"),
            "trace_id": known.get("trace_id"),
            "method": known.get("method"),
            "path": known.get("path"),
            "call_type": known.get("call_type"),
            "agent": known.get("agent"),
            "status": known.get("status"),
            "status_code": known.get("status_code"),
            "model_group": group.name if group else asked,
            "resource": group.resource if group else None,
            "model": known.get("model"),
            "endpoint": known.get("model_id"),
            "region": known.get("region"),
            "stream": known.get("stream"),
            "cache_hit": known.get("cache_hit"),
            "seconds": known.get("seconds"),
            "prompt_tokens": known.get("prompt_tokens"),
            "completion_tokens": known.get("completion_tokens"),
            "cost": known.get("response_cost"),
            "error": known.get("error"),
            "messages": known.get("messages") if log.requests else None,
            "response": known.get("response") if log.responses else None,
        }
        return {name: value for name, value in members.items() if value not in (None, "")}


def _names(group: Group) -> Iterable[str]:
    """What a request may be known by: the endpoint that served it, or the name that was asked for."""
    return (group.resource, group.name, *(endpoint.id for endpoint in group.endpoints))


_log: RequestLog | None = None


def install(log: RequestLog) -> RequestLog:
    """Let `log` write the lines of this process."""
    global _log  # noqa: PLW0603 - LiteLLM makes its callbacks, and keeps one of each
    _log = log
    return log


def write(members: Mapping[str, Any]) -> None:
    """Write a line; not before LiteLLM has loaded its callbacks, and then nobody is served."""
    if _log is not None:
        _log.write(members)
