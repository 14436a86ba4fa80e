"""`python -m tests.live.serve CONFIG PORT`: LiteLLM with a configuration that is there already, without rendering."""

from __future__ import annotations

import sys
from pathlib import Path

import yaml

from langop_model.gateway.serving import launcher

if __name__ == "__main__":
    config = Path(sys.argv[1])
    environment = yaml.safe_load(config.read_text(encoding="utf-8"))["environment_variables"]
    launcher.serve(config, environment, "127.0.0.1", int(sys.argv[2]))
