"""The real memcached of Debian's package, on a free port of loopback."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess

import pytest

from tests.live.server_process import ServerProcess
from tools.processes import free_port

INSTALL = "apt-get update -qq && apt-get install -y -qq memcached"


def find_or_skip(consequence: str) -> str:
    """Return the path of memcached, installed if need be; where there is none, skip the test with the `consequence`."""
    program = shutil.which("memcached")
    if program is None and os.geteuid() == 0 and shutil.which("apt-get"):
        environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive", "RUNLEVEL": "1"}  # no service of its own
        subprocess.run(["sh", "-c", INSTALL], env=environment, capture_output=True, check=False)
        program = shutil.which("memcached")
    if program is None:
        pytest.skip(f"{consequence}: memcached is not installed, and can't be: {INSTALL}")
    return program


class MemcachedServer(ServerProcess):
    """A server on loopback only."""

    def __init__(self, program: str) -> None:
        self.port = free_port()
        super().__init__([program, "-l", "127.0.0.1", "-p", str(self.port), "-U", "0", "-u", "nobody", "-m", "64"])

    def try_it(self) -> None:
        """Connect to it."""
        socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
