"""What is mounted and what is served of it: the configuration's file, and what has changed since.

The renderer is imported where it renders: at the start in another process (background_call.py), here with the first change.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from langop_model import report
from langop_model.launch.file_watcher import FileWatcher
from langop_model.launch.loaded_config import LoadedConfig
from langop_model.renderer import findings
from langop_model.renderer.findings import Finding, SpecError

CONFIGURATION = "/app/config.yaml"

Say = Callable[[Iterable[Finding]], None]


class ConfigReloader:
    """What is mounted, rendered and written: at first, and again whenever it changes (the gateway's Changes)."""

    def __init__(self, environment: Mapping[str, str], say: Say) -> None:
        self.environment = environment
        self.say = say
        self.path = _configuration_path(environment)
        self.watch = FileWatcher()
        self.served = self.tried = self.imported = LoadedConfig()

    def load(self) -> tuple[LoadedConfig, FileWatcher]:
        """Return what is mounted now, and what has to be watched; at the start in another process (background_call.py).

        Raises SpecError.
        """
        from langop_model.launch.load_config import load_config  # with the renderer, which takes its time and is wanted once

        return load_config(self.environment, self.watch, self.served), self.watch

    def first(self, load: Callable[[], tuple[LoadedConfig, FileWatcher]] | None = None) -> dict[str, str]:
        """Write the configuration, and return the variables that LiteLLM shall find. Raises SpecError.

        `load` returns what this object's own would.
        """
        loaded, self.watch = (load or self.load)()
        self.served = self.tried = loaded
        self._write(loaded)
        return loaded.variables

    def next(self) -> dict[str, str] | None:
        """Write the configuration of a changed specification or key, and return its variables; None where nothing changed.

        What is wrong with it is said, and nothing is written.
        """
        if not self.watch.changed():
            return None
        try:
            loaded, _ = self.load()
            if loaded.text == self.served.text:
                # A key that has changed is read when it is used (langop_model/gateway/secrets.py).
                self.say(finding for finding in loaded.findings if finding not in self.served.findings)
                self.served = loaded
                return None
            self._write(loaded)
        except SpecError as problem:
            self.say([*problem.findings, findings.make("LM726")])
            return None
        except Exception as defect:  # noqa: BLE001 - whatever is wrong with a change, what is being served goes on
            self.say([findings.make("LM736", reason=self.without_keys(f"{type(defect).__name__}: {defect}"))])
            return None
        self.tried = loaded
        return loaded.variables

    def took_effect(self) -> None:
        """The changed configuration is being served."""
        self.served = self.tried
        self.say([findings.make("LM724")])

    def failed(self, reason: str) -> None:
        """LiteLLM did not load the changed configuration: the file says again what is being served."""
        self.say([findings.make("LM725", reason=self.without_keys(reason))])
        try:
            _write(self.path, self.served.text)
        except SpecError as problem:
            self.say(problem.findings)

    def died(self, how: str) -> None:
        """A worker ended by itself."""
        self.say([findings.make("LM723", reason=self.without_keys(how))])

    def _write(self, loaded: LoadedConfig) -> None:
        self.say(loaded.findings)
        if self.environment.get("DEBUG", "").lower() in ("true", "1"):
            report.print_configuration(loaded.text)
        _write(self.path, loaded.text)

    def without_keys(self, text: str) -> str:
        """Return `text`, which another program wrote, without the keys that it may repeat."""
        for value in {*self.served.keys.values(), *self.tried.keys.values()}:
            text = text.replace(value, "[key]")
        return text


def _write(path: Path, text: str) -> None:
    from langop_model.renderer.output import write

    write(path, text)


def _configuration_path(environment: Mapping[str, str]) -> Path:
    """Return where the configuration is written: where LANGOP_CONFIG_PATH says; with a read-only root, where there is room."""
    wanted = environment.get("LANGOP_CONFIG_PATH")
    path = Path(wanted or CONFIGURATION)
    if not wanted and not os.access(path.parent, os.W_OK):
        import tempfile

        path = Path(tempfile.mkdtemp(prefix="langop-")) / path.name
    return path
