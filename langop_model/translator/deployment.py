"""One deployment: its provider, and the rendered parameters that LiteLLM's functions get with each call."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import litellm

from langop_model.translator import parameters
from langop_model.translator.failures import RefusedRequestError

# Limits, prices and schedules are the gateway's business. A price costs LiteLLM a quarter of a call.
_GATEWAYS_OWN = frozenset(
    {
        "additional_drop_params", "cooldown_time", "drop_params", "max_parallel_requests", "max_retries", "model",
        "num_retries", "order", "rpm", "stream_timeout", "tags", "timeout", "tpm", "weight",
    }
)  # fmt: skip
# Providers that speak OpenAI's protocol beside those that LiteLLM lists.
_LIKE_OPENAI = frozenset({"openai", "azure", "custom_openai", "databricks", "deepseek", "mistral", "openrouter", "together_ai"})
# What LiteLLM says that it takes for a provider and then drops silently.
_TOOLS = frozenset({"function_call", "functions", "parallel_tool_calls", "response_format", "tool_choice", "tools"})
_NO_CHAT = _TOOLS | {"logprobs", "max_completion_tokens", "reasoning_effort", "top_logprobs"}
_LOST: Mapping[str, frozenset[str]] = {
    "a2a": frozenset({"max_completion_tokens", "max_tokens"}),
    "azure_text": _NO_CHAT,
    "chatgpt": frozenset({"audio", "function_call", "functions", "logprobs", "modalities", "n", "stop", "top_logprobs"}),
    "cohere": frozenset({"tool_choice"}),
    "cohere_chat": frozenset({"tool_choice"}),
    "custom": _NO_CHAT | {"audio", "modalities", "n", "stop", "web_search_options"},
    "gigachat": frozenset({"stop"}),
    "gradient_ai": _TOOLS,
    "groq": frozenset({"web_search_options"}),
    "ollama_chat": frozenset({"tool_choice"}),
    "replicate": _TOOLS,
    "sap": frozenset({"tool_choice"}),
    "text-completion-openai": _NO_CHAT,
}

# Where it loses JSON mode (`json_object`), but not a schema; of others it is the models of Anthropic.
_WITHOUT_JSON_MODE = frozenset({"anthropic", "bedrock", "gigachat", "meta_llama"})
_WITHOUT_JSON_MODE_OF_ANTHROPIC = frozenset({"azure_ai", "databricks", "vertex_ai"})
_BESIDE = ("extra_body", "extra_headers")


@dataclass(frozen=True, slots=True)
class Deployment:
    """`model` is LiteLLM's name of it, `name` the provider's; `extra_body` and `extra_headers` go with each request."""

    model: str
    provider: str
    name: str
    settings: dict[str, Any]
    extra_body: dict[str, Any]
    extra_headers: dict[str, str]

    @property
    def like_openai(self) -> bool:
        """Whether the provider is asked in OpenAI's protocol, so that a member of it can be passed as it is."""
        return self.provider in _LIKE_OPENAI or self.provider in litellm.openai_compatible_providers

    def supported(self) -> frozenset[str]:
        """Return the parameters of chat completions that LiteLLM takes for this model."""
        return _supported(self.name, self.provider, self.settings.get("base_model")) - self.lost

    @property
    def lost(self) -> frozenset[str]:
        """The parameters that LiteLLM would lose on the way to this provider."""
        return _LOST.get(self.provider, frozenset())

    @property
    def loses_json_mode(self) -> bool:
        """Whether LiteLLM would lose `json_object` on the way to this model, but not a schema."""
        is_anthropics = self.provider in _WITHOUT_JSON_MODE_OF_ANTHROPIC and "claude" in self.name
        return is_anthropics or self.provider in _WITHOUT_JSON_MODE


@lru_cache(maxsize=1000)
def _supported(name: str, provider: str, base: str | None) -> frozenset[str]:
    """Ask LiteLLM, which takes half a millisecond for some providers."""
    found = litellm.get_supported_openai_params(name, custom_llm_provider=provider, **_named("base_model", base))
    return frozenset(found or litellm.get_supported_openai_params(name, custom_llm_provider="openai") or ())


def deployment_of(rendered: Mapping[str, Any]) -> Deployment:
    """Return the deployment that rendered `litellm_params` describe, without what a request says for itself.

    Raises RefusedRequestError for a model whose provider LiteLLM does not know.
    """
    model = str(rendered["model"])
    try:
        name, provider, _, _ = litellm.get_llm_provider(
            model, **_named("custom_llm_provider", rendered.get("custom_llm_provider"))
        )
    except litellm.BadRequestError:
        raise RefusedRequestError(f"no provider is known for the model {model}", 500) from None
    settings = {
        key: value
        for key, value in rendered.items()
        if key not in _GATEWAYS_OWN and key not in parameters.CHAT and "_cost" not in key and key not in _BESIDE
    }
    extra_body, extra_headers = (dict(rendered.get(key) or {}) for key in _BESIDE)
    return Deployment(model, provider, name, settings, extra_body, extra_headers)


def _named(name: str, value: Any) -> dict[str, Any]:
    return {} if value is None else {name: value}
