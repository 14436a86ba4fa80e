"""Programs that are no Python packages: found, or installed where this is a Debian and its root."""

from __future__ import annotations

import os
import shutil
import subprocess


def find(program: str, package: str) -> str:
    """Return the path of a program, from a Debian package if need be. Raises FileNotFoundError with the reason why not."""
    found = shutil.which(program)
    if found:
        return found
    install = f"apt-get update -qq && apt-get install -y -qq --no-install-recommends {package}"
    if os.geteuid() != 0 or not shutil.which("apt-get"):
        raise FileNotFoundError(f"{program} is not installed, and only root of a Debian can install it: {install}")
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive", "RUNLEVEL": "1"}  # no service of its own
    done = subprocess.run(["sh", "-c", install], env=environment, capture_output=True, text=True, check=False)
    found = shutil.which(program)
    if not found:
        raise FileNotFoundError(f"{program} is not installed, and this failed: {install}\n{done.stderr[-500:]}")
    return found
