"""Noticing that a mounted file has changed, by looking once a second.

Not by inotify: a mounted ConfigMap changes by a link that is moved elsewhere, network mounts report nothing, and the libraries
for it start a thread, which must not be in a process that forks.
"""

from __future__ import annotations

import os
from collections.abc import Iterable

Mark = tuple[str, int, int, int]


class FileWatcher:
    """Remembers what is at some paths, and notices when that is something else and has stopped changing."""

    def __init__(self) -> None:
        self.paths: list[str] = []
        self.remembered: list[Mark] = []
        self.seen: list[Mark] = []

    def remember(self, paths: Iterable[str]) -> None:
        """Take what is at `paths` now, files or folders of files, as known."""
        self.paths = list(paths)
        self.remembered = self.seen = _marks(self.paths)

    def add(self, paths: Iterable[str]) -> None:
        """Take what is at further `paths` as known too."""
        paths = list(paths)
        self.paths += paths
        self.remembered = self.seen = [*self.remembered, *_marks(paths)]

    def changed(self) -> bool:
        """Whether there is something else than was remembered, and was when last asked too."""
        return self.compare(self.look())

    def look(self) -> list[Mark]:
        """Return what is there now."""
        return _marks(self.paths)

    def compare(self, found: list[Mark]) -> bool:
        """Return the same as `changed`, from a look."""
        before, self.seen = self.seen, found
        return self.seen == before and self.seen != self.remembered

    def accept(self) -> None:
        """Take what was seen last as known."""
        self.remembered = self.seen


def _marks(paths: Iterable[str]) -> list[Mark]:
    return [mark for path in paths for name in (path, *_inside(path)) if (mark := _mark(name))]


def _inside(path: str) -> list[str]:
    """Return the entries of a folder but those with a dot, through which a mounted ConfigMap's links lead."""
    try:
        return sorted(os.path.join(path, name) for name in os.listdir(path) if not name.startswith("."))  # noqa: PTH118, PTH208
    except (OSError, ValueError):
        return []


def _mark(path: str) -> Mark | None:
    """Return what tells one content from another: kubelet writes a new file each time, an editor at least a new time."""
    try:
        status = os.stat(path)  # noqa: PTH116 - follows links
    except (OSError, ValueError):
        return None
    return path, status.st_ino, status.st_mtime_ns, status.st_size
