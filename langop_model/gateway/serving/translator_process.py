"""The translator's process: started, watched, started again when it dies, and stopped.

It is a program of its own, not a fork: LiteLLM's import must not share what this process holds. It never waits, so that the
supervisor's loop can ask it to look between other things.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from langop_model.gateway.serving.translator_health import TranslatorHealth
from langop_model.gateway.upstreams.translator_protocol import HEALTH

FIRST_WAIT = 0.2  # seconds before it is started again; twice as long after each further death
LONGEST_WAIT = 10.0
STABLE_UPTIME = 30.0  # seconds that it must have lived for the next wait to be the first one again
STOP_TIMEOUT = 3.0  # seconds between being told to stop and being killed
HEALTH_TIMEOUT = 2.0

# What a program needs to run, to reach others and to trust them. All else of this process's environment is withheld: LiteLLM
# reads some 300 variables.
PASSED = frozenset(
    {
        "ALL_PROXY", "HTTPS_PROXY", "HTTP_PROXY", "LANG", "LANGOP_LOG_FORMAT", "LC_ALL", "NO_PROXY", "PATH",
        "PYTHONDONTWRITEBYTECODE", "PYTHONPATH",
        "REQUESTS_CA_BUNDLE", "SSL_CERT_DIR", "SSL_CERT_FILE", "TMPDIR", "TZ",
    }
)  # fmt: skip


def passed(environment: Mapping[str, str], prefixes: Sequence[str] = ()) -> dict[str, str]:
    """Return the variables that the translator gets of this process's, and those that begin with one of `prefixes`."""
    begins = tuple(prefixes)
    return {
        name: value for name, value in environment.items() if name.upper() in PASSED or (begins and name.startswith(begins))
    }


class TranslatorProcess:
    """One translator. `settings` are those of contract.translator_settings, `folder` is where the configuration is.

    Its socket is `path`, in a folder that nobody else may enter. `say` gets one line about each death.
    """

    def __init__(
        self,
        settings: Mapping[str, Any] | None = None,
        folder: Path | None = None,
        *,
        python: str = sys.executable,
        say: Callable[[str], None] = lambda _: None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.settings = settings or {}
        self.folder = folder
        self.python = python
        self.say = say
        self.clock = clock
        self.home = Path(tempfile.mkdtemp(prefix="langop-translator-"))  # 0700
        self.path = self.home / "socket"
        self.process: subprocess.Popen[bytes] | None = None
        self.environment: Mapping[str, str] = {}
        self.wanted = False
        self.health = TranslatorHealth(self.path, clock)
        self.starts = 0
        self._began = 0.0
        self._deaths = 0
        self._again_at = 0.0
        self._pipe: int | None = None

    @property
    def pid(self) -> int | None:
        """Its process id; None where it does not run."""
        return self.process.pid if self.process is not None else None

    @property
    def restarts(self) -> int:
        """How often it was started because it had died."""
        return max(0, self.starts - 1)

    def start(self, environment: Mapping[str, str]) -> None:
        """Start it with exactly these variables, unless that was done: one that has died is started again in its time."""
        self.environment = environment
        if not self.wanted:
            self.wanted = True
            self._spawn()

    def look(self) -> bool:
        """Notice its death, start it again when its time has come, and return whether it runs."""
        if self.process is not None and (code := self.process.poll()) is not None:
            self.ended(code)
        if self.process is None and self.wanted and self.clock() >= self._again_at:
            self._spawn()
        self.health.look(self.process is not None)
        return self.process is not None

    def ended(self, code: int) -> None:
        """Note that it has ended with this exit code, negative for a signal: the supervisor may have waited for it already."""
        self.process = None
        self._close_pipe()
        if not self.wanted:
            return
        lived = self.clock() - self._began
        self._deaths = 1 if lived >= STABLE_UPTIME else self._deaths + 1
        wait = min(LONGEST_WAIT, FIRST_WAIT * 2 ** (self._deaths - 1))
        self._again_at = self.clock() + wait
        how = signal.Signals(-code).name if code < 0 else f"exit code {code}"
        self.say(f"the translator ended ({how}) after {lived:.0f} s; it is started again in {wait:g} s")

    def healthy(self, timeout: float = HEALTH_TIMEOUT) -> bool:
        """Ask it whether it serves. It waits at most `timeout` seconds."""
        with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(timeout)
            connection.connect(str(self.path))
            connection.sendall(f"GET {HEALTH} HTTP/1.1\r\nHost: translator\r\nConnection: close\r\n\r\n".encode())
            return connection.recv(64).startswith(b"HTTP/1.1 200")
        return False

    def stop(self) -> None:
        """End it, and remove its folder."""
        self.wanted = False
        self.health.close()
        self._close_pipe()
        if self.process is not None:
            self.process.terminate()
            try:
                self.process.wait(STOP_TIMEOUT)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
            self.process = None
        shutil.rmtree(self.home, ignore_errors=True)

    def _spawn(self) -> None:
        theirs, self._pipe = os.pipe()
        command = [
            self.python, "-m", "langop_model.translator",
            "--socket", str(self.path),
            "--parent", str(theirs),
            "--litellm-settings", json.dumps(self.settings),
        ]  # fmt: skip
        if self.folder is not None:
            command += ["--folder", str(self.folder)]
        environment = {**self.environment, "HOME": str(self.home)}
        try:
            self.process = subprocess.Popen(command, env=environment, pass_fds=[theirs], stdin=subprocess.DEVNULL)  # noqa: S603
        finally:
            os.close(theirs)
        self._began = self.clock()
        self.starts += 1

    def _close_pipe(self) -> None:
        """Let it notice that nobody needs it any more: the end of this process does the same."""
        if self._pipe is not None:
            os.close(self._pipe)
            self._pipe = None
