"""The tokens that an answer says it took, in the terms of the gateway, whatever the protocol."""

from __future__ import annotations

from collections.abc import Mapping, MutableMapping
from typing import Any

from langop_model.gateway.upstreams.base import Route

_MEMBERS = ("usage", "usageMetadata")
_REQUIRED = frozenset({Route.MESSAGES})  # an answer without one is none in Anthropic's protocol


def taken_from(content: MutableMapping[str, Any], route: Route) -> dict[str, int] | None:
    """Return the members of a gateway's Usage from an answer or an event, whose own usage stays as the provider said it.

    LiteLLM writes zeros where the provider has reported nothing, and a cost of its own: neither is told to the client, but for
    the zeros where the protocol demands a usage.
    """
    found = None
    for name in _MEMBERS:
        said = content.get(name)
        if said is None:
            continue
        found = members(said)
        if isinstance(said, dict):
            said.pop("cost", None)
        if route not in _REQUIRED and not _has_number(said):
            del content[name]
    return found


def members(usage: Any) -> dict[str, int] | None:
    """Return the members of a gateway's Usage from a usage of OpenAI's, Anthropic's or Gemini's; None where nothing is said."""
    said = _plain(usage)
    if not said:
        return None
    found = _gemini(said) if "totalTokenCount" in said or "promptTokenCount" in said else _openai(said)
    return found if found["input_tokens"] or found["output_tokens"] else None


def _openai(said: Mapping[str, Any]) -> dict[str, int]:
    """OpenAI's chat and responses, and Anthropic's, whose `input_tokens` are without the cached ones."""
    inputs = _plain(said.get("prompt_tokens_details") or said.get("input_tokens_details"))
    outputs = _plain(said.get("completion_tokens_details") or said.get("output_tokens_details"))
    read, created = _number(said, "cache_read_input_tokens"), _number(said, "cache_creation_input_tokens")
    if "prompt_tokens" in said:
        taken = _number(said, "prompt_tokens")
    else:
        apart = not inputs  # Anthropic's own: OpenAI's has details
        taken = _number(said, "input_tokens") + ((read + created) if apart else 0)
    return {
        "input_tokens": taken,
        "output_tokens": _number(said, "completion_tokens") or _number(said, "output_tokens"),
        "cached_tokens": _number(inputs, "cached_tokens") or read,
        "cache_creation_tokens": created or _number(inputs, "cache_creation_tokens"),
        "reasoning_tokens": _number(outputs, "reasoning_tokens"),
        "audio_input_tokens": _number(inputs, "audio_tokens"),
        "audio_output_tokens": _number(outputs, "audio_tokens"),
    }


def _gemini(said: Mapping[str, Any]) -> dict[str, int]:
    thoughts = _number(said, "thoughtsTokenCount")
    return {
        "input_tokens": _number(said, "promptTokenCount"),
        "output_tokens": _number(said, "candidatesTokenCount") + thoughts,
        "cached_tokens": _number(said, "cachedContentTokenCount"),
        "cache_creation_tokens": 0,
        "reasoning_tokens": thoughts,
        "audio_input_tokens": 0,
        "audio_output_tokens": 0,
    }


def _has_number(said: Any) -> bool:
    """Whether a usage counts something: of a recording it is seconds."""
    if isinstance(said, Mapping):
        return any(_has_number(value) for value in said.values())
    if isinstance(said, list):
        return any(_has_number(value) for value in said)
    return isinstance(said, int | float) and not isinstance(said, bool) and said != 0


def _plain(value: Any) -> Mapping[str, Any]:
    if isinstance(value, Mapping):
        return value
    dump = getattr(value, "model_dump", None)
    return dump() if callable(dump) else {}


def _number(said: Mapping[str, Any], name: str) -> int:
    value = said.get(name)
    return int(value) if isinstance(value, int | float) and not isinstance(value, bool) else 0
