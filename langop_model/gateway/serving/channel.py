"""Messages between the supervisor and a worker, over a pair of sockets: lines of JSON, a few bytes each way.

The end of the other side closes the pair, so each notices the other's death without a signal.
"""

from __future__ import annotations

import contextlib
import json
import socket
from collections.abc import Iterator

LONGEST_LINE = 64 * 1024  # bytes; a failure's reason is cut long before


class Channel:
    """One end. Neither reading nor writing ever waits."""

    def __init__(self, end: socket.socket) -> None:
        self.end = end
        self.closed = False
        self._rest = b""
        end.setblocking(False)

    @classmethod
    def pair(cls) -> tuple[Channel, Channel]:
        """Return both ends; after a fork each process closes the other's."""
        ours, theirs = socket.socketpair()
        return cls(ours), cls(theirs)

    def fileno(self) -> int:
        """Return the descriptor to wait for."""
        return self.end.fileno()

    def send(self, word: str, text: str = "") -> None:
        """Say one word; silently nothing when nobody listens any more."""
        with contextlib.suppress(OSError):
            self.end.sendall(json.dumps([word, text]).encode() + b"\n")

    def receive(self) -> Iterator[tuple[str, str]]:
        """Yield what has arrived as pairs of word and text. Afterwards `closed` says whether the other side is gone."""
        while True:
            try:
                part = self.end.recv(LONGEST_LINE)
            except BlockingIOError:
                return
            except OSError:
                part = b""
            if not part:
                self.closed = True
                return
            *lines, self._rest = (self._rest + part).split(b"\n")
            for line in lines:
                word, text = json.loads(line)
                yield word, text

    def close(self) -> None:
        self.end.close()
