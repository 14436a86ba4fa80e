"""The line of a request: who asked, who answered, how long, at what cost; messages only where the specification says so."""

from __future__ import annotations

import logging
import sys
import time
from collections.abc import Mapping
from typing import Any, TextIO

from langop_model.contract.settings import Log
from langop_model.gateway.accounting.request_record import LEFT, RequestRecord
from langop_model.gateway.upstreams.base import CLIENT_ERROR, FailureKind, Route
from langop_model.log_format import JsonFormatter, TextFormatter, formatter

LOGGER = logging.getLogger("langop.accounting")
LEVELS = {"DEBUG": 10, "INFO": 20, "WARN": 30, "WARNING": 30, "ERROR": 40}
NO_CONTENT = Log(requests=False, responses=False)
# A provider that answers so to the gateway's own request does not accept its key or does not have its model.
OPERATORS_FAULT = frozenset({401, 403, 404})
LONGEST_WRITE = 4096  # characters of lines in one write: longer ones may mix where workers share a pipe (pipe(7))
SHORTEST_WAIT = 0.001  # seconds; less is what it takes to ask the limits
MESSAGE_LENGTH = 500  # characters of a provider's error
# What a question is called on each route, in the order in which it is looked for.
QUESTIONS = ("messages", "input", "prompt", "contents", "query")


class RequestLog:
    """Keeps the lines, at the levels from `level` on, until `flush` writes them; those of several requests together.

    A client's mistake is INFO, a failure that was survived WARNING.
    """

    def __init__(
        self, level: str = "INFO", stream: TextIO | None = None, form: JsonFormatter | TextFormatter | None = None
    ) -> None:
        self.level = LEVELS.get(level.upper(), LEVELS["INFO"])
        self.stream = stream or sys.stdout
        self.form = form or formatter(self.stream)
        self.has_attempts = self.level <= LEVELS["DEBUG"]
        self.lines: list[str] = []
        self.size = 0  # characters of these lines

    def write(self, record: RequestRecord, ended: float) -> None:
        """Add the line of a request that is over since `ended`, in seconds since 1970."""
        level = level_of(record)
        if LEVELS[level] >= self.level:
            self._add(self.form.line(ended, level, "request", line(record)))

    def attempt(self, record: RequestRecord, outcome: str, status: int | None, seconds: float) -> None:
        """Write the line of an attempt that is over, where it `has_attempts`: a retried request has several, beside its own."""
        members = {
            "event": "attempt",
            "call_id": record.call_id,
            "trace_id": record.trace_id,
            "attempt": record.attempts,
            "model_group": record.served_by,
            "model": record.deployed_model,
            "endpoint": record.endpoint,
            "outcome": outcome,
            "status_code": status,
            "seconds": _in_microseconds(seconds),
        }
        self._add(self.form.line(time.time(), "DEBUG", "attempt", _filled(members)))
        self.flush()  # its request may take long, and may end in no other way

    def flush(self) -> None:
        """Write the lines. Those that can't be written are lost: a full disk keeps no answer from its client."""
        lines, self.lines, self.size = self.lines, [], 0
        if not lines:
            return
        try:
            self.stream.write("\n".join(lines) + "\n")
            self.stream.flush()
        except OSError as problem:
            LOGGER.error("could not write %d of the request log's lines: %s", len(lines), problem)

    def _add(self, text: str) -> None:
        size = len(text) + 1
        if self.size + size > LONGEST_WRITE:
            self.flush()
        self.size += size
        self.lines.append(text)


def level_of(record: RequestRecord) -> str:
    """Return whose fault it is: ERROR for what a person must look at, WARNING for what was survived."""
    status = record.status
    if status == LEFT or (status < 400 and not record.failed_attempts and not record.error):
        return "INFO"
    if status < 400:
        return "ERROR" if record.error else "WARNING"  # a stream that broke has already said 200
    if status >= 500:
        return "ERROR"
    if record.failure is not None and (record.failure.reached or record.failure.kind is FailureKind.HTTP):
        if record.failure.status in OPERATORS_FAULT:
            return "ERROR"
        return "INFO" if record.failure.cause == CLIENT_ERROR else "WARNING"
    return "INFO"


