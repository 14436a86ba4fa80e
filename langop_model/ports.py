"""Why a port can't be listened on, and which process has it, as far as Linux lets this one see (proc(5))."""

from __future__ import annotations

import contextlib
import errno
import os
from collections.abc import Iterator
from pathlib import Path

_PROC = Path("/proc")
_LISTENING = "0A"  # TCP_LISTEN, include/net/tcp_states.h


def why_not(problem: OSError, port: int) -> str:
    """Return in words what keeps a process from listening on `port`, with the process that already does."""
    reason = os.strerror(problem.errno) if problem.errno else str(problem)
    holder = _holder(port) if problem.errno == errno.EADDRINUSE else ""
    return f"{reason}, by {holder}" if holder else reason


def _holder(port: int) -> str:
    """Return who listens on `port`: "python3 (process 42)", its user where the process is hidden, "" where nobody is found."""
    users = dict(_listeners(port))
    sockets = {f"socket:[{inode}]" for inode in users}
    for process in _processes():  # the oldest first: the others of a server were forked by it
        if sockets and not sockets.isdisjoint(_files(process)):
            with contextlib.suppress(OSError):
                name = (process / "comm").read_text(encoding="utf-8", errors="replace").strip()
                return f"{name} (process {process.name})"
    return f"a process of user {next(iter(users.values()))}" if users else ""


def _listeners(port: int) -> Iterator[tuple[str, str]]:
    """Yield inode and user id of each socket that listens on `port`."""
    for table in ("tcp", "tcp6"):
        with contextlib.suppress(OSError):
            for line in (_PROC / "net" / table).read_text(encoding="ascii").splitlines()[1:]:
                columns = line.split()
                if columns[3] == _LISTENING and int(columns[1].rpartition(":")[2], 16) == port:
                    yield columns[9], columns[7]


def _processes() -> list[Path]:
    """Return the folders of all processes, by their number."""
    with contextlib.suppress(OSError):
        return sorted((path for path in _PROC.iterdir() if path.name.isdigit()), key=lambda path: int(path.name))
    return []


def _files(process: Path) -> set[str]:
    """Return what a process has open; nothing where it may not be seen, or has ended."""
    opened = set()
    with contextlib.suppress(OSError):
        for descriptor in (process / "fd").iterdir():
            with contextlib.suppress(OSError):
                opened.add(str(descriptor.readlink()))
    return opened
