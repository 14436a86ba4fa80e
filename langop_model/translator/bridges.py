"""Three protocols that clients speak and chat-only servers don't: OpenAI's responses, Anthropic's messages, Gemini's.

LiteLLM translates each to chat completions; which of its ways keeps stop sequences, limits, tools and reasoning is chosen here.
"""

from __future__ import annotations

from typing import Any

import litellm
from litellm.utils import ProviderConfigManager

from langop_model.gateway.upstreams.translator_protocol import Call
from langop_model.translator import content, parameters
from langop_model.translator.deployment import Deployment
from langop_model.translator.failures import RefusedRequestError
from langop_model.translator.parameters import divided
from langop_model.translator.requests import Request, _body, _required

# Asked under these names LiteLLM takes Anthropic's messages to OpenAI's responses and loses half of a request on the way;
# under the name of any server that speaks chat completions it does not.
_PLAIN_SERVER = "hosted_vllm"
_LOSING = frozenset({"openai", "custom_openai", "azure"})
_OPENAI_ADDRESS = "https://api.openai.com/v1"
_STATEFUL = ("background", "conversation", "previous_response_id", "prompt")


def responses(call: Call, deployment: Deployment) -> Request:
    """OpenAI's responses, natively or over chat completions."""
    over_chat = call.native is False or (call.native is None and deployment.provider not in ("openai", "azure"))
    body = _body(call)
    if over_chat:
        _check_over_chat(body)
    known = parameters.RESPONSES | frozenset(_STATEFUL)
    own, others = divided(body, known)
    _required(own, "input")
    content.check_tools(own.get("tools"))
    if isinstance(own["input"], list):
        content.check_messages(own["input"], deployment)
    request = Request(own)
    extra = {**deployment.extra_body, **others}
    if over_chat:
        request.arguments["use_chat_completions_api"] = True
        if own.get("user"):
            extra["user"] = own["user"]
    if extra:
        request.arguments["extra_body"] = extra
    if call.stream:
        request.arguments["stream"] = True
    return request


def _check_over_chat(body: dict[str, Any]) -> None:
    """Raise RefusedRequestError for what only a provider that keeps responses and serves tools can do."""
    for name in _STATEFUL:
        if body.get(name):
            raise RefusedRequestError(f"{name} is not supported by this model: its provider keeps no responses")
        body.pop(name, None)
    for tool in body.get("tools") or []:
        if isinstance(tool, dict) and tool.get("type") not in ("function", "custom"):
            raise RefusedRequestError(f"a tool of the type {tool.get('type')} is not supported by this model")


def messages(call: Call, deployment: Deployment) -> Request:
    """Anthropic's messages."""
    own, others = divided(_body(call), parameters.MESSAGES)
    for name in others:
        raise RefusedRequestError(f"{name} is not supported by this model")
    _required(own, "messages", "max_tokens")
    content.check_messages(own["messages"], deployment)
    request = Request(own)
    is_bridged = not _speaks_messages(deployment)
    if call.native is not True and deployment.provider in _LOSING - {"azure"}:
        request.arguments["model"] = f"{_PLAIN_SERVER}/{deployment.name}"
        request.arguments["api_base"] = deployment.settings.get("api_base") or _OPENAI_ADDRESS
    effort = own["output_config"].get("effort") if isinstance(own.get("output_config"), dict) else None
    if effort and is_bridged and "thinking" not in own:  # without `thinking` LiteLLM's bridge loses it
        request.arguments["reasoning_effort"] = effort
    if deployment.extra_body:
        request.arguments["extra_body"] = dict(deployment.extra_body)
    if call.stream:
        request.arguments["stream"] = True
    return request


def _speaks_messages(deployment: Deployment) -> bool:
    """Whether LiteLLM asks this model's provider in Anthropic's protocol, not over chat completions."""
    try:
        provider = litellm.LlmProviders(deployment.provider)
    except ValueError:  # one that LiteLLM describes by its address alone
        return False
    return ProviderConfigManager.get_provider_anthropic_messages_config(deployment.name, provider) is not None


def generate_content(call: Call, deployment: Deployment) -> Request:
    """Gemini's generateContent: `systemInstruction` is lost inside `config`, so it is an argument."""
    own, others = divided(_body(call), parameters.GENERATE_CONTENT)
    for name in others:
        raise RefusedRequestError(f"{name} is not supported by this model")
    _required(own, "contents")
    content.check_contents(own["contents"], deployment)
    arguments: dict[str, Any] = {"contents": own["contents"], "config": dict(own.get("generationConfig") or {})}
    if "tools" in own:
        arguments["tools"] = own["tools"]
    for name in ("systemInstruction", "safetySettings", "toolConfig"):
        if name in own:
            arguments[name] = own[name]
    return Request(arguments)
