"""Leaves what the supervisor knows where the workers find it, whenever it changes."""

from __future__ import annotations

import time
from typing import Protocol

from langop_model.gateway.serving.shared_metrics import SharedMetrics
from langop_model.gateway.supervisor_state import Reload, SupervisorState, versions


class TranslatorStatus(Protocol):
    """What is known of the translator."""

    @property
    def up(self) -> bool | None:
        """Whether it answers; None where nothing has needed it yet."""

    @property
    def restarts(self) -> int:
        """How often it was started because it had died."""


class ReloadStatus(Protocol):
    """What is known of the configuration."""

    @property
    def status(self) -> Reload:
        """What became of the configuration that was last read."""


class NeverReloaded:
    """The ReloadStatus of a configuration that does not change."""

    def __init__(self) -> None:
        self.status = Reload(loaded_at=time.time())


class StatePublisher:
    """Called by the supervisor with the number of workers that serve, and of those that were started for dead ones."""

    def __init__(self, metrics: SharedMetrics, translator: TranslatorStatus, reloads: ReloadStatus) -> None:
        self.metrics = metrics
        self.translator = translator
        self.reloads = reloads
        self.published: SupervisorState | None = None

    def __call__(self, workers: int, worker_restarts: int) -> None:
        """Write the state where it is another one."""
        translator = self.translator
        state = SupervisorState(workers, worker_restarts, translator.up, translator.restarts, self.reloads.status, versions())
        if state != self.published and self.metrics.write_state(state):
            self.published = state
