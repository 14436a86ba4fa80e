"""What only the supervisor knows of the gateway. Workers read it for GET /metrics and GET /health."""

from __future__ import annotations

import json
import platform
from dataclasses import asdict, dataclass, field
from functools import cache
from importlib import metadata
from typing import Any

from langop_model import __version__


@cache
def versions() -> tuple[str, str, str]:
    """Return the versions of this gateway, of LiteLLM (empty where it is not installed), and of Python."""
    try:
        litellm = metadata.version("litellm")
    except metadata.PackageNotFoundError:
        litellm = ""
    return __version__, litellm, platform.python_version()


@dataclass(frozen=True, slots=True)
class Reload:
    """What became of the configuration that was last read. Times are in seconds since 1970.

    `loaded_at` is when the one that is served was read. `refused` are the findings because of which a change is not served,
    each with code, message and fix; empty where the last change is. `refused_at` is when it was refused.
    """

    loaded_at: float = 0.0
    refused: tuple[dict[str, Any], ...] = ()
    refused_at: float = 0.0


@dataclass(frozen=True, slots=True)
class SupervisorState:
    """`workers` is how many serve. `translator_up` is None where nothing has needed the translator yet."""

    workers: int = 0
    worker_restarts: int = 0
    translator_up: bool | None = None
    translator_restarts: int = 0
    reload: Reload = field(default_factory=Reload)
    versions: tuple[str, str, str] = ("", "", "")

    def dump(self) -> bytes:
        return json.dumps(asdict(self)).encode()

    @classmethod
    def load(cls, content: bytes) -> SupervisorState:
        """Return what `dump` wrote. Raises ValueError, KeyError or TypeError for anything else."""
        members = json.loads(content)
        reload = members["reload"]
        members["reload"] = Reload(**{**reload, "refused": tuple(reload["refused"])})
        return cls(**{**members, "versions": tuple(members["versions"])})
