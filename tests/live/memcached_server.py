"""The real memcached of Debian's package, on a free port of loopback."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import time

import pytest

from tools.processes import free_port

INSTALL = "apt-get update -qq && apt-get install -y -qq memcached"
READY_WITHIN = 30.0  # seconds


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


class MemcachedServer:
    """A server that can be started, paused and killed."""

    def __init__(self, program: str) -> None:
        self.port = free_port()
        self.command = [program, "-l", "127.0.0.1", "-p", str(self.port), "-U", "0", "-u", "nobody", "-m", "64"]
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it, empty, unless it runs; return when it accepts connections."""
        if self.process is not None:
            return
        self.process = subprocess.Popen(self.command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        deadline = time.monotonic() + READY_WITHIN
        while True:
            try:
                socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
            except OSError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.02)
            else:
                return

    def kill(self) -> None:
        """End it at once."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None

    def pause(self) -> None:
        """Keep its connections, and answer nothing."""
        assert self.process is not None
        self.process.send_signal(signal.SIGSTOP)

    def go_on(self) -> None:
        """Answer again."""
        assert self.process is not None
        self.process.send_signal(signal.SIGCONT)
