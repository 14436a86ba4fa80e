"""One JSON line on standard output for each request: who answered, how long it took, what it cost; its messages where asked for."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from litellm.integrations.custom_logger import CustomLogger

from langop_model.gateway.settings import Log

LEVELS = {"DEBUG": 10, "INFO": 20, "WARNING": 30, "ERROR": 40}


class RequestLog(CustomLogger):  # type: ignore[misc]
    """The callback that writes the lines. `logs` says for each model group what its lines hold; `level` is LITELLM_LOG."""

    def __init__(self, logs: Mapping[str, Log], level: str) -> None:
        super().__init__()
        self.logs = logs
        self.level = LEVELS.get(level.upper(), 20)

    async def async_log_success_event(self, kwargs: Any, response_obj: Any, start_time: datetime, end_time: datetime) -> None:
        """Write the line of an answer, at level info."""
        self._write("INFO", kwargs, None)

    async def async_log_failure_event(self, kwargs: Any, response_obj: Any, start_time: datetime, end_time: datetime) -> None:
        """Write the line of a failure, at level error."""
        self._write("ERROR", kwargs, kwargs.get("exception"))

    def _write(self, level: str, kwargs: Mapping[str, Any], error: object) -> None:
        payload = kwargs.get("standard_logging_object")
        if LEVELS[level] < self.level or not payload:
            return
        sys.stdout.write(json.dumps(self.line(level, payload, error), ensure_ascii=False, default=str) + "\n")
        sys.stdout.flush()

    def line(self, level: str, payload: Mapping[str, Any], error: object) -> dict[str, Any]:
        """Return what the line says. Headers, keys and parameters of the provider are never in it."""
        metadata = payload.get("metadata") or {}
        group = payload.get("model_group") or metadata.get("model_group") or ""
        members = {
            "level": level,
            "event": "request",
            "call_id": payload.get("litellm_call_id") or payload.get("id"),
            "trace_id": payload.get("trace_id"),
            "call_type": payload.get("call_type"),
            "status": payload.get("status"),
            "model_group": group,
            "model": payload.get("model"),
            "endpoint": payload.get("model_id"),
            "region": ((payload.get("model_map_information") or {}).get("region")),
            "stream": payload.get("stream"),
            "cache_hit": payload.get("cache_hit"),
            "seconds": payload.get("response_time"),
            "prompt_tokens": payload.get("prompt_tokens"),
            "completion_tokens": payload.get("completion_tokens"),
            "cost": payload.get("response_cost"),
            "error": (payload.get("error_information") or {}).get("error_class") if error else None,
            "status_code": getattr(error, "status_code", None) if error else None,
        }
        log = self.logs.get(group)
        if log is not None and log.requests:
            members["messages"] = payload.get("messages")
        if log is not None and log.responses:
            members["response"] = payload.get("response")
        return {name: value for name, value in members.items() if value is not None}
