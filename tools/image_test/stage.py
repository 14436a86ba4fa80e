"""The stage of the checks: a stand-in provider, a redis where there is one, and a pod's mounts, on loopback."""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx

from stand_in import StandIn
from tests.live import redis_server
from tests.live.redis_server import RedisServer
from tests.support.kubelet import MountedFolder
from tools.image_test.engine import Container, Engine
from tools.processes import READY_TIMEOUT, free_port

FIRST_KEY, SECOND_KEY = "not-a-real-key-one", "not-a-real-key-two"
MODEL = "stand-in"
REDIS_PASSWORD = "not-a-real-password"


class Stage:
    """What the checks look at. `start` runs the image; the provider, and `redis` unless it is None, are there before."""

    def __init__(self, engine: Engine, image: str, folder: Path, provider: StandIn, redis: RedisServer | None) -> None:
        self.engine = engine
        self.image = image
        self.folder = folder
        self.provider = provider
        self.redis = redis
        self.name = f"langop-image-test-{free_port()}"
        self.port = free_port()
        self.environment = {"LANGOP_MODEL_NAME": "image-test"}
        if redis is not None:
            self.environment |= {"REDIS_HOST": "127.0.0.1", "REDIS_PORT": str(redis.port), "REDIS_PASSWORD": REDIS_PASSWORD}
        folder.chmod(0o755)
        self.model = MountedFolder(folder / "langop")
        self.secrets = MountedFolder(folder / "secrets" / "credentials")
        self.termination_log = folder / "termination-log"
        self.termination_log.touch()
        self.termination_log.chmod(0o666)
        self.secrets.write({"api-key": f"{FIRST_KEY}\n"})
        self.specify()

    @property
    def url(self) -> str:
        """The gateway's address."""
        return f"http://127.0.0.1:{self.port}"

    def specify(self, **fields: Any) -> None:
        """Mount a specification; `fields` replace and add some."""
        spec = {
            "provider": "openai-compatible",
            "modelName": MODEL,
            "endpoint": f"{self.provider.base('provider')}/v1",
            "apiKeySecretRef": {"name": "credentials"},
            "timeout": "30s",
            "observability": {"metrics": True},
            **({"caching": {"enabled": True, "backend": "redis", "ttl": "60s"}} if self.redis else {}),
            **fields,
        }
        self.model.write({"model.json": json.dumps(spec)})

    def start(self, user: str = "") -> None:
        """Run the image."""
        self.engine.remove(self.name)
        mounts = {
            "/etc/langop": self.model.folder,
            "/etc/secrets": self.secrets.folder.parent,
            "/dev/termination-log": self.termination_log,
        }
        arguments = ("--host", "127.0.0.1", "--port", str(self.port))
        writable = frozenset({"/dev/termination-log"})
        self.engine.start(self.name, Container(self.image, arguments, self.environment, mounts, writable, user))

    def wait_until_ready(self) -> float:
        """Return the seconds until the gateway was ready. Raises RuntimeError with the end of its log."""
        started = time.monotonic()
        while time.monotonic() - started < READY_TIMEOUT:
            with contextlib.suppress(httpx.TransportError):
                if httpx.get(f"{self.url}/health/readiness", timeout=5).status_code == 200:
                    return time.monotonic() - started
            time.sleep(0.05)
        raise RuntimeError(f"not ready within {READY_TIMEOUT:.0f} s:\n{self.engine.logs(self.name)[-2000:]}")

    def ask(self, text: str, model: str = MODEL, **body: Any) -> httpx.Response:
        """Ask the gateway."""
        messages = [{"role": "user", "content": text}]
        return httpx.post(f"{self.url}/v1/chat/completions", json={"model": model, "messages": messages, **body}, timeout=60)

    def inside(self, *command: str) -> str:
        """Run a command in the container; return what it prints. Raises AssertionError when it fails."""
        done = self.engine.execute(self.name, *command)
        assert done.returncode == 0, f"{' '.join(command)}: {done.stderr.strip()[-300:]}"
        return done.stdout


@contextlib.contextmanager
def set_up(engine: Engine, image: str, folder: Path) -> Iterator[Stage]:
    """Yield a stage in `folder`; in the end, remove its container."""
    redis = _redis(folder)
    with StandIn() as provider:
        stage = Stage(engine, image, folder, provider, redis)
        try:
            yield stage
        finally:
            engine.remove(stage.name)
            if redis is not None:
                redis.kill()


def _redis(folder: Path) -> RedisServer | None:
    with contextlib.suppress(FileNotFoundError):
        server = RedisServer(redis_server.find(), folder, REDIS_PASSWORD)
        server.start()
        return server
    return None
