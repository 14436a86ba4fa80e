"""A redis on a free port, with nothing on disk."""

from __future__ import annotations

import contextlib
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import redis

from tools.processes import free_port

START_TIMEOUT = 20.0  # seconds


def start(folder: Path, port: int) -> subprocess.Popen[bytes]:
    """Start it, and return when it answers."""
    command = [
        "redis-server",
        "--port",
        str(port),
        "--bind",
        "127.0.0.1",
        "--save",
        "",
        "--appendonly",
        "no",
        "--dir",
        str(folder),
    ]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    deadline = time.monotonic() + START_TIMEOUT
    while time.monotonic() < deadline:
        with contextlib.suppress(redis.ConnectionError):
            redis.Redis("127.0.0.1", port).ping()
            return process
        time.sleep(0.05)
    raise RuntimeError("redis did not start")


@contextlib.contextmanager
def running(folder: Path) -> Iterator[int]:
    """Run it, and yield its port."""
    port = free_port()
    process = start(folder, port)
    try:
        yield port
    finally:
        process.terminate()
        process.wait()
