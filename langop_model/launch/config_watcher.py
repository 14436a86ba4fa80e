"""What is mounted and what is served of it: the configuration's file, and what has changed since.

The renderer works in forked processes (background_call.py), and its memory ends with them.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from pathlib import Path

from langop_model.gateway.supervisor_state import Reload
from langop_model.launch import messages, mounts, summary
from langop_model.launch.background_call import ForkedCall
from langop_model.launch.file_watcher import FileWatcher
from langop_model.launch.loaded_config import LoadedConfig
from langop_model.launch.mount_looks import MountLooks
from langop_model.renderer import findings
from langop_model.renderer.findings import Finding, SpecError

CONFIGURATION = "/app/config.yaml"
SPECIFICATION_FOLDER, SECRETS_FOLDER = "/etc/langop", "/etc/secrets"

RETRY_INTERVAL = 5.0  # seconds until a change that could not be written, for a full disk, is tried again
RENDER_TIMEOUT = 60.0  # seconds for the process that renders a change: a mount whose server is gone may never answer
LOAD_RETRY_INTERVAL = 60.0  # the same for one that the renderer or the workers could not load

Say = Callable[[Iterable[Finding]], None]
Rendered = tuple[LoadedConfig | SpecError, FileWatcher]


class ConfigReloader:
    """What is mounted, rendered and written: at first, and again whenever it changes (the gateway's Changes)."""

    def __init__(self, environment: Mapping[str, str], say: Say) -> None:
        self.environment = environment
        self.say = say
        self.path = _configuration_path(environment)
        self.watch = FileWatcher()
        self.looks = MountLooks(self.say_silent)
        self.served = self.tried = LoadedConfig()
        self.rendering: ForkedCall[Rendered] | None = None
        self.again_at: float | None = None  # when a change that is not served is tried again, though nothing has changed
        self.said: tuple[Finding, ...] = ()  # of the change that is being tried
        self.status = Reload()

    def load(self) -> tuple[LoadedConfig, FileWatcher]:
        """Return what is mounted now, and what has to be watched; in a forked process (background_call.py).

        Raises SpecError.
        """
        from langop_model.launch.load_config import load_config  # with the renderer, which takes its time and memory

        return load_config(self.environment, self.watch, self.served), self.watch

    def places(self) -> list[str]:
        """Return what may be mounted, before anything of it was read."""
        found = (("LANGOP_MODEL_PATH", SPECIFICATION_FOLDER), ("LANGOP_SECRETS_PATH", SECRETS_FOLDER))
        return [self.environment.get(name) or default for name, default in found]

    def say_silent(self, paths: Iterable[str], seconds: float) -> None:
        """Say that mounted files do not answer."""
        self.say([_silent(paths, seconds)])

    def first(self, load: Callable[[], tuple[LoadedConfig, FileWatcher]] | None = None) -> dict[str, str]:
        """Write the configuration, and return the variables of the gateway's processes. Raises SpecError.

        `load` returns what this object's own would.
        """
        loaded, self.watch = (load or self.load)()
        self.served = self.tried = loaded
        self.say(loaded.findings)
        self._write(loaded)
        self._is_served()
        return loaded.variables

    def next(self) -> dict[str, str] | None:
        """Write the configuration of a changed specification or key, and return its variables; None if there is none.

        It is rendered in a forked process, and written at a later call. What is wrong with it is said, and nothing is written.
        What could not be written is tried again after RETRY_INTERVAL seconds, until it is served or changes. A process that
        does not finish is ended after RENDER_TIMEOUT seconds: a mount may not answer.
        """
        if self.rendering is None:
            if self.looks.changed(self.watch):
                self.said = ()
            elif self.again_at is None or time.monotonic() < self.again_at:
                return None
            self.again_at = None
            self.watch.accept()
            self.rendering = ForkedCall(self._render, SpecError, repeats=False)
            return None
        if not self.rendering.done:
            if time.monotonic() - self.rendering.began > RENDER_TIMEOUT:
                self.rendering.kill()
                self.rendering = None
                self._try_again([_silent(self.watch.paths, RENDER_TIMEOUT)], LOAD_RETRY_INTERVAL)
            return None
        rendering, self.rendering = self.rendering, None
        return self._take(rendering)

    def _render(self) -> Rendered:
        """Return the changed configuration, or what is wrong with it, and what has to be watched now."""
        try:
            loaded, watch = self.load()
            if loaded.text != self.served.text:
                loaded = replace(loaded, changes=summary.changes(self.served.text, loaded.text))
            return loaded, watch
        except SpecError as problem:
            return problem, self.watch
        except Exception as defect:  # noqa: BLE001 - whatever is wrong with a change, what is being served goes on
            reason = self.without_keys(f"{type(defect).__name__}: {defect}")
            return findings.error("LM736", reason=reason), self.watch

    def _take(self, rendering: ForkedCall[Rendered]) -> dict[str, str] | None:
        """Write what was rendered, and return its variables; None where no action is needed."""
        try:
            loaded, self.watch = rendering.result()
        except ChildProcessError as problem:
            self._try_again([findings.make("LM736", reason=problem)])
            return None
        if isinstance(loaded, SpecError):
            if any(finding.code == "LM736" for finding in loaded.findings):
                self._try_again(loaded.findings, LOAD_RETRY_INTERVAL)
            else:
                self._refuse([*loaded.findings, findings.make("LM726")])
            return None
        if loaded.text == self.served.text:
            # A key that has changed is read when it is used (langop_model/gateway/secrets.py).
            self._say_once(finding for finding in loaded.findings if finding not in self.served.findings)
            self.served = loaded
            self._is_served()
            return None
        try:
            self._write(loaded)
        except SpecError as problem:
            self._try_again([*loaded.findings, *problem.findings, findings.make("LM726")])
            return None
        self._say_once(loaded.findings)
        self.tried = loaded
        return loaded.variables

    def _try_again(self, found: Iterable[Finding], after: float = RETRY_INTERVAL) -> None:
        self._refuse(found)
        self.again_at = time.monotonic() + after

    def _refuse(self, found: Iterable[Finding]) -> None:
        """Say why a change is not served."""
        found = tuple(found)
        self._say_once(found)
        self._is_refused(found)

    def _is_refused(self, found: Iterable[Finding]) -> None:
        """Keep for GET /health and the metrics why a change is not served."""
        refused = tuple(messages.shown(finding) for finding in found if finding.level != "info")
        if refused != self.status.refused:
            self.status = replace(self.status, refused=refused, refused_at=time.time())

    def _is_served(self) -> None:
        """Note that what was read last is what is served."""
        self.status = Reload(loaded_at=time.time())

    def _say_once(self, found: Iterable[Finding]) -> None:
        """Say it, unless the same was said of this change already."""
        found = tuple(found)
        if found != self.said:
            self.say(found)
        self.said = found

    def took_effect(self) -> None:
        """The changed configuration is being served."""
        changes, self.served = self.tried.changes, self.tried
        self._is_served()
        self.say([findings.make("LM724", changes="; ".join(changes))])

    def failed(self, reason: str) -> None:
        """The workers did not load the changed configuration: the file says again what is being served."""
        found = [findings.make("LM725", reason=self.without_keys(reason))]
        self.say(found)
        self._is_refused(found)
        self.again_at = time.monotonic() + LOAD_RETRY_INTERVAL
        try:
            _write(self.path, self.served.text)
        except SpecError as problem:
            self.say(problem.findings)

    def died(self, how: str) -> None:
        """A worker ended by itself."""
        self.say([findings.make("LM723", reason=self.without_keys(how))])

    def _write(self, loaded: LoadedConfig) -> None:
        _write(self.path, loaded.text)
        if self.environment.get("DEBUG", "").lower() in ("true", "1"):
            messages.configuration(loaded.text)

    def without_keys(self, text: str) -> str:
        """Return `text`, which another program wrote, without the keys that it may repeat."""
        for value in {*self.served.keys.values(), *self.tried.keys.values()}:
            text = text.replace(value, "[key]")
        return text


def _silent(paths: Iterable[str], seconds: float) -> Finding:
    paths = list(paths)
    return findings.make("LM739", paths=", ".join(mounts.on_network(paths) or paths), seconds=f"{seconds:.0f}")


def _write(path: Path, text: str) -> None:
    from langop_model.renderer.atomic_write import write

    write(path, text)


def _configuration_path(environment: Mapping[str, str]) -> Path:
    """Return where the configuration is written: where LANGOP_CONFIG_PATH says; with a read-only root, where there is room."""
    wanted = environment.get("LANGOP_CONFIG_PATH")
    path = Path(wanted or CONFIGURATION)
    if not wanted and not os.access(path.parent, os.W_OK):
        import tempfile

        path = Path(tempfile.mkdtemp(prefix="langop-")) / path.name
    return path
