"""Becoming LiteLLM: this process imports its proxy and serves it.

This module is the one place that touches LiteLLM's application and its log set-up; tests/live shows that both are still there.
"""

from __future__ import annotations

import gc
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any


def serve(config: Path, environment: Mapping[str, str], host: str, port: int) -> None:
    """Serve LiteLLM's proxy with `config` on `host`:`port` until it is told to stop.

    `environment` is exported first: LiteLLM reads some of it while it is imported. Raises ModuleNotFoundError when LiteLLM
    is not installed; a configuration that LiteLLM can't load ends the process with exit code 3.
    """
    os.environ.update(environment)
    os.environ["CONFIG_FILE_PATH"] = str(config)
    import uvicorn

    # What 4,000 modules allocate lives as long as the process: collecting garbage meanwhile costs a quarter of the start.
    gc.disable()
    from litellm.proxy.proxy_server import app

    from langop_model.gateway import gate  # imports LiteLLM

    gc.freeze()
    gc.enable()
    uvicorn.run(gate.around(app), host=host, port=port, loop="uvloop", http="httptools", **_logging(environment))


def _logging(environment: Mapping[str, str]) -> dict[str, Any]:
    """Return uvicorn's arguments for the same log lines as LiteLLM's (litellm/proxy/proxy_cli.py does this too)."""
    from litellm._logging import _get_uvicorn_json_log_config, resolve_log_level

    arguments: dict[str, Any] = {"log_level": resolve_log_level(environment.get("LITELLM_LOG", "INFO"))}
    if environment.get("JSON_LOGS") == "true":
        arguments["log_config"] = _get_uvicorn_json_log_config()
    return arguments
