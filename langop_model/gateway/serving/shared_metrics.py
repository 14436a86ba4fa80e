"""One truth at /metrics and /health for several workers: each leaves what it has counted and knows in a private folder.

A worker that is asked adds up its own, what the others have left, at most a second old, and what ended workers had
counted. The supervisor takes the snapshot of an ended worker into that account, and removes its file: so no file stays behind,
and no counter goes back when workers are replaced.
"""

from __future__ import annotations

import contextlib
import os
import tempfile
from pathlib import Path

from langop_model.gateway.accounting import definitions, snapshots
from langop_model.gateway.supervisor_state import SupervisorState

INTERVAL = 1.0  # seconds between two snapshots of a worker that is not alone
RETIRED = "retired"
SUPERVISOR = "supervisor"
HEALTH = ".health"


class SharedMetrics:
    """The folder of the snapshots. The supervisor makes it, workers inherit it."""

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="langop-metrics-"))  # 0700

    def write(self, snapshot: bytes) -> None:
        """Leave this worker's snapshot. A full disk loses figures, and no request."""
        with contextlib.suppress(OSError):
            _replace(self.folder / str(os.getpid()), snapshot)

    def write_health(self, health: bytes) -> None:
        """Leave what this worker knows of its models (worker_health.dump)."""
        with contextlib.suppress(OSError):
            _replace(self.folder / f"{os.getpid()}{HEALTH}", health)

    def write_state(self, state: SupervisorState) -> bool:
        """Leave what the supervisor knows; return whether it could be written."""
        try:
            _replace(self.folder / SUPERVISOR, state.dump())
        except OSError:
            return False
        return True

    def state(self) -> SupervisorState | None:
        """Return what the supervisor knows; None where it has not said it yet."""
        content = _read(self.folder / SUPERVISOR)
        try:
            return SupervisorState.load(content) if content else None
        except (ValueError, KeyError, TypeError):  # of another version, during an upgrade
            return None

    def others(self) -> list[bytes]:
        """Return the snapshots of the other workers."""
        return self._of_others("")

    def health_of_others(self) -> list[bytes]:
        """Return what the other workers know of their models."""
        return self._of_others(HEALTH)

    def retired(self) -> bytes | None:
        """Return what ended workers had counted."""
        return _read(self.folder / RETIRED)

    def retire(self, pid: int) -> None:
        """Take the counts of an ended worker into account, and remove its file."""
        path = self.folder / str(pid)
        snapshot = _read(path)
        with contextlib.suppress(OSError, ValueError, KeyError):
            if snapshot is not None:
                _replace(self.folder / RETIRED, snapshots.retire(self.retired(), snapshot, definitions.BY_NAME))
        for left in (path, path.with_suffix(HEALTH)):
            with contextlib.suppress(OSError):
                left.unlink()

    def remove(self) -> None:
        with contextlib.suppress(OSError):
            for path in self.folder.iterdir():
                path.unlink(missing_ok=True)
            self.folder.rmdir()

    def _of_others(self, suffix: str) -> list[bytes]:
        own = os.getpid()
        found = (path for path in self.folder.glob(f"[0-9]*{suffix}") if path.suffix == suffix and path.stem != str(own))
        return [content for path in found if (content := _read(path))]


def _read(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except OSError:
        return None


def _replace(path: Path, content: bytes) -> None:
    """Write a file whole or not at all: readers never see a part."""
    draft = path.with_name(f".{path.name}")
    draft.write_bytes(content)
    draft.replace(path)
