"""One JSON line on standard output for each request: who answered, how long, at what cost; its messages where asked for."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Mapping
from typing import Any

from litellm.integrations.custom_logger import CustomLogger

from langop_model.gateway.settings import Group, Log

LEVELS = {"DEBUG": 10, "INFO": 20, "WARNING": 30, "ERROR": 40}
NO_CONTENT = Log(requests=False, responses=False)


class RequestLog(CustomLogger):  # type: ignore[misc]
    """The callback that writes the lines. `groups` say what their lines hold; `level` is LITELLM_LOG."""

    def __init__(self, groups: Iterable[Group], level: str) -> None:
        super().__init__()
        self.groups = {name: group for group in groups for name in _names(group)}
        self.level = LEVELS.get(level.upper(), LEVELS["INFO"])

    async def async_log_success_event(self, kwargs: Any, *_: Any, **__: Any) -> None:
        """Write the line of an answer, at level info."""
        payload = kwargs.get("standard_logging_object")
        if payload:
            model_info = (kwargs.get("litellm_params") or {}).get("model_info") or {}
            self._write("INFO", {**payload, "region": model_info.get("region")})

    async def async_post_call_failure_hook(self, request_data: Any, original_exception: Exception, *_: Any, **__: Any) -> None:
        """Write the line of a request that failed for good, at level error. A failed attempt that was retried has no line."""
        payload = request_data.get("standard_logging_object") or {
            "litellm_call_id": request_data.get("litellm_call_id"),
            "model_group": request_data.get("model"),
            "messages": request_data.get("messages"),
        }
        outcome = {"status": "failure", "error": type(original_exception).__name__, "response": None}
        self._write("ERROR", {**payload, **outcome, "status_code": _status_code(original_exception)})

    def _write(self, level: str, payload: Mapping[str, Any]) -> None:
        if LEVELS[level] >= self.level:
            sys.stdout.write(json.dumps(self.line(level, payload), ensure_ascii=False, default=str) + "\n")
            sys.stdout.flush()

    def line(self, level: str, payload: Mapping[str, Any]) -> dict[str, Any]:
        """Return what the line says. Headers, keys and parameters of the provider are never in it."""
        asked = payload.get("model_group")
        group = self.groups.get(payload.get("model_id") or "") or self.groups.get(asked or "")
        log = group.log if group else NO_CONTENT
        members = {
            "level": level,
            "event": "request",
            "call_id": payload.get("litellm_call_id") or payload.get("id"),
            "trace_id": payload.get("trace_id"),
            "call_type": payload.get("call_type"),
            "status": payload.get("status"),
            "model_group": group.name if group else asked,
            "model": payload.get("model"),
            "endpoint": payload.get("model_id"),
            "region": payload.get("region"),
            "stream": payload.get("stream"),
            "cache_hit": payload.get("cache_hit"),
            "seconds": payload.get("response_time"),
            "prompt_tokens": payload.get("prompt_tokens"),
            "completion_tokens": payload.get("completion_tokens"),
            "cost": payload.get("response_cost"),
            "error": payload.get("error"),
            "status_code": payload.get("status_code"),
            "messages": payload.get("messages") if log.requests else None,
            "response": payload.get("response") if log.responses else None,
        }
        return {name: value for name, value in members.items() if value not in (None, "")}


def _names(group: Group) -> Iterable[str]:
    """What a request may be known by: the endpoint that served it, or the name that was asked for."""
    return (group.resource, group.name, *(endpoint.id for endpoint in group.endpoints))


def _status_code(error: Exception) -> int | None:
    code = getattr(error, "status_code", None) or getattr(error, "code", None)
    return int(str(code)) if str(code).isdigit() else None
