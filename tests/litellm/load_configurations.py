"""Load configurations with the real LiteLLM, each as the proxy loads it, and print what came of them as JSON.

Run as a process of its own: LiteLLM keeps what it loads in module globals, and its import costs five seconds.
"""

from __future__ import annotations

import asyncio
import inspect
import json
import logging
import os
import sys
from pathlib import Path
from typing import Any


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
    records: list[logging.LogRecord] = []
    import litellm.proxy.proxy_server as proxy

    handler = Keeper(records)
    for name in ("LiteLLM", "LiteLLM Proxy", "LiteLLM Router"):
        logging.getLogger(name).addHandler(handler)
    results: dict[str, Any] = {}
    output, sys.stdout = sys.stdout, sys.stderr
    for path in paths:
        records.clear()
        results[path] = _load(proxy, path)
        results[path]["warnings"] = [record.getMessage() for record in records]
    output.write(json.dumps({"loaded": results, "internals": internals()}))


def internals() -> dict[str, list[str]]:
    """Return the parameters of everything in LiteLLM that langop_model.gateway overrides, calls or relies on."""
    import litellm
    from litellm import _logging
    from litellm.caching.caching_handler import CachingHandlerResponse, LLMCachingHandler
    from litellm.router import Router
    from litellm.types.router import RouterRateLimitError

    gateway = Router.__mro__[1] if Router.__name__ == "GatewayRouter" else Router
    touched: dict[str, Any] = {
        "Router.async_get_available_deployment": gateway.async_get_available_deployment,
        "Router.async_function_with_retries": gateway.async_function_with_retries,
        "Router.async_function_with_fallbacks_common_utils": gateway.async_function_with_fallbacks_common_utils,
        "Router._increment_deployment_usage": gateway._increment_deployment_usage,
        "LLMCachingHandler.async_get_cache": inspect.unwrap(LLMCachingHandler.async_get_cache),
        "RouterRateLimitError": RouterRateLimitError.__init__,
        "_logging._get_uvicorn_json_log_config": _logging._get_uvicorn_json_log_config,
        "_logging.resolve_log_level": _logging.resolve_log_level,
    }
    found = {name: list(inspect.signature(function).parameters) for name, function in touched.items()}
    attributes = {
        "Router": [
            name
            for name in ("_inherit_builtin_cache_pricing", "_inherit_builtin_service_tier_pricing")
            if hasattr(gateway, name)
        ],
        "Cache": [name for name in ("get_cache_key",) if hasattr(litellm.caching.caching.Cache, name)],
        "litellm": [name for name in ("callback_settings", "_turn_on_json", "cache") if hasattr(litellm, name)],
    }
    return {**found, **attributes, "CachingHandlerResponse": sorted(CachingHandlerResponse.model_fields)}


def _load(proxy: Any, path: str) -> dict[str, Any]:
    if "type: redis" in Path(path).read_text(encoding="utf-8"):
        os.environ["REDIS_HOST"] = "127.0.0.1"  # the connection is made when it is used: no server is needed here
    try:
        router, _, _ = asyncio.run(proxy.ProxyConfig().load_config(None, path))
    except Exception as problem:  # noqa: BLE001 - whatever stops LiteLLM is the result
        return {"error": f"{type(problem).__name__}: {problem}", "ids": [], "groups": []}
    finally:
        os.environ.pop("REDIS_HOST", None)
    return {
        "error": None,
        "ids": [deployment["model_info"]["id"] for deployment in router.model_list],
        "groups": router.get_model_names(),
        "strategy": router.routing_strategy,
    }


if __name__ == "__main__":
    main(sys.argv[1:])
