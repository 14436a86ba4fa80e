"""Gateways whose mounted specification and key can be changed."""

from __future__ import annotations

import json
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from stand_in import StandIn
from tests.live.laboratory import PATIENCE, in_background, question
from tests.support import plain_http
from tests.support.proc import children, command_line
from tests.support.waiting import eventually
from tools.memory import family
from tools.processes import Gateway

if TYPE_CHECKING:
    import httpx

KEY = {"name": "keys", "key": "one"}
RETRIES = {"retryPolicy": {"maxAttempts": 3, "initialBackoff": "10ms", "maxBackoff": "10ms"}}


@dataclass
class Changing:
    """A gateway of one model, whose mounted specification and key can be changed as kubelet does."""

    gateway: Gateway
    provider: StandIn
    folder: Path

    def mount(self, **fields: Any) -> None:
        spec = {"provider": "openai-compatible", "modelName": "reload", "endpoint": self.provider.base("reload"), **fields}
        put(self.folder / "model.json", json.dumps({**spec, "apiKeySecretRef": KEY}))

    def ask(self) -> httpx.Response:
        return plain_http.post(f"{self.gateway.url}/v1/chat/completions", json=question("reload"), timeout=PATIENCE)

    def log(self) -> str:
        return self.gateway.log.read_text(encoding="utf-8")

    def served(self) -> int:
        """Return how many changes have taken effect since the start."""
        return self.log().count('"code":"LM724"')

    def workers(self) -> list[int]:
        assert self.gateway.process is not None
        return children(self.gateway.process.pid)

    def until_served(self, changes: int) -> None:
        """Wait until so many changes have taken effect since the start."""
        eventually(lambda: self.served() >= changes)

    def until_quiet(self) -> None:
        """Wait until no former worker is left."""
        eventually(lambda: len(self.workers()) == 1)


class Translating(Changing):
    """A gateway whose provider serves chat completions alone: other routes need the translator."""

    def translators(self) -> list[int]:
        assert self.gateway.process is not None
        return [pid for pid in family(self.gateway.process.pid) if b"langop_model.translator" in command_line(pid)]

    def respond(self) -> httpx.Response:
        body = {"model": "reload", "input": "Hello"}
        return plain_http.post(f"{self.gateway.url}/v1/responses", json=body, timeout=PATIENCE)

    def respond_in_background(self, count: int) -> list[Future[Any]]:
        """Begin so many requests, and return when the provider has all of them."""
        self.provider.clear()
        begun = [in_background(self.respond) for _ in range(count)]
        eventually(lambda: len(self.provider.requests) >= count)
        return begun


def put(path: Path, text: str) -> None:
    """Write a file as a mount does: whole, by a rename."""
    path.parent.mkdir(parents=True, exist_ok=True)
    (path.parent / "..new").write_text(text, encoding="utf-8")
    (path.parent / "..new").replace(path)
