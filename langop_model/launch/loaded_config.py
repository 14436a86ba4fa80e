"""A configuration that was loaded from what is mounted, with everything that its processes need beside its text."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from langop_model.renderer.findings import Finding
from langop_model.renderer.manifest import Resource


@dataclass(frozen=True, slots=True)
class LoadedConfig:
    """A configuration, and the variables of the gateway's processes: the file's `own`, and the `keys`.

    `summary` says what it serves, and `changes` what it changes of the one before (summary.py). `redis` is whether workers
    share their limits and cooldowns through one.

    A pod's own identity is among the keys, where a model relies on it. `withheld` are the variables that no process gets.
    `resources` are the LanguageModels of a gateway that are served: of one that can't be served after a change, this version.
    """

    text: str = ""
    own: dict[str, str] = field(default_factory=dict)
    keys: dict[str, str] = field(default_factory=dict)
    withheld: tuple[str, ...] = ()
    findings: tuple[Finding, ...] = ()
    resources: tuple[Resource, ...] = ()
    summary: dict[str, Any] = field(default_factory=dict)
    changes: tuple[str, ...] = ()
    redis: bool = False

    @property
    def variables(self) -> dict[str, str]:
        """Both together."""
        return {**self.keys, **self.own}
