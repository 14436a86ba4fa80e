"""Writing a result: whole or not at all, readable by its owner alone."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from langop_model.renderer import findings


def write(path: Path, text: str) -> None:
    """Write `text` to `path` with mode 0600: a reader sees the old file or the new one, never a part.

    Raises SpecError (LM015) when that can't be done; what was there before is unchanged.
    """
    if os.path.exists(path) and not os.path.isfile(path):  # noqa: PTH110, PTH113 - false for a name that no file can have
        _write_stream(path, text)
        return
    temporary = None
    try:
        with tempfile.NamedTemporaryFile(
            "w", encoding="utf-8", newline="\n", dir=path.parent, prefix=f".{path.name}.", delete=False
        ) as file:  # created with mode 0600
            temporary = file.name
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).replace(path)
    except OSError as problem:
        if temporary is not None:
            Path(temporary).unlink(missing_ok=True)
        raise findings.error("LM015", file=str(path), reason=problem.strerror or str(problem)) from None


def _write_stream(path: Path, text: str) -> None:
    """A device or a pipe such as /dev/stdout can't be replaced."""
    try:
        with path.open("w", encoding="utf-8", newline="\n") as stream:
            stream.write(text)
    except OSError as problem:
        raise findings.error("LM015", file=str(path), reason=problem.strerror or str(problem)) from None
