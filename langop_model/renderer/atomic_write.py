"""Writing a result: whole or not at all, readable by its owner alone, and nothing before it is settled where all results go.

A file counts as written when the disk has it. To wait for the disk after each of thousands of files takes as long as rendering
them; so several are handed to it at once, and waited for together.
"""

from __future__ import annotations

import os
import stat
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from langop_model.renderer import findings
from langop_model.renderer.findings import Finding, SpecError
from langop_model.renderer.record import Record

MAX_TOGETHER = 16  # files that are written together: more of them save little (measured on ext4), and each is open meanwhile
_FILE_NAMES = (".yaml", ".yml", ".json")  # no folder is created with a name that ends like this


class Destination(Record):
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

    def write(self, renderings: Sequence[tuple[str, str]]) -> list[Finding | None]:
        """Write renderings, each a name and a text. Return for each what stopped it (LM015), or None."""
        if not renderings:
            return []
        if not self.is_folder:
            return write_all([(str(self.path), text) for _, text in renderings])
        try:
            self.path.mkdir(exist_ok=True)
        except OSError as problem:
            return [_unwritable(str(self.path), problem)] * len(renderings)
        return write_all([(os.path.join(self.path, f"{name}.yaml"), text) for name, text in renderings])  # noqa: PTH118


def write(path: Path, text: str) -> None:
    """Write `text` to `path` as `write_all` does. Raises SpecError (LM015) when that can't be done."""
    (problem,) = write_all([(str(path), text)])
    if problem is not None:
        raise SpecError([problem])


def write_all(texts: Sequence[tuple[str, str]]) -> list[Finding | None]:
    """Write texts, each to its path, with mode 0600: a reader sees the old file or the new one, never a part.

    Return for each what stopped it (LM015), or None. Where it was stopped, what was there before is unchanged.
    """
    problems: list[Finding | None] = []
    for first in range(0, len(texts), MAX_TOGETHER):
        problems += _write_together(texts[first : first + MAX_TOGETHER])
    return problems


def _write_together(texts: Sequence[tuple[str, str]]) -> list[Finding | None]:
    """Write a few texts as `write_all` does.

    All are on their way to the disk before one is waited for, and no file gets its name before all have been waited for: a file
    system with a journal, such as ext4, then writes the journal once. With a change between two waits it writes it for each,
    which takes twice as long.
    """
    problems: dict[str, Finding] = {}
    begun: list[_Temporary] = []
    try:
        for path, text in texts:
            with _problem_of(path, problems):
                if _is_stream(path):
                    _write_stream(path, text)
                else:
                    begun.append(_Temporary(path))
                    begun[-1].begin(text)
        for step in (_Temporary.wait, _Temporary.replace):
            for temporary in begun:
                if temporary.path not in problems:
                    with _problem_of(temporary.path, problems):
                        step(temporary)
    finally:
        for temporary in begun:
            temporary.remove()
    return [problems.get(path) for path, _ in texts]


@contextmanager
def _problem_of(path: str, problems: dict[str, Finding]) -> Iterator[None]:
    """Record an OSError as the problem of `path`, and go on."""
    try:
        yield
    except OSError as problem:
        problems[path] = _unwritable(path, problem)


class _Temporary:
    """A file beside `path`, with mode 0600, that will replace it. Each of its steps raises OSError."""

    def __init__(self, path: str) -> None:
        self.path = path
        self.descriptor, self.name = tempfile.mkstemp(prefix=".langop-", dir=os.path.dirname(path) or os.curdir)  # noqa: PTH120

    def begin(self, text: str) -> None:
        """Write a text."""
        with open(self.descriptor, "wb", closefd=False) as file:
            file.write(text.encode("utf-8"))
        if hasattr(os, "posix_fadvise"):
            # It will not be read again, says this; Linux then begins to write it at once, not when it is waited for.
            os.posix_fadvise(self.descriptor, 0, 0, os.POSIX_FADV_DONTNEED)

    def wait(self) -> None:
        """Wait until the disk has what was written."""
        os.fsync(self.descriptor)

    def replace(self) -> None:
        """Give the file its name."""
        os.replace(self.name, self.path)  # noqa: PTH105 - pathlib takes time
        self.name = ""

    def remove(self) -> None:
        """Close the file, and remove it if it has replaced nothing."""
        with suppress(OSError):
            os.close(self.descriptor)
        if self.name:
            with suppress(OSError):
                os.unlink(self.name)  # noqa: PTH108


def _is_stream(path: str) -> bool:
    """Whether a path is there and no regular file: false for a name that no file can have."""
    try:
        return not stat.S_ISREG(os.stat(path).st_mode)  # noqa: PTH116
    except (OSError, ValueError):
        return False


def _write_stream(path: str, text: str) -> None:
    """A device or a pipe such as /dev/stdout can't be replaced. Raises OSError."""
    with open(path, "w", encoding="utf-8", newline="\n") as stream:  # noqa: PTH123
        stream.write(text)


def _unwritable(path: str, problem: OSError) -> Finding:
    return findings.make("LM015", reason=problem.strerror or str(problem)).replace(file=path)
