"""Files as the kubelet mounts a ConfigMap or a Secret: links through `..data`, which one rename swaps."""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from langop_model.launch.config_watcher import ConfigReloader


class MountedFolder:
    """A mounted ConfigMap or Secret.

    As in a pod, each file is a link to `..data/<name>`, and `..data` is a link to a folder named after a generation. `write`
    makes a new generation, swaps `..data` by a rename, removes links of files that are gone, and deletes the previous
    generation (Kubernetes, pkg/volume/util/atomic_writer.go).
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.generation = 0
        folder.mkdir(parents=True, exist_ok=True)

    def write(self, files: Mapping[str, str | bytes]) -> None:
        """Make `files`, contents by name, the whole content of the folder, all at once."""
        previous = self.folder / f"..generation-{self.generation}"
        self.generation += 1
        data = self.folder / f"..generation-{self.generation}"
        data.mkdir()
        for name, content in files.items():
            (data / name).write_bytes(content if isinstance(content, bytes) else content.encode("utf-8"))
        swap = self.folder / "..data_tmp"
        swap.symlink_to(data.name)
        swap.rename(self.folder / "..data")
        for name in files:
            if not (self.folder / name).is_symlink():
                (self.folder / name).symlink_to(f"..data/{name}")
        for link in self.folder.iterdir():
            if not link.name.startswith("..") and link.name not in files:
                link.unlink()
        shutil.rmtree(previous, ignore_errors=True)


class Pod:
    """The mounts of the gateway's pod, and the environment with which `launch` finds them.

    `models` is the ConfigMap of a gateway of several models, mounted as a folder. `model` is the ConfigMap with one model.json.
    Mount one of the two. Each Secret is mounted by its name.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.specs: dict[str, str] = {}
        self.secrets: dict[str, MountedFolder] = {}
        self.mount: MountedFolder | None = None
        self.termination_log = folder / "termination-log"
        self.termination_log.touch()
        self.environment = {
            "LANGOP_SECRETS_PATH": str(folder / "secrets"),
            "LANGOP_CONFIG_PATH": str(folder / "config.yaml"),
            "LANGOP_TERMINATION_LOG": str(self.termination_log),
        }

    def mount_models(self, **specs: Any) -> None:
        """Mount model__<name>.json for each spec, by name with _ for -: a text as it is, None to remove it; others stay."""
        for name, spec in specs.items():
            entry = f"model__{name.replace('_', '-')}.json"
            if spec is None:
                self.specs.pop(entry, None)
            else:
                self.specs[entry] = spec if isinstance(spec, str) else json.dumps(spec)
        self.mount = self.mount or MountedFolder(self.folder / "models")
        self.mount.write(self.specs)
        self.environment["LANGOP_MODEL_PATH"] = str(self.mount.folder)

    def mount_model(self, spec: Any) -> None:
        """Mount one model.json: a text as it is."""
        self.mount = self.mount or MountedFolder(self.folder / "langop")
        self.mount.write({"model.json": spec if isinstance(spec, str) else json.dumps(spec)})
        self.environment["LANGOP_MODEL_PATH"] = str(self.mount.folder / "model.json")

    def mount_secret(self, name: str, keys: Mapping[str, str | bytes]) -> None:
        """Mount a Secret with these keys, or replace its keys."""
        self.secrets.setdefault(name, MountedFolder(self.folder / "secrets" / name)).write(keys)

    @property
    def termination_message(self) -> str:
        """What Kubernetes would show as the reason of the container's end."""
        return self.termination_log.read_text(encoding="utf-8")


def look(reloader: ConfigReloader) -> dict[str, str] | None:
    """Let a gateway look at its mount, and return the variables of a changed configuration.

    Twice: at the first time a file may still be being written; and until what has changed is rendered.
    """
    assert reloader.next() is None
    found = reloader.next()
    while reloader.rendering is not None:
        assert found is None
        time.sleep(0.01)
        found = reloader.next()
    return found
