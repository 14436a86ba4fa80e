"""The translator beside the workers: when it starts, with which variables, and what a changed configuration means for it."""

from __future__ import annotations

import logging
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

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
    """The supervisor's companion (collaborators.Companion), which looks after `metrics` too.

    `folder` is where the configuration is.

    A changed configuration has the translator of the previous one, unless its settings or variables differ: then it has a
    translator of its own, and the previous one stays until the last worker that asks it has gone.
    """

    def __init__(self, folder: Path, metrics: SharedMetrics) -> None:
        self.folder = folder
        self.metrics = metrics
        self.is_awaited = False  # whether the present one was started for a configuration that is not served yet
        self.present: TranslatorProcess | None = None  # whom new workers ask
        self.previous: list[TranslatorProcess] = []  # whom workers ask that are still serving, or finishing
        self.ended_restarts = 0  # of translators that have been stopped

    @property
    def up(self) -> bool | None:
        """Whether the one that serving workers ask answers; None where nothing has needed it yet."""
        asked = self.previous[-1] if self.is_awaited and self.previous else self.present
        return asked.health.up if asked is not None and asked.wanted else None

    @property
    def restarts(self) -> int:
        """How often one was started because it had died."""
        return self.ended_restarts + sum(process.restarts for process in self._all())

    @property
    def ready(self) -> bool:
        """Whether workers of the last configuration would find the translator that was started for it.

        The one that they share with the serving workers is not waited for: these have no other.
        """
        return not self.is_awaited or (self.present is not None and self.present.health.up)

    def prepare(self, configuration: Configuration, environment: Mapping[str, str]) -> str:
        """Return the socket of a configuration's translator.

        It is started where it is certain to be needed, or the previous one was. It is another one than the previous where its
        variables or settings are others.
        """
        previous, variables = self.present, _environment(configuration, environment)
        settings = translator_settings.of(configuration.litellm_settings)
        present = previous
        if present is None or (variables, settings) != (present.environment, present.settings):
            present = self._process(settings, variables)
            self.previous += [previous] if previous is not None else []
        self.present = present
        is_needed = configuration.needs_translator or (previous is not None and previous.wanted)
        self.is_awaited = is_needed and not present.wanted
        if is_needed:
            present.start(variables)
        return str(present.path)

    def look(self) -> None:
        """Start it again when it has died."""
        for process in self._all():
            process.look()

    def heard(self, word: str, text: str) -> None:
        """Start the one with the socket `text`, which a worker needs."""
        for process in self._all():
            if word == WANTED and str(process.path) == text:
                process.start(process.environment)

    def ended(self, pid: int, status: int) -> None:
        for process in self._all():
            if process.pid == pid:
                process.ended(os.waitstatus_to_exitcode(status))

    def worker_ended(self, pid: int) -> None:
        """Keep what a worker has counted."""
        self.metrics.retire(pid)

    def took_effect(self) -> None:
        """Previous workers may still ask the previous one."""
        self.is_awaited = False

    def failed(self) -> None:
        """Return to the previous one."""
        self.is_awaited = False
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

    def _process(self, settings: Mapping[str, Any], environment: Mapping[str, str]) -> TranslatorProcess:
        process = TranslatorProcess(settings, self.folder, say=lambda line: log.warning("%s", line))
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
