"""How much memory the bodies of all requests of a worker may take: what the container has besides its processes."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from langop_model.gateway.access.errors import APIError

MIB = 2**20
MAX_BODY_SIZE = 32 * MIB  # bytes: what Anthropic's API takes; OpenAI's takes files of 25 MB
MAX_BODIES_SIZE = 96 * MIB  # bytes of all bodies of a worker; each takes up to four times its size while it is answered
CLOSE = ((b"connection", b"close"),)

# Measured with bodies of 5 and of 31 MiB: a gateway with one worker and a translator takes 293 MiB when it is ready and some
# 340 later, another worker 45, and a body six times its size until LiteLLM has translated it.
WITH_TRANSLATOR = 340 * MIB
ANOTHER_WORKER = 45 * MIB
TIMES = 6

# Of cgroup v2 and v1: https://docs.kernel.org/admin-guide/cgroup-v2.html#memory-interface-files
LIMITS = (Path("/sys/fs/cgroup/memory.max"), Path("/sys/fs/cgroup/memory/memory.limit_in_bytes"))


class BodyMemory:
    """What the bodies of all requests of a worker take together. Each may be as large as one may be, but not all of them."""

    def __init__(self, most: int = MAX_BODIES_SIZE) -> None:
        self.most = most
        self.taken = 0

    def take(self, size: int) -> None:
        """Take `size` bytes. Raises APIError (503) where there is no room."""
        if self.taken + size > self.most:
            message = f"the requests that are being answered have {self.most // MIB} MiB together: try again"
            raise APIError(503, message, "too_many_large_requests", headers=(*CLOSE, (b"retry-after", b"1")))
        self.taken += size

    def give_back(self, size: int) -> None:
        """Give `size` bytes back."""
        self.taken -= size


def container_limit(files: Iterable[Path] = LIMITS) -> int | None:
    """Return how many bytes of memory the container may take; None where it has no limit."""
    for file in files:
        try:
            text = file.read_text(encoding="ascii").strip()
        except OSError:
            continue
        return int(text) if text.isdigit() else None
    return None


def beside_translator(limit: int | None, workers: int) -> int:
    """Return the most bytes of bodies of each worker where a translator is running: at least the largest body has room.

    `limit` is the container's.
    """
    if limit is None:
        return MAX_BODIES_SIZE
    left = limit - WITH_TRANSLATOR - ANOTHER_WORKER * (workers - 1)
    return min(MAX_BODIES_SIZE, max(MAX_BODY_SIZE, left // TIMES // workers))
