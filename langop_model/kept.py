"""What is read at every start is kept beside its source in the form that Python reads fastest, as compiled modules are.

`__pycache__` holds it, which a read-only image brings along; where it can't be written, or PYTHONDONTWRITEBYTECODE is set,
nothing is kept. What is damaged, or of another Python, counts as not there.
"""

from __future__ import annotations

import contextlib
import marshal
import os
import sys
from typing import Any


def read(file: str, head: bytes) -> Any:
    """Return what was written to `file` with the same `head`; None where there is none."""
    with contextlib.suppress(OSError, EOFError, TypeError, ValueError):
        with open(file, "rb") as stream:  # noqa: PTH123 - pathlib takes time
            content = stream.read()  # in one piece: marshal.load reads a file object by object
        if content.startswith(head):
            return marshal.loads(content[len(head) :])  # noqa: S302 - from where the code itself comes from, or as safe
    return None


def write(file: str, head: bytes, value: Any) -> None:
    """Keep a value, of what marshal writes, where that can be done: a reader sees the old file or the new one."""
    if sys.dont_write_bytecode:
        return
    temporary = f"{file}.{os.getpid()}"
    with contextlib.suppress(OSError):
        os.makedirs(os.path.dirname(file), exist_ok=True)  # noqa: PTH103, PTH120
        with open(temporary, "wb") as stream:  # noqa: PTH123
            stream.write(head + marshal.dumps(value))
        os.replace(temporary, file)  # noqa: PTH105


def name(source: str) -> str:
    """Return the name of the file for what comes from `source`: each Python has its own."""
    return f"{os.path.basename(source)}.{sys.implementation.cache_tag}.cache"  # noqa: PTH119
