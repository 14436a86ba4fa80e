"""`python -m tests.live.serve CONFIG PORT`: LiteLLM with a configuration that is there already, without rendering."""

from __future__ import annotations

import sys
from pathlib import Path

import yaml

from langop_model.gateway.serving import launcher


class There:
    """The start with a configuration that nobody has to wait for."""

    def __init__(self, config: Path) -> None:
        self.config = config

    def waiting(self) -> bool:
        """Wait for nothing."""
        return False

    def variables(self) -> dict[str, str]:
        """Return the file's own variables."""
        found: dict[str, str] = yaml.safe_load(self.config.read_text(encoding="utf-8"))["environment_variables"]
        return found


if __name__ == "__main__":
    file = Path(sys.argv[1])
    launcher.serve(file, There(file), "127.0.0.1", int(sys.argv[2]))
