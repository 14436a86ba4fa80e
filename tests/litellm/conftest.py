"""LiteLLM imported as the launcher does, in processes of their own, once for all tests that look at it."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import pytest


@pytest.fixture(scope="session")
def imported() -> dict[str, Any]:
    """What stands in LiteLLM after its import."""
    return found_by("import_once")


@pytest.fixture(scope="session")
def served() -> dict[str, Any]:
    """What was promised and used when LiteLLM had answered on its open routes."""
    return found_by("serve_late")


def found_by(module: str) -> dict[str, Any]:
    """Return what a module of this folder prints last, in a process of its own: LiteLLM is imported only once in each."""
    command = [sys.executable, "-m", f"tests.litellm.{module}"]
    process = subprocess.run(command, capture_output=True, text=True, timeout=240, check=False)
    assert process.returncode == 0, process.stderr[-3000:]
    found: dict[str, Any] = json.loads(process.stdout.splitlines()[-1])
    return found
