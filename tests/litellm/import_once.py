"""What the launcher's process is like when LiteLLM has been imported: printed as JSON. python -m tests.litellm.import_once"""

from __future__ import annotations

import inspect
import json
import sys
import threading
from typing import Any

from langop_model.gateway.access import routes
from langop_model.gateway.internals import direct, idle_hooks
from langop_model.gateway.serving import launcher

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
    sys.stdout.write(json.dumps({**found, **_direct(app), **_hooks()}) + "\n")


def _direct(app: Any) -> dict[str, Any]:
    """What gateway/internals/direct.py relies on: what stands before LiteLLM's function, and what that asks for."""
    from litellm.proxy.auth.user_api_key_auth import user_api_key_auth
    from litellm.proxy.proxy_server import chat_completion

    def find(candidates: list[Any]) -> list[Any]:
        inner = [each.original_router.routes for each in candidates if hasattr(each, "original_router")]
        own = [each for each in candidates if getattr(each, "path", None) in direct.PATHS]
        return [*own, *(each for some in inner for each in find(some))]

    found = find(app.routes)
    return {
        "middleware": [each.cls.__name__ for each in app.user_middleware],
        "served by": {each.path: each.endpoint is chat_completion for each in found},
        "dependencies": sorted({each.call.__name__ for route in found for each in route.dependant.dependencies}),
        "chat_completion": list(inspect.signature(chat_completion).parameters),
        "user_api_key_auth": list(inspect.signature(user_api_key_auth).parameters),
        "handlers": [getattr(each, "__name__", each) for each in app.exception_handlers],
    }


def _hooks() -> dict[str, Any]:
    """LiteLLM's hooks as it registers them at its start, and those that stay."""
    import litellm
    from litellm.caching.caching import DualCache
    from litellm.proxy.utils import ProxyLogging

    litellm.callbacks.clear()
    logging = ProxyLogging(user_api_key_cache=DualCache())
    litellm.logging_callback_manager.add_litellm_callback(logging.service_logging_obj)
    logging._add_proxy_hooks()
    registered = [type(each).__name__ for each in litellm.callbacks]
    idle_hooks.remove()
    return {"registered": registered, "left": [type(each).__name__ for each in litellm.callbacks]}


if __name__ == "__main__":
    main()
