"""Which fields of a request LiteLLM reads as its own settings: a caller who may set them chooses the provider's key or address.

The names come from the installed LiteLLM, so that what a new release reads is refused without a change here. A field that it
does not know is the provider's business and passes (`min_p`, `guided_choice`).
A few of LiteLLM's names are fields of the APIs too (`metadata`): a shape that names one lets it through (request_schemas.py).
"""

from __future__ import annotations

import functools
from collections.abc import Iterable

# What LiteLLM's own lists leave out: names that its proxy, its Router or its clients take out of a body. `extra_body` could
# replace the model.
_LEFT_OUT = frozenset(
    {
        "additional_drop_params", "api_type", "base_url", "content_policy_fallbacks", "context_window_fallbacks",
        "default_headers", "default_query", "deployment", "deployment_id", "disable_fallbacks", "extra_body", "extra_headers",
        "extra_query", "fallbacks", "headers", "http_client", "model_group", "num_retries", "policies", "priority",
        "proxy_server_request", "request_timeout", "router_settings_override", "specific_deployment", "stream_timeout",
        "timeout", "url_route", "user_config",
    }
)  # fmt: skip
# The same of the members of `metadata`. `tags` that are no list keep LiteLLM from counting a request.
_LEFT_OUT_OF_METADATA = frozenset(
    {
        "attempted_retries", "batch_ignore_default_logging", "deployment", "guardrails", "headers", "hidden_params",
        "max_retries", "model_group", "model_group_size", "otel_service_name", "otel_service_name_override",
        "quality_router_decision", "raw_request", "tags", "trace_metadata",
    }
)  # fmt: skip
_FAMILIES = (
    "_", "aws_", "azure_", "bedrock_", "gcs_", "langfuse_", "langsmith_", "litellm", "mock_", "openai_", "routing_", "s3_",
    "sagemaker_", "sensitive_data_routing_", "user_api_key", "vertex_", "watsonx_",
)  # fmt: skip


@functools.cache
def settings() -> frozenset[str]:
    """The names of the fields that LiteLLM reads as settings of its own, in lower case."""
    from litellm.proxy.auth.auth_utils import _BANNED_REQUEST_BODY_PARAMS
    from litellm.proxy.litellm_pre_call_utils import _UNTRUSTED_ROOT_CONTROL_FIELDS
    from litellm.types.router import GenericLiteLLMParams
    from litellm.types.utils import all_litellm_params

    own = GenericLiteLLMParams.model_fields
    return _lower(all_litellm_params, _BANNED_REQUEST_BODY_PARAMS, _UNTRUSTED_ROOT_CONTROL_FIELDS, own, _LEFT_OUT)


@functools.cache
def settings_in_metadata() -> frozenset[str]:
    """The names of the members of `metadata` that LiteLLM reads as settings or facts of its own, in lower case."""
    from litellm.proxy import litellm_pre_call_utils as proxy
    from litellm.proxy.auth.auth_utils import _BANNED_REQUEST_BODY_PARAMS
    from litellm.types.utils import StandardLoggingMetadata

    return _lower(
        _BANNED_REQUEST_BODY_PARAMS,
        StandardLoggingMetadata.__annotations__,
        proxy._UNTRUSTED_METADATA_CONTROL_FIELDS,
        proxy._ROUTER_RESERVED_METADATA_FIELDS,
        proxy._CLIENT_PRICING_METADATA_FIELDS,
        _LEFT_OUT_OF_METADATA,
    )


def _lower(*lists: Iterable[str]) -> frozenset[str]:
    return frozenset(name.lower() for names in lists for name in names)


def is_setting(name: str) -> bool:
    """Whether a field of a request is a setting of LiteLLM's. A form writes an object as `name[member]`."""
    bare = name.partition("[")[0].strip().lower()
    return bare in settings() or bare.startswith(_FAMILIES)


def is_setting_in_metadata(name: str) -> bool:
    """Whether a member of a request's metadata is LiteLLM's."""
    return name.lower() in settings_in_metadata() or name.lower().startswith(_FAMILIES)
