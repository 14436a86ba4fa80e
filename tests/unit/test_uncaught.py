"""What nothing catches in a process that logs is one line, whatever it is."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from tests.conftest import ROOT

PROGRAM = """
import asyncio, threading, warnings
from langop_model import log_format
log_format.configure("INFO", environment={"LANGOP_LOG_FORMAT": "json"})
log_format.log_uncaught()

class Unraisable:
    def __del__(self):
        raise ValueError("ignored")

async def forgotten():
    async def fails():
        raise ValueError("never retrieved")
    asyncio.get_running_loop().create_task(fails())
    await asyncio.sleep(0.01)
"""


@pytest.mark.parametrize(
    ("code", "logger", "words"),
    [
        ('raise ValueError("broken")', "langop.uncaught", "nothing caught"),
        ("threading.Thread(target=lambda: 1 / 0, name='exporter').start()", "langop.uncaught", "exporter"),
        ("Unraisable()", "langop.uncaught", "ignored"),
        ("asyncio.run(forgotten())", "asyncio", "never retrieved"),
        ('warnings.warn("old", DeprecationWarning)', "py.warnings", "DeprecationWarning"),
    ],
)
def test_it_is_one_line(code: str, logger: str, words: str):
    done = subprocess.run([sys.executable, "-c", PROGRAM + code], cwd=ROOT, capture_output=True, text=True, check=False)
    (line,) = (done.stdout + done.stderr).splitlines()
    found = json.loads(line)
    assert found["logger"] == logger
    assert words in found["message"]
