"""The translator beside the workers: when it starts, with which variables, and what a changed configuration means for it."""

from __future__ import annotations

import logging
import os
from collections.abc import Mapping
from pathlib import Path

from langop_model.gateway.configuration import Configuration
from langop_model.gateway.serving.shared_metrics import SharedMetrics
from langop_model.gateway.serving.translator_process import TranslatorProcess, passed

WANTED = "translator"  # what a worker says that needs one
KEYS = "LANGOP_KEY_"  # variables of keys, which come with each call
# What LiteLLM's callbacks read from the environment begins with their name, but for this one.
PREFIXES = {"generic_api": "GENERIC_"}

log = logging.getLogger("langop.translator")


class Translators:
    """The supervisor's companion (supervisor.Companion) for one configuration file. It looks after `metrics` too."""

    def __init__(self, config: Path, metrics: SharedMetrics) -> None:
        self.config = config
        self.metrics = metrics
        self.environment: Mapping[str, str] = {}
        self.process: TranslatorProcess | None = None
        self.path = ""
        self.settings: Mapping[str, object] = {}

    def begin(self, environment: Mapping[str, str]) -> list[str]:
        """Start it if the configuration is certain to need it; return the sockets on which workers find it."""
        configuration = Configuration.load(self.config)
        self.settings = configuration.litellm_settings
        self.environment = _environment(configuration, environment)
        self.process = TranslatorProcess(self.settings, self.config.parent, say=lambda line: log.error("%s", line))
        if configuration.needs_translator:
            self.process.start(self.environment)
        return [str(self.process.path)]

    def look(self) -> None:
        """Start it again when it has died."""
        if self.process is not None:
            self.process.look()

    def heard(self, word: str) -> None:
        """Start it when a worker needs it."""
        if word == WANTED and self.process is not None:
            self.process.start(self.environment)

    def ended(self, pid: int, status: int) -> None:
        """Note its death."""
        if self.process is not None and self.process.pid == pid:
            self.process.ended(os.waitstatus_to_exitcode(status))

    def worker_ended(self, pid: int) -> None:
        """Keep what a worker has counted."""
        self.metrics.retire(pid)

    def changed(self, environment: Mapping[str, str]) -> None:
        """Start it where a changed configuration needs it; again where its variables or callbacks are others."""
        process = self.process
        if process is None:
            return
        configuration = Configuration.load(self.config)
        changed = _environment(configuration, environment)
        is_stale = (changed, _callbacks(configuration.litellm_settings)) != (self.environment, _callbacks(self.settings))
        self.environment, self.settings = changed, configuration.litellm_settings
        process.settings = self.settings
        if is_stale and process.process is not None:
            process.environment = changed
            process.process.terminate()  # it starts again at the next look; requests meanwhile wait for it
        elif configuration.needs_translator:
            process.start(changed)

    def stop(self) -> None:
        """End it."""
        if self.process is not None:
            self.process.stop()
        self.metrics.remove()


def _callbacks(settings: Mapping[str, object]) -> dict[str, object]:
    return {name: value for name, value in settings.items() if "callback" in name}


def _environment(configuration: Configuration, variables: Mapping[str, str]) -> dict[str, str]:
    """Return the translator's environment.

    It has what any program needs, what the configuration sets, and what callbacks read that somebody configured by hand.
    """
    prefixes = [PREFIXES.get(name, f"{name.upper()}_") for name in configuration.callbacks]
    own = {name: value for name, value in variables.items() if not name.startswith(KEYS)}
    return {**passed(os.environ, prefixes), **own}
