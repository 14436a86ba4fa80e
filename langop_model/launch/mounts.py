"""Which paths are on a network mount. Its server may be gone, and then a look at a file there never returns."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from pathlib import Path

MOUNTS = Path("/proc/self/mountinfo")  # proc_pid_mountinfo(5); reading it asks no server
# Types of file systems behind a network; of FUSE's, such as fuse.sshfs, nearly all are.
NETWORK = re.compile(rb"9p|afs|ceph|cifs|fuse(\..+)?|glusterfs|lustre|nfs4?|orangefs|smb3|smbfs|virtiofs")
_ESCAPED = re.compile(rb"\\([0-7]{3})")


def on_network(paths: Iterable[str]) -> list[str]:
    """Return those of `paths` that are on a network mount. None of them is looked at, so no link is followed."""
    mounted = _mounted()
    if not any(is_network for _, is_network in mounted):
        return []
    return [path for path in paths if _is_on_network(path, mounted)]


def _mounted() -> list[tuple[str, bool]]:
    """Return the mount points, the longest first, and whether each is a network's. Of two at one place the last one counts."""
    try:
        lines = MOUNTS.read_bytes().splitlines()
    except OSError:  # a system without /proc
        return []
    found: dict[str, bool] = {}
    for line in lines:
        fields, _, rest = line.partition(b" - ")
        point = _ESCAPED.sub(lambda match: bytes([int(match[1], 8)]), fields.split(b" ")[4])
        found[os.fsdecode(point)] = NETWORK.fullmatch(rest.partition(b" ")[0]) is not None
    return sorted(found.items(), key=lambda each: -len(each[0]))


def _is_on_network(path: str, mounted: list[tuple[str, bool]]) -> bool:
    absolute = os.path.abspath(path)  # noqa: PTH100 - Path.resolve looks at the path
    return next((is_network for point, is_network in mounted if f"{absolute}/".startswith(f"{point.rstrip('/')}/")), False)
