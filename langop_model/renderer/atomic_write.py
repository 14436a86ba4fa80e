"""Writing a result: whole or not at all, readable by its owner alone, and nothing before it is settled where all results go."""

from __future__ import annotations

import os
import tempfile
from collections import Counter
from pathlib import Path
from typing import NamedTuple

from langop_model.renderer import findings

_FILE_NAMES = (".yaml", ".yml", ".json")  # no folder is created with a name that ends like this


class Destination(NamedTuple):
    """Where renderings are written: one file, or a folder with a file for each."""

    path: Path
    is_folder: bool

    @classmethod
    def settle(cls, output: str, names: list[str]) -> Destination:
        """Return the destination of renderings with these `names`: a folder where there are several, or where `output` says so.

        It is not created yet. Raises ValueError, with words for the user, where two of them would be one file.
        """
        is_folder = os.path.isdir(output)  # noqa: PTH112 - false for a name that no folder can have
        wanted = is_folder or output.endswith(os.sep)
        if len(names) > 1 and not wanted and (os.path.exists(output) or output.endswith(_FILE_NAMES)):  # noqa: PTH110
            raise ValueError(f"{output} is one file for {len(names)} models: name a folder, or use --gateway")
        twice = [name for name, count in Counter(names).items() if name and count > 1]
        if twice:
            file = Path(output) / f"{twice[0]}.yaml"
            raise ValueError(f"{file} would be written twice: rename a model, or use --gateway")
        return cls(Path(output), is_folder or wanted or len(names) > 1)

    def write(self, name: str, text: str) -> None:
        """Write the rendering `name`. Raises SpecError (LM015) as `write` does."""
        if not self.is_folder:
            write(self.path, text)
            return
        try:
            self.path.mkdir(exist_ok=True)
        except OSError as problem:
            raise findings.error("LM015", file=str(self.path), reason=problem.strerror or str(problem)) from None
        write(self.path / f"{name}.yaml", text)


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
            "w", encoding="utf-8", newline="\n", dir=path.parent, prefix=".langop-", delete=False
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
