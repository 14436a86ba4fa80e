"""LiteLLM imported as the launcher does, once for all tests that look at it."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import pytest


@pytest.fixture(scope="session")
def imported() -> dict[str, Any]:
    command = [sys.executable, "-m", "tests.litellm.import_once"]
    process = subprocess.run(command, capture_output=True, text=True, timeout=240, check=False)
    assert process.returncode == 0, process.stderr[-3000:]
    found: dict[str, Any] = json.loads(process.stdout.splitlines()[-1])
    return found
