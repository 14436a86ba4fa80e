"""Keys of mounted Secrets, as they are now: a key that changes is used by the next request.

Kubernetes replaces a mounted Secret whole, by swapping a link; a look at a file's time tells. Nothing here imports LiteLLM.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from langop_model.contract.secret_keys import normalize_secret_key
from langop_model.contract.settings import Key


def find(key: Key) -> Path | None:
    """Return the file that a key is in, or the folder for a key that is one; None where it is missing.

    Raises OSError for a folder that can't be read.
    """
    if key.file:
        return Path(key.file)
    if not key.names:
        return Path(key.folder)
    by_name = {
        normalize_secret_key(path.name): path for path in sorted(Path(key.folder).iterdir(), reverse=True) if path.is_file()
    }
    return next((by_name[name] for name in key.names if name in by_name), None)


def read(path: Path) -> str:
    """Return the key in a file. White space around it is stripped: a newline would break each request.

    Raises OSError, and UnicodeDecodeError for what is no text.
    """
    return path.read_text(encoding="utf-8").strip()


def export(key: Key) -> str | None:
    """Return what the variable of a key holds when the gateway starts; None where the key is missing. Raises as `read` does."""
    path = find(key)
    if path is None:
        return None
    if key.delivery == "folder":
        return _copy(path)
    return str(path) if key.delivery == "path" else read(path)


def _copy(folder: Path) -> str:
    """LiteLLM writes renewed tokens into such a folder, and a mounted Secret is read-only."""
    copy = Path(tempfile.mkdtemp(prefix="langop-"))
    for path in folder.iterdir():
        if path.is_file():
            shutil.copyfile(path, copy / path.name)
    return str(copy)


class ProviderKeys:
    """The keys of one model by LiteLLM's parameter, read again when their files change.

    What can't be read any more keeps its last value: a Secret that is being replaced stops no request.
    """

    def __init__(self, keys: Mapping[str, Key]) -> None:
        self.keys = {parameter: key for parameter, key in keys.items() if key.delivery != "folder"}
        self.seen: dict[str, Mark] = {}
        self.paths: dict[str, Path] = {}
        self.values: dict[str, str] = {}

    def fill(self, parameters: Mapping[str, Any]) -> dict[str, Any]:
        """Return `parameters` of a deployment with the keys as they are now. Variables of the process are set."""
        for parameter, key in self.keys.items():
            self._look(parameter, key)
        for parameter, key in self.keys.items():
            if parameter == key.variable and parameter in self.values:
                os.environ[parameter] = self.values[parameter]
        own = {name: value for name, value in self.values.items() if name != self.keys[name].variable}
        filled = dict(parameters)
        for name, value in own.items():
            outer, _, inner = name.partition(".")  # extra_headers.X-Key is an entry of an object
            filled[outer] = {**parameters.get(outer, {}), inner: value} if inner else value
        return filled

    def value(self, parameter: str) -> str | None:
        """Return one key as it is now; None where the model has no such key."""
        key = self.keys.get(parameter)
        if key is None:
            return None
        self._look(parameter, key)
        return self.values.get(parameter, "")

    def _look(self, parameter: str, key: Key) -> None:
        try:
            mark = _mark(key, self.paths.get(parameter))
            if mark == self.seen.get(parameter):
                return
            path = find(key)
            mark = _mark(key, path)  # before it is read: what changes in between is read by the next request
            if path is None:
                self.paths.pop(parameter, None)
                self.values.pop(parameter, None)
            else:
                self.paths[parameter] = path
                if text := read(path):
                    self.values[parameter] = text
            self.seen[parameter] = mark
        except (OSError, UnicodeDecodeError):
            return


Mark = tuple[object, ...]


def _mark(key: Key, path: Path | None) -> Mark:
    """Return what differs after a key has changed: its folder, which changes with every name in it, and its file."""
    return (*_state(key.file or key.folder), *(_state(path) if path is not None else ()))


def _state(path: Path | str) -> Mark:
    try:
        status = os.stat(path)  # noqa: PTH116 - each request does this, and pathlib's takes twice as long
    except FileNotFoundError:
        return (None,)
    return status.st_mtime_ns, status.st_size, status.st_ino