def line(record: RequestRecord) -> dict[str, Any]:
    """Return what the line says, without what is empty. Headers, keys and parameters of the provider are never in it."""
    log = record.group.log if record.group is not None else NO_CONTENT
    members: dict[str, Any] = {"event": "request", "call_id": record.call_id}
    if record.trace_id:
        members["trace_id"] = record.trace_id
    members["method"], members["path"] = record.method, record.path
    if record.route is not None:
        members["call_type"] = record.route
    if record.agent:
        members["agent"] = record.agent
    members["status"], members["status_code"] = record.outcome, record.status
    _add_answerer(members, record)
    members["seconds"] = _in_microseconds(record.seconds)
    if record.ttft is not None:
        members["ttft"] = _in_microseconds(record.ttft)
    members["attempts"] = record.attempts
    if record.usage is not None:
        members["prompt_tokens"], members["completion_tokens"] = record.usage.input_tokens, record.usage.output_tokens
        if record.usage.estimated:
            members["usage_estimated"] = True
    if record.cost is not None:
        members["cost"] = record.cost
    if record.error or record.limit or record.queued >= SHORTEST_WAIT or record.fallback or record.dropped:
        members |= _unusual(record, log)
    if log.requests or log.responses:
        members |= _content(record, log)
    return members


def _add_answerer(members: dict[str, Any], record: RequestRecord) -> None:
    """Say which model answered, where, and how."""
    group = record.group
    if group is not None:
        members["model_group"], members["resource"] = group.name, group.resource
    elif record.model:
        members["model_group"] = record.model
    if record.endpoint:
        if record.deployed_model:
            members["model"] = record.deployed_model
        members["endpoint"] = record.endpoint
        if record.region:
            members["region"] = record.region
    if record.stream is not None:
        members["stream"] = record.stream
    if record.cache:
        members["cache_hit"], members["cache"] = record.cache == "hit", record.cache


def _in_microseconds(seconds: float) -> float:
    """Return seconds with six digits after the point; `round` takes three times as long."""
    return int(seconds * 1e6 + 0.5) / 1e6


def _filled(members: dict[str, Any]) -> dict[str, Any]:
    """Return the members that are not empty: 0 and false are not."""
    return {name: value for name, value in members.items() if value or value == 0}


def _unusual(record: RequestRecord, log: Log) -> dict[str, Any]:
    """Return what most requests have nothing to say of."""
    return _filled(
        {
            "fallback": record.fallback,
            "dropped": record.dropped,
            "limit": record.limit,
            "queue_length": record.queue_length if record.limit else None,
            "queued": _in_microseconds(record.queued) if record.queued >= SHORTEST_WAIT else None,
            "error": record.error,
            "error_message": error_message(record, log),
        }
    )


def _content(record: RequestRecord, log: Log) -> dict[str, Any]:
    """Return question and answer, as far as the specification wants them in the log."""
    return _filled(
        {
            "messages": question(record.route, record.body) if log.requests else None,
            "response": record.logged_response() if log.responses else None,
        }
    )


def error_message(record: RequestRecord, log: Log) -> str | None:
    """Return what the gateway says of a failure. A provider's own words may repeat the question, and have its permission."""
    failure = record.failure
    if failure is None or not record.error:
        return None
    if failure.reached and not log.requests:
        return f"the provider answered {failure.status}"
    if record.limit and not record.attempts:
        return f"{failure.message}; no provider was asked"
    return failure.message[:MESSAGE_LENGTH]


def question(route: Route | None, body: Mapping[str, Any] | None) -> Any:
    """Return what was asked, as the client wrote it."""
    if route is None or body is None:
        return None
    return next((body[name] for name in QUESTIONS if name in body), None)
