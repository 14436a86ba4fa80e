"""The translator beside the workers: when it starts, with which variables, and what a changed configuration means for it."""

from __future__ import annotations

import logging
import os
from collections.abc import Mapping
from pathlib import Path

from langop_model.contract import references, translator_settings
from langop_model.gateway.configuration import Configuration
from langop_model.gateway.serving.shared_metrics import SharedMetrics
from langop_model.gateway.serving.translator_process import TranslatorProcess, passed

WANTED = "translator"  # what a worker says that needs one
KEYS = "LANGOP_KEY_"  # variables of keys, which come with each call
# What LiteLLM's callbacks read from the environment begins with the first word of their name, but for these.
PREFIXES = {"generic_api": "GENERIC_", "datadog": "DD_", "datadog_llm_observability": "DD_"}

log = logging.getLogger("langop.translator")


class Translators:
    """The supervisor's companion (supervisor.Companion) for one configuration file. It looks after `metrics` too.

    A changed configuration has the translator of the previous one, unless its settings or variables differ: then it has a
    translator of its own, and the previous one stays until the last worker that asks it has gone.
    """

    def __init__(self, config: Path, metrics: SharedMetrics) -> None:
        self.config = config
        self.metrics = metrics
        self.present: TranslatorProcess | None = None  # whom new workers ask
        self.previous: list[TranslatorProcess] = []  # whom workers ask that are still serving, or finishing
        self.ended_restarts = 0  # of translators that have been stopped

    @property
    def sockets(self) -> list[str]:
        """The sockets on which workers that start now find it."""
        return [str(self.present.path)] if self.present is not None else []

    @property
    def up(self) -> bool | None:
        """Whether the one that new workers ask answers; None where nothing has needed it yet."""
        present = self.present
        return present.health.up if present is not None and present.wanted else None

    @property
    def restarts(self) -> int:
        """How often one was started because it had died."""
        return self.ended_restarts + sum(process.restarts for process in self._all())

    def begin(self, environment: Mapping[str, str]) -> None:
        """Start it if the configuration is certain to need it."""
        configuration = Configuration.load(self.config)
        self.present = self._process(configuration, _environment(configuration, environment))
        if configuration.needs_translator:
            self.present.start(self.present.environment)

    def look(self) -> None:
        """Start it again when it has died."""
        for process in self._all():
            process.look()

    def heard(self, word: str) -> None:
        """Start it when a worker needs it."""
        if word == WANTED:
            for process in self._all():
                process.start(process.environment)

    def ended(self, pid: int, status: int) -> None:
        for process in self._all():
            if process.pid == pid:
                process.ended(os.waitstatus_to_exitcode(status))

    def worker_ended(self, pid: int) -> None:
        """Keep what a worker has counted."""
        self.metrics.retire(pid)

    def changed(self, environment: Mapping[str, str]) -> None:
        """Start it where a changed configuration needs it; another one where its variables or settings are others."""
        previous = self.present
        assert previous is not None  # noqa: S101 - it begins before anything changes
        configuration = Configuration.load(self.config)
        changed = _environment(configuration, environment)
        if (changed, translator_settings.of(configuration.litellm_settings)) != (previous.environment, previous.settings):
            self.previous.append(previous)
            self.present = self._process(configuration, changed)
        if self.present is not None and (configuration.needs_translator or previous.pid is not None):
            self.present.start(changed)

    def took_effect(self) -> None:
        """Previous workers may still ask the previous one."""

    def failed(self) -> None:
        """Go on with the previous one."""
        if self.previous and self.present is not None:
            self.present.stop()
            self.ended_restarts += self.present.restarts
            self.present = self.previous.pop()

    def settled(self) -> None:
        """End the previous ones, which nobody asks any more."""
        for process in self.previous:
            process.stop()
            self.ended_restarts += process.restarts
        self.previous.clear()

    def stop(self) -> None:
        for process in self._all():
            process.stop()
        self.metrics.remove()

    def _all(self) -> list[TranslatorProcess]:
        return [*self.previous, *([self.present] if self.present is not None else [])]

    def _process(self, configuration: Configuration, environment: Mapping[str, str]) -> TranslatorProcess:
        process = TranslatorProcess(
            translator_settings.of(configuration.litellm_settings), self.config.parent, say=lambda line: log.warning("%s", line)
        )
        process.environment = environment
        return process


def _environment(configuration: Configuration, variables: Mapping[str, str]) -> dict[str, str]:
    """Return the translator's environment.

    It has what any program needs, what the configuration sets or refers to, and what callbacks read that somebody configured by
    hand.
    """
    prefixes = [PREFIXES.get(name, f"{name.partition('_')[0].upper()}_") for name in configuration.callbacks]
    own = {name: value for name, value in variables.items() if not name.startswith(KEYS)}
    wanted = set(references.variables(translator_settings.of(configuration.litellm_settings)))
    referred = {name: value for name, value in os.environ.items() if name in wanted}
    return {**passed(os.environ, prefixes), **referred, **own}
