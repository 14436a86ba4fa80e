"""What the supervisor keeps of the workers' metrics, so that any of them can show the sum of all."""

from __future__ import annotations

from langop_model.gateway.accounting.definitions import BY_NAME
from langop_model.gateway.accounting.registry import retire


class WorkerSnapshots:
    """The last snapshot of each worker by its process id, and the counts of those that have ended.

    What a worker counted after its last snapshot is lost when it dies without sending one more.
    """

    def __init__(self) -> None:
        self.retired: bytes | None = None
        self._last: dict[int, bytes] = {}

    def received(self, worker: int, snapshot: bytes) -> None:
        """Keep a worker's snapshot (Metrics.snapshot), instead of its previous one."""
        self._last[worker] = snapshot

    def ended(self, worker: int) -> None:
        """Add what a worker that has ended had counted to `retired`."""
        snapshot = self._last.pop(worker, None)
        if snapshot is not None:
            self.retired = retire(self.retired, snapshot, BY_NAME)

    def others(self, worker: int) -> list[bytes]:
        """Return the snapshots of all but one worker: the arguments of its Metrics.text, with `retired`."""
        return [snapshot for each, snapshot in self._last.items() if each != worker]
