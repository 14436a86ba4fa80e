"""Three protocols that clients speak and chat-only servers don't: OpenAI's responses, Anthropic's messages, Gemini's.

LiteLLM translates each to chat completions; which of its ways keeps stop sequences, limits, tools and reasoning is chosen here.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

import litellm
from litellm.llms.anthropic.messages.adapters.handler import LiteLLMMessagesToCompletionTransformationHandler
from litellm.utils import ProviderConfigManager

from langop_model.gateway.upstreams import request_members
from langop_model.gateway.upstreams.translator_protocol import Call
from langop_model.translator import content, gemini_over_chat, over_chat, parameters
from langop_model.translator.deployment import Deployment
from langop_model.translator.failures import RefusedRequestError
from langop_model.translator.parameters import divided
from langop_model.translator.requests import Request, add_extra, body_of, drop, require

# Asked under these names LiteLLM takes Anthropic's messages to OpenAI's responses and loses half of a request on the way;
# under the name of any server that speaks chat completions it does not.
_PLAIN_SERVER = "hosted_vllm"
_LOSING = frozenset({"openai", "custom_openai", "azure"})
_OPENAI_ADDRESS = "https://api.openai.com/v1"
_NOT_BRIDGED = frozenset({"azure_text"})  # LiteLLM asks it, and then can't read its usage
_NEEDS_EXTRA_BODY = frozenset({"custom"})  # LiteLLM fails where there is none


def responses(call: Call, deployment: Deployment) -> Request:
    """OpenAI's responses, natively or over chat completions."""
    _require_bridge(call, deployment)
    known = parameters.RESPONSES | frozenset(over_chat.STATEFUL)
    own, others = divided(body_of(call), known, call.stated)
    require(own, "input")
    content.check_tools(own.get("tools"))
    if isinstance(own["input"], list):
        content.check_messages(own["input"], deployment)
        own["input"] = content.as_text(own["input"], deployment)
    request = Request(own)
    extra = {**others, **deployment.extra_body}
    if call.native is False or (call.native is None and deployment.provider not in ("openai", "azure")):
        extra.update(over_chat.responses(request, call, deployment))
        request.arguments["use_chat_completions_api"] = True
    add_extra(request, extra, call, deployment)
    if deployment.provider in _NEEDS_EXTRA_BODY:
        request.arguments.setdefault("extra_body", {})
    if call.stream:
        request.arguments["stream"] = True
    return request


def _require_bridge(call: Call, deployment: Deployment) -> None:
    if deployment.provider in _NOT_BRIDGED:
        raise RefusedRequestError(f"{call.route.value} is not served for this model", 404)


def messages(call: Call, deployment: Deployment) -> Request:
    """Anthropic's messages."""
    _require_bridge(call, deployment)
    own, others = divided(body_of(call), parameters.MESSAGES, call.stated)
    request = Request(own)
    extra = {**_beside(request, others, over_chat.HINTS, call), **deployment.extra_body}
    require(own, "messages", "max_tokens")
    content.check_messages(own["messages"], deployment)
    own["messages"] = content.as_text(own["messages"], deployment)
    if "system" in own:
        own["system"] = content.joined(own["system"], deployment)
    is_bridged = call.stream or not _speaks_messages(deployment)
    if is_bridged:
        over_chat.messages(request, deployment)
        request.function = LiteLLMMessagesToCompletionTransformationHandler.async_anthropic_messages_handler
    if call.native is not True and deployment.provider in _LOSING - {"azure"}:
        request.arguments["model"] = f"{_PLAIN_SERVER}/{deployment.name}"
        request.arguments["api_base"] = deployment.settings.get("api_base") or _OPENAI_ADDRESS
    effort = own["output_config"].get("effort") if isinstance(own.get("output_config"), dict) else None
    if effort and is_bridged and "thinking" not in own:  # without `thinking` LiteLLM's bridge loses it
        request.arguments["reasoning_effort"] = effort
    if is_bridged:
        add_extra(request, extra, call, deployment)
    else:  # LiteLLM has no way for more where it asks in Anthropic's protocol
        request.dropped += extra
    if call.stream:
        request.arguments["stream"] = True
    return request


def _beside(request: Request, others: Mapping[str, Any], hints: Collection[str], call: Call) -> dict[str, Any]:
    """Return the members that the route's own API does not have, and the provider does: as the specification says.

    Of those that LiteLLM has no way for, `hints` are dropped. Raises RefusedRequestError for any other one.
    """
    api = request_members.of_route(call.route)
    for name in others:
        if name in hints:
            drop(request, name, call)
        elif name in api:
            raise RefusedRequestError(f"{name} is not supported by this model")
    return {name: value for name, value in others.items() if name not in api}


def _speaks_messages(deployment: Deployment) -> bool:
    """Whether LiteLLM asks this model's provider in Anthropic's protocol, not over chat completions.

    For a whole answer: its streams in that protocol need its proxy's packages. An endpoint that ends in /v1 is one of chat
    completions: LiteLLM would ask /v1/v1/messages there.
    """
    if str(deployment.settings.get("api_base") or "").rstrip("/").endswith("/v1"):
        return False
    try:
        provider = litellm.LlmProviders(deployment.provider)
    except ValueError:  # one that LiteLLM describes by its address alone
        return False
    return ProviderConfigManager.get_provider_anthropic_messages_config(deployment.name, provider) is not None


def generate_content(call: Call, deployment: Deployment) -> Request:
    """Gemini's generateContent, over chat completions."""
    own, others = divided(body_of(call), parameters.GENERATE_CONTENT, call.stated)
    require(own, "contents")
    content.check_contents(own["contents"], deployment)
    arguments: dict[str, Any] = {"contents": own["contents"], "config": dict(own.get("generationConfig") or {})}
    arguments |= {name: own[name] for name in ("safetySettings", "systemInstruction", "toolConfig", "tools") if name in own}
    request = Request(arguments)
    return gemini_over_chat.prepare(request, _beside(request, others, gemini_over_chat.HINTS, call), call, deployment)
