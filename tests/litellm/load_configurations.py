"""Load configurations into a stock LiteLLM Router, and print what came of them as JSON.

Run as a process of its own: LiteLLM keeps what it loads in module globals, and its import costs seconds.
"""

from __future__ import annotations

import json
import logging
import os
import sys
from pathlib import Path
from typing import Any

import yaml


class Keeper(logging.Handler):
    """Keeps warnings and errors."""

    def __init__(self, records: list[logging.LogRecord]) -> None:
        super().__init__(logging.WARNING)
        self.records = records

    def emit(self, record: logging.LogRecord) -> None:
        """Keep a record."""
        self.records.append(record)


def main(paths: list[str]) -> None:
    """Print a JSON object: path to deployment ids, model groups, warnings, and the error that stopped the load, if any."""
    os.environ.update(LITELLM_LOCAL_MODEL_COST_MAP="True", LITELLM_MODE="PRODUCTION")
    import litellm  # noqa: F401 - before its loggers are looked at

    records: list[logging.LogRecord] = []
    for name in ("LiteLLM", "LiteLLM Router"):
        logging.getLogger(name).addHandler(Keeper(records))
    results: dict[str, Any] = {}
    output, sys.stdout = sys.stdout, sys.stderr
    for path in paths:
        records.clear()
        results[path] = _load(yaml.safe_load(Path(path).read_text(encoding="utf-8")))
        results[path]["warnings"] = [record.getMessage() for record in records]
    output.write(json.dumps(results))


def _load(config: dict[str, Any]) -> dict[str, Any]:
    from litellm import Router

    try:
        router = Router(model_list=config["model_list"], **config["router_settings"])
    except Exception as problem:  # noqa: BLE001 - whatever stops LiteLLM is the result
        return {"error": f"{type(problem).__name__}: {problem}", "ids": [], "groups": []}
    return {
        "error": None,
        "ids": [deployment["model_info"]["id"] for deployment in router.model_list],
        "groups": router.get_model_names(),
    }


if __name__ == "__main__":
    main(sys.argv[1:])
