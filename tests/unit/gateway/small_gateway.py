"""A gateway without LiteLLM, for the tests of its launcher: python -m tests.unit.gateway.small_gateway PORT FOLDER [WORKERS].

Its configuration is FOLDER/wanted.json: an object of variables, of which VERSION is what it answers. UNREADABLE keeps the
launcher from reading it, and FAIL its workers from starting. With NEEDS, the path of a file, its workers start when that file
exists. What the launcher reports is written to FOLDER/told, a line each.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from langop_model.gateway.serving import supervisor, worker
from langop_model.gateway.serving.channel import Channel
from langop_model.gateway.serving.front import listen

supervisor.POLL = 0.02


class Wanted:
    """The changes, from a file."""

    def __init__(self, folder: Path) -> None:
        self.file = folder / "wanted.json"
        self.told = folder / "told"
        self.text = self.file.read_text(encoding="utf-8")

    def next(self) -> dict[str, str] | None:
        before, self.text = self.text, self.file.read_text(encoding="utf-8")
        return json.loads(self.text) if self.text and before != self.text else None

    def took_effect(self) -> None:
        self._tell("took effect")

    def failed(self, reason: str) -> None:
        self._tell(f"failed: {reason}")

    def died(self, how: str) -> None:
        self._tell(f"died: {how}")

    def _tell(self, what: str) -> None:
        with self.told.open("a", encoding="utf-8") as file:
            file.write(what + "\n")


class Needed:
    """The companion: a file that a configuration needs."""

    def __init__(self) -> None:
        self.file = ""

    @property
    def ready(self) -> bool:
        return not self.file or Path(self.file).exists()

    def __getattr__(self, _: str) -> Any:
        return lambda *_: None


class Application:
    """GET /<seconds> answers the version in so many seconds, in two parts; GET /die kills its worker."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self.environment = environment

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            await receive()
            if "FAIL" in self.environment:
                await send({"type": "lifespan.startup.failed", "message": "a traceback"})
                raise ValueError(self.environment["FAIL"])
            await self._held_back()
            await send({"type": "lifespan.startup.complete"})
            await receive()
            await send({"type": "lifespan.shutdown.complete"})
            return
        path = scope["path"].strip("/")
        if path == "die":
            os.kill(os.getpid(), signal.SIGKILL)
        await send({"type": "http.response.start", "status": 200, "headers": [(b"pid", str(os.getpid()).encode())]})
        await send({"type": "http.response.body", "body": self.environment["VERSION"].encode(), "more_body": True})
        await asyncio.sleep(float(path or 0))
        await send({"type": "http.response.body", "body": b"."})

    async def _held_back(self) -> None:
        """With HOLD, a folder: the first worker starts at once, and the others when there is a file `go` in it."""
        if "HOLD" not in self.environment:
            return
        folder = Path(self.environment["HOLD"])
        try:
            (folder / "first").touch(exist_ok=False)
        except FileExistsError:
            while not (folder / "go").exists():
                await asyncio.sleep(0.02)


def main() -> None:
    """Serve until told to stop."""
    port, folder, workers = int(sys.argv[1]), Path(sys.argv[2]), int((sys.argv[3:] or ["1"])[0])
    listener = listen("127.0.0.1", port)
    wanted = Wanted(folder)

    needed = Needed()

    def prepare(environment: Mapping[str, str]) -> Callable[[Channel], None]:
        if "UNREADABLE" in environment:
            raise ValueError(environment["UNREADABLE"])
        needed.file = environment.get("NEEDS", "")
        return lambda channel: worker.run(Application(environment), listener, channel, {"log_level": "error"})

    try:
        code = supervisor.Supervisor(listener, prepare, workers, wanted, lambda: None, needed).run(json.loads(wanted.text))
    except (supervisor.LaunchError, supervisor.CrashLoopError) as problem:
        sys.exit(f"{type(problem).__name__}: {problem}")
    sys.exit(code)


if __name__ == "__main__":
    main()
