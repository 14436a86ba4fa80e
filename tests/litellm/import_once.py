"""What the launcher's process is like when LiteLLM has been imported: printed as JSON. python -m tests.litellm.import_once"""

from __future__ import annotations

import json
import sys
import threading

from langop_model.gateway import launcher, routes

CLOSED = (
    ("POST", "/key/generate"),
    ("GET", "/routes"),
    ("POST", "/model/new"),
    ("POST", "/cache/flushall"),
    ("GET", "/config/yaml"),
)


def main() -> None:
    """Import as the launcher does, and look around."""
    app = launcher.import_litellm({"LITELLM_MODE": "PRODUCTION", "LITELLM_LOCAL_MODEL_COST_MAP": "True"})
    from litellm import _logging
    from litellm.proxy._lazy_features import LAZY_FEATURES
    from starlette.routing import Match

    def is_made(path: str, method: str) -> bool:
        scope = {"type": "http", "path": path, "method": method, "headers": [], "root_path": ""}
        return any(route.matches(dict(scope))[0] == Match.FULL for route in app.routes)  # type: ignore[attr-defined]

    lazy = tuple(prefix for feature in LAZY_FEATURES for prefix in feature.path_prefixes)
    opened = sorted(routes.PATHS_OF_LITELLM - {"/metrics/"})  # prometheus_client's, which is mounted when it is on
    found = {
        "threads": threading.active_count(),
        "loop": "asyncio.events" in sys.modules and sys.modules["asyncio.events"]._get_running_loop() is not None,
        "open": {path: any(is_made(path, method) for method in ("GET", "POST")) or path.startswith(lazy) for path in opened},
        "closed": {path: is_made(path, method) for method, path in CLOSED},
        "logging": [hasattr(_logging, name) for name in ("handler", "numeric_level", "log_level")],
    }
    sys.stdout.write(json.dumps(found) + "\n")


if __name__ == "__main__":
    main()
