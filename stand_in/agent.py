"""The A2A protocol: an agent, as https://a2a-protocol.org/v0.3.0/specification has its answers (7.1 and 7.2)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from stand_in.answer import event


def task(state: str, text: str = "", reason: str = "") -> dict[str, Any]:
    """Return the answer to `message/send`: a task with its artifact, or with what its agent says about its end."""
    artifacts = [{"artifactId": "a-1", "parts": _parts(text)}] if text else []
    return _answer({"kind": "task", "id": "t-1", "contextId": "c-1", "status": _status(state, reason), "artifacts": artifacts})


def events(texts: Iterable[str], state: str, reason: str = "") -> list[bytes]:
    """Return the answer to `message/stream`: the task, its artifact part by part, and how it has ended."""
    return [
        event(task("submitted")),
        *(event(_update("artifact-update", artifact={"artifactId": "a-1", "parts": _parts(text)})) for text in texts),
        event(_update("status-update", status=_status(state, reason), final=True)),
    ]


def _update(kind: str, **members: Any) -> dict[str, Any]:
    return _answer({"kind": kind, "taskId": "t-1", "contextId": "c-1", **members})


def _status(state: str, reason: str) -> dict[str, Any]:
    message = {"kind": "message", "role": "agent", "messageId": "m-1", "parts": _parts(reason)}
    return {"state": state, "timestamp": "2026-01-01T00:00:00Z", **({"message": message} if reason else {})}


def _parts(text: str) -> list[dict[str, str]]:
    return [{"kind": "text", "text": text}]


def _answer(result: dict[str, Any]) -> dict[str, Any]:
    return {"jsonrpc": "2.0", "id": "1", "result": result}
