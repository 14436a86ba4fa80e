"""From a file's name, or `-` for standard input, to its text: without waiting forever, and up to a limit."""

from __future__ import annotations

import codecs
import io
import os
import stat
import sys

from langop_model.renderer import findings
from langop_model.renderer.limits import MAX_SOURCE_SIZE

STANDARD_INPUT = "-"
_NEXT = 64 * 1024  # bytes that are asked for where a file may hold more than it says


def read(name: str, source: str) -> str:
    """Return the text of the file `source`, or of standard input for `-`; `name` is what findings call it.

    Raises SpecError when it can't be read (LM001), is too large (LM003), or is not UTF-8 (LM004).
    """
    try:
        content = _standard_input() if source == STANDARD_INPUT else _file(source)
    except (OSError, ValueError) as problem:
        reason = getattr(problem, "strerror", None) or str(problem)
        raise findings.error("LM001", file=name, reason=reason) from None
    if len(content) > MAX_SOURCE_SIZE:
        raise findings.error("LM003", file=name, limit=MAX_SOURCE_SIZE // (1024 * 1024))
    return _decoded(name, content)


def _standard_input() -> bytes:
    if sys.stdin is None:  # what Python makes of a file descriptor 0 that is closed
        raise OSError("standard input is closed")
    return sys.stdin.buffer.read(MAX_SOURCE_SIZE + 1) or b""


def _file(path: str) -> bytes:
    """Return the content of a file, or of a pipe that something writes to: an unused one would be waited for forever."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        status = os.fstat(descriptor)
        if stat.S_ISREG(status.st_mode):
            return _regular(descriptor, status.st_size)
        with open(descriptor, "rb", buffering=0, closefd=False) as file:
            return _stream(file, is_pipe=stat.S_ISFIFO(status.st_mode))
    finally:
        os.close(descriptor)


def _regular(descriptor: int, size: int) -> bytes:
    """Return the content of a file that says it has `size` bytes, in as few calls of the system as possible."""
    content = os.read(descriptor, min(size, MAX_SOURCE_SIZE) + 1)
    while len(content) <= MAX_SOURCE_SIZE and (more := os.read(descriptor, _NEXT)):
        content += more
    return content


def _stream(file: io.FileIO, *, is_pipe: bool) -> bytes:
    first = file.read(MAX_SOURCE_SIZE + 1)
    if is_pipe and first == b"":
        raise OSError("nothing writes to this pipe")
    os.set_blocking(file.fileno(), True)  # None: there is a writer, and it has written nothing yet
    rest = io.BufferedReader(file).read(MAX_SOURCE_SIZE + 1 - len(first or b""))
    return (first or b"") + rest


def _decoded(name: str, content: bytes) -> str:
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise findings.error("LM004", file=name, line=1, column=1, problem="it starts like UTF-16")
    content = content.removeprefix(codecs.BOM_UTF8)
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError as problem:
        before = content[: problem.start]
        line = before.count(b"\n") + 1
        column = problem.start - (before.rfind(b"\n") + 1) + 1
        byte = f"byte 0x{content[problem.start]:02x} is not valid in UTF-8"
        raise findings.error("LM004", file=name, line=line, column=column, problem=byte) from None
