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
from collections.abc import Iterator
from pathlib import Path
from typing import Any

OF_THE_PROXY = (
    "llm_router",
    "user_custom_auth",
    "_build_redis_usage_cache_from_environment",
    "_set_redis_usage_cache",
    "redis_usage_cache",
    "spend_counter_cache",
    "cli_sso_session_cache",
    "litellm_config_cache",
)
OF_A_ROUTER = ("model_names", "model_group_alias", "pattern_router", "model_id_to_deployment_index_map", "model_list")
OF_A_REQUEST = (
    "_CLIENT_PRICING_METADATA_FIELDS",
    "_ROUTER_RESERVED_METADATA_FIELDS",
    "_UNTRUSTED_METADATA_CONTROL_FIELDS",
    "_UNTRUSTED_ROOT_CONTROL_FIELDS",
)


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
    output.write(json.dumps({"loaded": results, "internals": internals(), "routes": routes(proxy.app)}))


def routes(app: Any) -> list[tuple[str, str]]:
    """Return method and path of every route of LiteLLM's application, also of those that it loads when they are asked for."""
    from litellm.proxy._lazy_features import register_all_features

    register_all_features(app)
    return sorted({(method, path) for route in app.routes for method, path in _flat(route, "")})


def _flat(route: Any, prefix: str) -> Iterator[tuple[str, str]]:
    """Yield what one route serves. FastAPI keeps an included router as one, with its prefix beside it."""
    inner = getattr(route, "original_router", None)
    if inner is not None:
        for each in inner.routes:
            yield from _flat(each, prefix + route.include_context.prefix)
    elif getattr(route, "path", None) is not None:
        for method in getattr(route, "methods", None) or ["GET", "POST"]:  # a mounted application, or a websocket
            yield method, prefix + route.path


def internals() -> dict[str, list[str]]:
    """Return the parameters of everything in LiteLLM that langop_model.gateway overrides, calls or relies on."""
    import litellm
    from litellm import _logging, _redis
    from litellm.caching.caching_handler import CachingHandlerResponse, LLMCachingHandler
    from litellm.llms.sagemaker.chat.transformation import SagemakerChatConfig
    from litellm.proxy import litellm_pre_call_utils, proxy_server
    from litellm.proxy.auth import auth_utils
    from litellm.router import Router
    from litellm.types.router import RouterRateLimitError

    gateway = Router.__mro__[1] if Router.__name__ == "GatewayRouter" else Router
    touched: dict[str, Any] = {
        "Router.async_get_available_deployment": gateway.async_get_available_deployment,
        "Router.async_function_with_fallbacks": gateway.async_function_with_fallbacks,
        "Router.async_function_with_retries": gateway.async_function_with_retries,
        "Router.async_function_with_fallbacks_common_utils": gateway.async_function_with_fallbacks_common_utils,
        "SagemakerChatConfig.transform_request": inspect.unwrap(SagemakerChatConfig.transform_request),
        "Router.get_deployment": gateway.get_deployment,
        "Router._increment_deployment_usage": gateway._increment_deployment_usage,
        "LLMCachingHandler.async_get_cache": inspect.unwrap(LLMCachingHandler.async_get_cache),
        "RouterRateLimitError": RouterRateLimitError.__init__,
        "_redis.get_redis_async_client": _redis.get_redis_async_client,
        "_logging._get_uvicorn_json_log_config": _logging._get_uvicorn_json_log_config,
        "_logging.resolve_log_level": _logging.resolve_log_level,
    }
    found = {name: list(inspect.signature(function).parameters) for name, function in touched.items()}
    relied_on: dict[str, tuple[Any, tuple[str, ...]]] = {
        "Router": (gateway, ("_inherit_builtin_cache_pricing", "_inherit_builtin_service_tier_pricing")),
        "a Router": (Router(model_list=[]), OF_A_ROUTER),
        "proxy_server": (proxy_server, OF_THE_PROXY),
        "Cache": (litellm.caching.caching.Cache, ("get_cache_key",)),
        "litellm": (litellm, ("callback_settings", "_turn_on_json", "cache")),
        "utils": (litellm.utils, ("_get_max_position_embeddings",)),
        "auth_utils": (auth_utils, ("_BANNED_REQUEST_BODY_PARAMS",)),
        "litellm_pre_call_utils": (litellm_pre_call_utils, OF_A_REQUEST),
    }
    attributes = {label: [name for name in names if hasattr(holder, name)] for label, (holder, names) in relied_on.items()}
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
