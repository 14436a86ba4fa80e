"""Running the gateway as a child process, as the container does: for `make run` and for the live tests."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import IO, Any

READY_TIMEOUT = 120.0  # seconds; LiteLLM needs five on a quiet machine
STOP_TIMEOUT = 30.0  # seconds

# What one provider's key is called in the environment of LiteLLM: it would be used for another provider without a key.
FOREIGN_KEYS = ("OPENAI_API_KEY", "ANTHROPIC_API_KEY", "AZURE_API_KEY", "AWS_ACCESS_KEY_ID", "LITELLM_MASTER_KEY")


def free_port() -> int:
    """Return a port of the loopback interface that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


class Gateway:
    """`launch` as a child process: a context manager that is ready when entered, and stopped when left.

    `model` is the mounted specification, `secrets` the folder of mounted Secrets, `folder` a place for the configuration.
    """

    def __init__(
        self, model: Path, secrets: Path, folder: Path, port: int = 0, environment: dict[str, str] | None = None
    ) -> None:
        self.port = port or free_port()
        self.log = folder / "gateway.log"
        self.config = folder / "config.yaml"
        self.environment = {
            **{name: value for name, value in os.environ.items() if name not in FOREIGN_KEYS},
            "LANGOP_MODEL_PATH": str(model),
            "LANGOP_SECRETS_PATH": str(secrets),
            "LANGOP_CONFIG_PATH": str(self.config),
            "LANGOP_LOCAL": "true",  # the stand-in provider is on this machine
            **(environment or {}),
        }
        self.process: subprocess.Popen[bytes] | None = None
        self.output: IO[bytes] | None = None

    @property
    def url(self) -> str:
        """The gateway's address, without a slash at the end."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def readiness(self) -> str:
        """The path that answers 200 when it is ready."""
        return "/health/readiness"

    def start(self, output: IO[bytes] | None = None) -> None:
        """Start the process; its output goes to `log`, or to the given stream."""
        self.output = output or self.log.open("wb")
        command = [sys.executable, "render.py", "launch", "--host", "127.0.0.1", "--port", str(self.port)]
        self.process = subprocess.Popen(command, env=self.environment, stdout=self.output, stderr=subprocess.STDOUT)

    def wait_until_ready(self) -> None:
        """Return when the gateway answers. Raises RuntimeError with the end of its log when it ends or takes too long."""
        deadline = time.monotonic() + READY_TIMEOUT
        while time.monotonic() < deadline:
            if self.process is None or self.process.poll() is not None:
                raise RuntimeError(f"the gateway ended before it was ready:\n{self.tail()}")
            try:
                with urllib.request.urlopen(f"{self.url}{self.readiness}", timeout=5) as answer:
                    if answer.status == 200:
                        return
            except OSError:
                time.sleep(0.1)
        raise RuntimeError(f"the gateway was not ready within {READY_TIMEOUT:.0f} s:\n{self.tail()}")

    def tail(self) -> str:
        """Return the last lines of the log."""
        return "\n".join(self.log.read_text(encoding="utf-8", errors="replace").splitlines()[-30:]) if self.log.exists() else ""

    def stop(self) -> int:
        """Ask the process to end, and return its exit code."""
        if self.process is None:
            return 0
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        try:
            code = self.process.wait(STOP_TIMEOUT)
        except subprocess.TimeoutExpired:
            self.process.kill()
            code = self.process.wait()
        if self.output is not None and self.output is not sys.stdout.buffer:
            self.output.close()
        return code

    def __enter__(self) -> Gateway:
        """Start and wait."""
        self.start()
        try:
            self.wait_until_ready()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, *_: Any) -> None:
        """Stop."""
        self.stop()
