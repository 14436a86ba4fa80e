"""`python -m tests.live.serve CONFIG PORT`: the gateway with a configuration that exists already, without rendering."""

from __future__ import annotations

import sys
from pathlib import Path

import yaml

from langop_model.gateway.serving import front


class Existing:
    """The start with a configuration that exists."""

    def __init__(self, config: Path) -> None:
        self.config = config

    def variables(self) -> dict[str, str]:
        """Return the file's own variables."""
        found: dict[str, str] = yaml.safe_load(self.config.read_text(encoding="utf-8"))["environment_variables"]
        return found

    def served(self) -> None:
        """Nobody waits for it."""


if __name__ == "__main__":
    file = Path(sys.argv[1])
    front.serve(file, Existing(file), "127.0.0.1", int(sys.argv[2]))
