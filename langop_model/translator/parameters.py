"""Which members of a request become arguments of LiteLLM's functions: allow-lists, never a caller's name as it comes.

LiteLLM's functions take their own settings, a provider's address and its credentials by the same arguments as a request's
members. A member that no list here names goes to the provider in `extra_body`, which LiteLLM copies into the provider's body.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from typing import Any

from langop_model.gateway.upstreams.base import Route
from langop_model.translator.failures import RefusedRequestError

# OpenAI's chat completions, as litellm.acompletion names them.
CHAT = frozenset(
    {
        "audio", "frequency_penalty", "function_call", "functions", "logit_bias", "logprobs", "max_completion_tokens",
        "max_tokens", "messages", "modalities", "n", "parallel_tool_calls", "prediction", "presence_penalty",
        "prompt_cache_key", "reasoning_effort", "response_format", "safety_identifier", "seed", "service_tier", "stop", "store",
        "temperature", "thinking", "tool_choice", "tools", "top_logprobs", "top_p", "user", "verbosity", "web_search_options",
    }
)  # fmt: skip
COMPLETIONS = frozenset(
    {
        "best_of", "echo", "frequency_penalty", "logit_bias", "logprobs", "max_tokens", "n", "presence_penalty", "prompt",
        "seed", "stop", "suffix", "temperature", "top_p", "user",
    }
)  # fmt: skip
EMBEDDINGS = frozenset({"dimensions", "encoding_format", "input", "user"})
RESPONSES = frozenset(
    {
        "include", "input", "instructions", "max_output_tokens", "max_tool_calls", "metadata", "parallel_tool_calls", "prompt",
        "prompt_cache_key", "reasoning", "safety_identifier", "service_tier", "store", "temperature", "text", "tool_choice",
        "tools", "top_logprobs", "top_p", "truncation", "user",
    }
)  # fmt: skip
MESSAGES = frozenset(
    {
        "max_tokens", "messages", "metadata", "output_config", "output_format", "service_tier", "stop_sequences", "system",
        "temperature", "thinking", "tool_choice", "tools", "top_k", "top_p",
    }
)  # fmt: skip
GENERATE_CONTENT = frozenset({"contents", "generationConfig", "safetySettings", "systemInstruction", "toolConfig", "tools"})
IMAGES = frozenset(
    {
        "background", "moderation", "n", "output_compression", "output_format", "prompt", "quality", "response_format", "size",
        "style", "user",
    }
)  # fmt: skip
IMAGE_EDITS = frozenset(
    {
        "background", "input_fidelity", "n", "output_compression", "output_format", "prompt", "quality", "response_format",
        "size", "user",
    }
)  # fmt: skip
TRANSCRIPTIONS = frozenset(
    {"include", "language", "prompt", "response_format", "temperature", "timestamp_granularities", "chunking_strategy"}
)
SPEECH = frozenset({"input", "instructions", "response_format", "speed", "voice"})
RERANK = frozenset(
    {"documents", "max_chunks_per_doc", "max_tokens_per_doc", "query", "rank_fields", "return_documents", "top_n"}
)
MODERATIONS = frozenset({"input"})

# What says how an answer is made, but not what it is: without it the client still gets what it asked for.
HINTS = frozenset(
    {
        "frequency_penalty", "logit_bias", "metadata", "parallel_tool_calls", "prediction", "presence_penalty",
        "prompt_cache_key", "reasoning_effort", "safety_identifier", "seed", "service_tier", "store", "temperature", "thinking",
        "top_p", "user", "verbosity",
    }
)  # fmt: skip

_LOSES_OTHERS = frozenset(
    {"chatgpt"}
)  # LiteLLM makes a request to /responses of the chat, and leaves out what it does not know
# Providers whose functions copy `extra_body` as such into the body: there a member is an argument, if it is one of SAMPLING or
# the specification's own.
WITHOUT_EXTRA_BODY = frozenset(
    {
        "aiohttp_openai", "anthropic", "anthropic_text", "bedrock", "nlp_cloud", "oobabooga", "petals", "predibase",
        "replicate", "sagemaker", "text-completion-codestral",
    }
)  # fmt: skip
# Both on one route only.
_LOSES_OTHERS_ON: Mapping[Route, frozenset[str]] = {
    Route.EMBEDDINGS: frozenset({"gemini", "hostinger_router"}),
    Route.IMAGES: frozenset({"gemini", "vertex_ai"}),
    Route.TRANSCRIPTIONS: frozenset({"bedrock", "vertex_ai", "watsonx"}),
}
_WITHOUT_EXTRA_BODY_ON: Mapping[Route, frozenset[str]] = {
    Route.EMBEDDINGS: frozenset({"ollama", "vertex_ai"}),
    Route.IMAGES: frozenset({"fal_ai", "openrouter"}),
}
SAMPLING = frozenset(
    {
        "best_of", "chat_template_kwargs", "cache_control", "container", "context_management", "guided_choice",
        "guided_grammar",
        "guided_json", "guided_regex", "inference_geo", "length_penalty", "max_length", "mcp_servers", "min_length", "min_p",
        "min_tokens", "num_beams", "num_return_sequences", "output_config", "output_format", "random_seed", "remove_input",
        "repetition_penalty", "speed", "suffix", "top_a", "top_k", "typical_p",
    }
)  # fmt: skip

# Settings, addresses, credentials and files: never a member of a request, also not inside `extra_body`, from which some of
# LiteLLM's providers take them out again.
_SETTING = re.compile(
    r"^_|^(?:api_|aws_|azure_|bedrock_|custom_|gcs_|gigachat_|langfuse_|langsmith_|litellm|mock_|oci_|openai_|predibase_|s3_|sagemaker_|"
    r"snowflake_|use_|user_api_key|vertex_|watsonx_|wandb_|arize_|dd_|posthog_|newrelic_|signoz_|anthropic_|github_copilot|"
    r"token_exchange|humanloop_|chatgpt_|auto_router|adaptive_router|complexity_router|quality_router|prompt_(?:id|var|label|ver|env))"
    r"|_(?:base|callback|callbacks|cost|credentials?|dict|endpoint|header|headers|url|urls|uri|host|key_id|secret|token|tokens_above|config)$"
    r"|(?:_cost_per_|_cost_above|cost_)",
    re.I,
)
STEERING = frozenset(
    {
        "acompletion", "additional_drop_params", "aembedding", "aimg_generation", "allm_passthrough_route",
        "allow_client_keepalive_override", "allowed_model_region", "allowed_openai_params", "api_key", "apis",
        "assistant_continue_message", "async_call", "atext_completion", "attempted_targets", "azure", "base_model", "base_url",
        "budget_duration", "cache", "cache_key", "caching", "caching_groups", "callbacks", "client", "client_id",
        "client_secret", "client_side_timeout", "complete_response", "completion_call_id",
        "configurable_clientside_auth_params", "context_window_fallbacks", "cooldown_time", "daily_reset_time",
        "data_residency", "default_api_key_rpm_limit", "default_api_key_tpm_limit", "default_headers", "default_query",
        "deployment_id", "disable_add_transform_inline_image_block", "drop_params", "enable_json_schema_validation",
        "enable_prompt_caching", "enable_tag_filtering", "ensure_alternating_roles", "extra_body", "extra_headers",
        "extra_query", "failure_callback", "fake_stream", "fallback_depth", "fallbacks", "fastest_response",
        "fedramp_uplift_multiplier", "final_prompt_value", "fireworks_forward_user_id", "force_timeout", "guardrails",
        "headers", "hf_model_name", "http_client", "id", "initial_prompt_value", "input_cost_per_token", "itpm",
        "keepalive_seconds", "kubernetes_pod_discovery", "log_client_error_tracebacks", "logger_fn", "max_agentic_loops",
        "max_budget", "max_fallbacks", "max_file_size_mb", "max_parallel_requests", "max_retries",
        "merge_reasoning_content_in_choices", "model_alias_map", "model_file_id_mapping", "model_id", "model_info",
        "model_list", "no-log", "num_retries", "order", "organization", "otpm", "output_s3_uri", "output_vector_size",
        "preset_cache_key", "project_id", "proxy_server_request", "region_name", "regional_endpoint_uplift_multiplier",
        "regional_processing_uplift_multiplier_eu", "regional_processing_uplift_multiplier_us", "request_timeout",
        "responses_api_version", "retry_policy", "retry_strategy", "roles", "routing_strategy", "rpd", "rpm", "rust",
        "search_tool_name", "secret_fields", "self", "session", "shared_session", "silent_model", "ssl_verify",
        "stream_chunk_size", "stream_response", "stream_timeout", "stream_timeout_by_service_tier", "success_callback",
        "supports_system_message", "tag_regex", "tags", "tenant_id", "text_completion", "thought_signature_in_tool_call_id",
        "tiered_pricing", "timeout", "timeout_by_service_tier", "token", "tpd", "tpm", "ttl", "turn_off_message_logging",
        "user_continue_message", "verbose", "video_s3_uri", "weave_project_id", "weight", "zen_api_key",
    }
)  # fmt: skip


def loses_others(provider: str, route: Route) -> bool:
    """Whether LiteLLM leaves out what it does not know on the way to a provider: it is dropped, and named."""
    return provider in _LOSES_OTHERS or provider in _LOSES_OTHERS_ON.get(route, ())


def takes_arguments(provider: str, route: Route) -> bool:
    """Whether what is not OpenAI's arrives at a provider as an argument of LiteLLM's function, and not in `extra_body`."""
    return provider in WITHOUT_EXTRA_BODY or provider in _WITHOUT_EXTRA_BODY_ON.get(route, ())


def is_setting(name: str) -> bool:
    """Whether a member of a request would be a setting of LiteLLM's, an address or a credential."""
    return name.lower() in STEERING or _SETTING.search(name) is not None


def divided(body: Mapping[str, Any], known: frozenset[str], stated: Collection[str]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the members that `known` names, and the others. Null is as if it was not there.

    Raises RefusedRequestError for one that is a setting by its name, unless it is one of those that the specification has
    `stated`: rendering has judged them, and a provider may call a parameter so.
    """
    own = {name: value for name, value in body.items() if name in known and value is not None}
    others = {name: value for name, value in body.items() if name not in known and value is not None}
    for name in others:
        if is_setting(name) and name not in stated:
            raise RefusedRequestError(f"{name} is a setting of the gateway, not a parameter of a request")
    return own, others
