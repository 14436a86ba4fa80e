"""Who works with the supervisor: where configurations come from, and another process that it looks after."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Protocol

from langop_model.gateway.serving.channel import Channel

Environment = Mapping[str, str]
Serve = Callable[[Channel], None]  # what a worker does until it ends


class Changes(Protocol):
    """Where new configurations come from, and where what became of them is reported."""

    def next(self) -> Environment | None:
        """Return the variables of a configuration that has changed and was written; None where no action is needed."""

    def took_effect(self) -> None:
        """The workers of the last configuration serve."""

    def failed(self, reason: str) -> None:
        """The last configuration could not be loaded, or did not become ready; the previous one stays active."""

    def died(self, how: str) -> None:
        """A worker ended without being asked to; another one replaces it."""


class Companion(Protocol):
    """Another process that the supervisor looks after: the translator."""

    @property
    def ready(self) -> bool:
        """Whether workers of the last configuration would find what it has started for them."""

    def look(self) -> None:
        """Do what has to be done now; called once a second and more often."""

    def heard(self, word: str, text: str) -> None:
        """A worker said a word that is none of the supervisor's."""

    def ended(self, pid: int, status: int) -> None:
        """A child that is no worker has ended, with the status of os.waitpid."""

    def worker_ended(self, pid: int) -> None:
        """A worker has ended."""

    def took_effect(self) -> None:
        """Workers of the last configuration serve. Previous ones may still finish what they have begun."""

    def failed(self) -> None:
        """The last configuration is not served: the previous one stays active."""

    def settled(self) -> None:
        """No previous worker is left."""

    def stop(self) -> None:
        """End it."""
