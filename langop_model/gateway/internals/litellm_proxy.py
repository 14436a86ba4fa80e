"""What LiteLLM's proxy holds once it has started: the one place that looks into its module."""

from __future__ import annotations

from typing import Any

from langop_model.gateway.access import keys


def router() -> Any:
    """LiteLLM's Router, None where the configuration has no model."""
    from litellm.proxy import proxy_server

    return proxy_server.llm_router


def has_own_auth() -> bool:
    """Whether the configuration names another `custom_auth` than this package's: then that one decides who may ask."""
    from litellm.proxy import proxy_server

    return proxy_server.user_custom_auth not in (None, keys.litellm_user)


def is_traced() -> bool:
    """Whether each request becomes a trace."""
    from litellm.proxy import proxy_server

    return proxy_server.open_telemetry_logger is not None


def general_settings() -> frozenset[str]:
    """The names of the general settings of the configuration."""
    from litellm.proxy import proxy_server

    return frozenset(proxy_server.general_settings)


def has_database() -> bool:
    """Whether LiteLLM keeps keys, teams and budgets."""
    from litellm.proxy import proxy_server

    return proxy_server.prisma_client is not None


def already_parsed(body: dict[str, Any]) -> dict[str, Any]:
    """What a request's scope holds for LiteLLM when its body has been parsed (proxy/common_utils/http_parsing_utils.py)."""
    return {"parsed_body": (tuple(body), body)}


def is_served(model: str) -> bool:
    """Whether a caller may ask for `model`: a modelName, a resource's name, or one that a wildcard among them matches.

    LiteLLM knows more names: the id of a deployment, which would pass by the limits of its model; `a,b` for several models at
    once; `provider/model`.
    """
    serving = router()
    if serving is None:
        return False
    known = model in serving.model_names or model in (serving.model_group_alias or {})
    return known or bool(serving.pattern_router.route(model))
