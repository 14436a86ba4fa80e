"""What a request of /v1/responses or /v1/messages says, and LiteLLM loses on the way to chat completions.

A hint is dropped by name, what chat completions have another word for is said with that, and the rest is refused by name.
"""

from __future__ import annotations

from typing import Any

from langop_model.gateway.upstreams.translator_protocol import Call
from langop_model.translator.content import ONE_MESSAGE
from langop_model.translator.deployment import Deployment
from langop_model.translator.failures import RefusedRequestError
from langop_model.translator.requests import ANY_OBJECT, Request, drop

# What only a provider that keeps responses has. `prompt` is one that it keeps.
STATEFUL = ("background", "conversation", "previous_response_id", "prompt")
# Items that have a counterpart among messages. A search is told as text.
_ITEMS = frozenset(
    {
        "compaction", "custom_tool_call", "custom_tool_call_output", "function_call", "function_call_output", "message",
        "reasoning", "web_search_call",
    }
)  # fmt: skip
_FUNCTIONS = ("function", "custom")
# Of Anthropic's: about its own caches, speed and what it forgets of a long conversation, not about what is asked.
HINTS = frozenset({"cache_control", "context_management", "speed"})
# What chat completions call a member.
_CHATS = {
    "max_output_tokens": "max_tokens", "max_tokens": "max_tokens", "stop_sequences": "stop",
    "tool_choice": "tool_choice", "tools": "tools",
}  # fmt: skip
_ENCRYPTED = "reasoning.encrypted_content"


def responses(request: Request, call: Call, deployment: Deployment) -> dict[str, Any]:
    """Take out of a request what has no word, and return what to send beside it. Raises RefusedRequestError."""
    own = request.arguments
    _check(own)
    _check_lost(own, deployment)
    if (
        deployment.loses_json_mode
        and isinstance(own.get("text"), dict)
        and own["text"].get("format") == {"type": "json_object"}
    ):
        own["text"] = {**own["text"], "format": {"type": "json_schema", **ANY_OBJECT}}
    own.pop("max_tool_calls", None)  # of the provider's own tools, of which it has none
    _include(request, call)
    for name, as_it_is in (("store", False), ("truncation", "disabled")):
        if own.get(name, as_it_is) != as_it_is:
            drop(request, name, call)
        own.pop(name, None)
    return {**_verbosity(request, call, deployment), **({"user": own["user"]} if own.get("user") else {})}


def _check(own: dict[str, Any]) -> None:
    """Raise RefusedRequestError for what would be missed."""
    for name in STATEFUL:
        if own.pop(name, None):
            raise RefusedRequestError(f"{name} is not supported by this model: its provider keeps no responses")
    if own.pop("top_logprobs", None):
        raise RefusedRequestError("top_logprobs is not supported by this model")
    for tool in own.get("tools") or []:
        if isinstance(tool, dict) and tool.get("type") not in _FUNCTIONS:
            raise RefusedRequestError(f"a tool of the type {tool.get('type')} is not supported by this model")
    for item in own["input"] if isinstance(own["input"], list) else []:
        kind = item.get("type", "message") if isinstance(item, dict) else "message"
        if kind not in _ITEMS:
            raise RefusedRequestError(f"an item of the type {kind} is not supported by this model")


def _check_lost(own: dict[str, Any], deployment: Deployment) -> None:
    """Raise RefusedRequestError for what LiteLLM would lose. To let the model choose its tools is usual, and no loss."""
    for name in ("instructions", "system") if deployment.provider in ONE_MESSAGE else ():
        if own.get(name):
            raise RefusedRequestError(f"{name} is not supported by this model")
    for name, named in _CHATS.items():
        said = own.get(name)
        kind = said.get("type") if isinstance(said, dict) else said
        if said and named in deployment.lost and (name, kind) != ("tool_choice", "auto"):
            raise RefusedRequestError(f"{name} is not supported by this model")
    text = own.get("text")
    form = text.get("format") if isinstance(text, dict) else None
    if isinstance(form, dict) and form.get("type") != "text" and "response_format" in deployment.lost:
        raise RefusedRequestError("text.format is not supported by this model")


def _include(request: Request, call: Call) -> None:
    """Drop what has nothing to include: reasoning comes as it is, unencrypted. Anything else would be missed."""
    for name in request.arguments.get("include") or []:
        if name != _ENCRYPTED:
            raise RefusedRequestError(f"{name} in include is not supported by this model")
    if request.arguments.pop("include", None):
        drop(request, "include", call)


def _verbosity(request: Request, call: Call, deployment: Deployment) -> dict[str, Any]:
    """Return the verbosity as a member of its own, where LiteLLM refuses it although the provider may take it."""
    text = request.arguments.get("text")
    if not isinstance(text, dict) or "verbosity" not in text or "verbosity" in deployment.supported():
        return {}
    request.arguments["text"] = {name: value for name, value in text.items() if name != "verbosity"}
    if deployment.like_openai:
        return {"verbosity": text["verbosity"]}
    drop(request, "text.verbosity", call)
    return {}


def messages(request: Request, deployment: Deployment) -> None:
    """Say with chat completions' words what Anthropic's tools and choice of tools say. Raises RefusedRequestError."""
    own = request.arguments
    _check_lost(own, deployment)
    for tool in own.get("tools") or []:
        kind = str(tool.get("type") or "custom") if isinstance(tool, dict) else "custom"
        if kind not in _FUNCTIONS and not kind.startswith("web_search"):  # which has a word: web_search_options
            raise RefusedRequestError(f"a tool of the type {kind} is not supported by this model")
    choice = own.get("tool_choice")
    if isinstance(choice, dict) and choice.get("disable_parallel_tool_use") is True and own.get("tools"):
        own["parallel_tool_calls"] = False
