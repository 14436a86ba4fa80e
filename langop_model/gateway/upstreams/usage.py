"""What a whole answer used, read from its body: the forms of OpenAI, Anthropic, Gemini, Cohere and those who follow them."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

from langop_model.gateway.upstreams.base import Route, Usage

# What the providers call their standard service tier: their ordinary prices apply.
STANDARD_TIERS = frozenset({"", "auto", "default", "standard", "standard_only", "on_demand"})
# https://docs.cloud.google.com/vertex-ai/generative-ai/docs/reference/rest/v1/GenerateContentResponse#TrafficType
TRAFFIC_TYPES = {"ON_DEMAND_PRIORITY": "priority", "ON_DEMAND_FLEX": "flex"}


EMPTY: Mapping[str, Any] = {}
MAX_TOKENS = 2**53  # a number above is none that JSON's readers agree on
MAX_TIER_LENGTH = 64  # ASCII characters; any other text names no tier, and a usage passes in a header


def usage_of(route: Route, body: Mapping[str, Any]) -> Usage | None:
    """Return what a whole answer says that it used; None where it says nothing.

    The parts of a stream that hold a usage are answers too: a chunk of a chat, Anthropic's `message_delta`, the event
    `response.completed`. A count of tokens that was asked for is no use.
    """
    if route is Route.COUNT_TOKENS:
        return Usage()
    found = _openai(body) or _anthropic_or_responses(body) or _gemini(body) or _cohere(body)
    units = _units(route, body)
    if found is None:
        return Usage(**units) if units else None
    return dataclasses.replace(found, **units) if units else found


def tier_of(reported: Any) -> str:
    """Return the service tier that an answer reports, empty for the standard one."""
    if not reported:
        return ""
    name = str(reported).lower()
    return "" if name in STANDARD_TIERS or len(name) > MAX_TIER_LENGTH or not name.isascii() else name


def _openai(body: Mapping[str, Any]) -> Usage | None:
    """Chat, completions, embeddings, moderations: `usage.prompt_tokens`. Groq's streams have it in `x_groq`."""
    usage = _member(body, "usage") or _member(_member(body, "x_groq"), "usage")
    if "prompt_tokens" not in usage and ("input_tokens" in usage or "total_tokens" not in usage):
        return None
    details, output_details = _member(usage, "prompt_tokens_details"), _member(usage, "completion_tokens_details")
    total = _number(usage, "total_tokens")
    # Jina and Voyage report the total alone, and embeddings have no output.
    read = _number(usage, "prompt_tokens") if "prompt_tokens" in usage else total
    written = _number(usage, "completion_tokens")
    reasoning = _number(output_details, "reasoning_tokens") or _number(usage, "reasoning_tokens")
    if reasoning and total == read + written + reasoning:
        written += reasoning  # xAI counts reasoning beside the output, not in it
    parts: dict[str, Any] = {}
    if details:
        created = _member(details, "cache_creation_token_details")
        parts["cache_creation_tokens"] = _first(details, "cache_write_tokens", "cache_creation_tokens")
        parts["cache_creation_hour_tokens"] = _number(created, "ephemeral_1h_input_tokens")
        parts["audio_input_tokens"] = _number(details, "audio_tokens")
        parts["image_input_tokens"] = _number(details, "image_tokens")
    if output_details:
        parts["audio_output_tokens"] = _number(output_details, "audio_tokens")
        parts["image_output_tokens"] = _number(output_details, "image_tokens")
    return Usage(
        input_tokens=read,
        output_tokens=written,
        # DeepSeek names the hits of its cache otherwise, Moonshot puts them beside.
        cached_tokens=_number(details, "cached_tokens") or _first(usage, "prompt_cache_hit_tokens", "cached_tokens"),
        reasoning_tokens=reasoning,
        tier=tier_of(body.get("service_tier") or usage.get("service_tier")),
        **parts,
    )


def _anthropic_or_responses(body: Mapping[str, Any]) -> Usage | None:
    """Usages with `input_tokens`: Anthropic's, OpenAI's responses, images and transcriptions; in events one level deeper."""
    outer = _member(body, "response") or _member(body, "message") or body
    usage = _member(outer, "usage") or _member(body, "usage")
    if "input_tokens" not in usage and "output_tokens" not in usage:
        return None
    details = _member(usage, "input_tokens_details") or _member(usage, "input_token_details")
    output_details = _member(usage, "output_tokens_details") or _member(usage, "output_token_details")
    cached, created = _number(usage, "cache_read_input_tokens"), _number(usage, "cache_creation_input_tokens")
    tier = tier_of(outer.get("service_tier") or usage.get("service_tier"))
    # Anthropic counts the cached ones beside the input; OpenAI's details are of the input, which they are part of.
    beside = 0 if details else cached + created
    if "cached_tokens" in usage:  # a server that speaks this protocol and counts as in chat completions
        details = {"cached_tokens": usage["cached_tokens"], **details}
    return Usage(
        input_tokens=_number(usage, "input_tokens") + beside,
        output_tokens=_number(usage, "output_tokens"),
        cached_tokens=cached or _number(details, "cached_tokens"),
        cache_creation_tokens=created or _number(details, "cache_write_tokens"),
        cache_creation_hour_tokens=_number(_member(usage, "cache_creation"), "ephemeral_1h_input_tokens"),
        reasoning_tokens=_first(output_details, "reasoning_tokens", "thinking_tokens"),
        audio_input_tokens=_number(details, "audio_tokens"),
        audio_output_tokens=_number(output_details, "audio_tokens"),
        image_input_tokens=_number(details, "image_tokens"),
        image_output_tokens=_number(output_details, "image_tokens"),
        tier=tier,
    )


def _gemini(body: Mapping[str, Any]) -> Usage | None:
    """`usageMetadata`: thoughts are counted beside the candidates, and tools' prompts beside the prompt."""
    usage = _member(body, "usageMetadata")
    if not usage:
        return None
    thoughts = _number(usage, "thoughtsTokenCount")
    asked, answered = usage.get("promptTokensDetails"), usage.get("candidatesTokensDetails")
    return Usage(
        input_tokens=_number(usage, "promptTokenCount") + _number(usage, "toolUsePromptTokenCount"),
        output_tokens=_number(usage, "candidatesTokenCount") + thoughts,
        cached_tokens=_number(usage, "cachedContentTokenCount"),
        reasoning_tokens=thoughts,
        audio_input_tokens=_modality(asked, "AUDIO"),
        audio_output_tokens=_modality(answered, "AUDIO"),
        image_input_tokens=_modality(asked, "IMAGE"),
        image_output_tokens=_modality(answered, "IMAGE"),
        tier=TRAFFIC_TYPES.get(str(usage.get("trafficType")), ""),
    )


def _cohere(body: Mapping[str, Any]) -> Usage | None:
    """Cohere's `meta` (v1) or `usage` (v2) with billed units."""
    meta = _member(body, "meta") or _member(body, "usage")
    billed = _member(meta, "billed_units")
    tokens = _member(meta, "tokens") or billed
    if not billed and not tokens:
        return None
    return Usage(
        input_tokens=_number(tokens, "input_tokens"),
        output_tokens=_number(tokens, "output_tokens"),
        queries=_number(billed, "search_units"),
        images=_number(billed, "images"),
    )


def _units(route: Route, body: Mapping[str, Any]) -> dict[str, Any]:
    """Return what has a price of its own beside the tokens."""
    units: dict[str, Any] = {}
    if route in (Route.IMAGES, Route.IMAGE_EDITS) and isinstance(body.get("data"), list):
        units["images"] = len(body["data"])
    elif route is Route.TRANSCRIPTIONS:
        seconds = _member(body, "usage").get("seconds", body.get("duration"))
        if isinstance(seconds, int | float) and not isinstance(seconds, bool) and seconds > 0:
            units["seconds"] = float(seconds)
    elif route is Route.RERANK and not _member(_member(body, "meta"), "billed_units").get("search_units"):
        units["queries"] = 1  # a request is at least one search unit
    return units


def _member(node: Any, name: str) -> Mapping[str, Any]:
    """Return an object's member that is an object, else an empty one."""
    value = node.get(name) if isinstance(node, dict) else None
    return value if isinstance(value, dict) else EMPTY


def _number(node: Mapping[str, Any], name: str) -> int:
    """Return a member that is a number of tokens; 0 for anything else that a provider may write."""
    value = node.get(name)
    if type(value) is int or type(value) is float:  # not bool, which is an int too
        return int(value) if 0 < value < MAX_TOKENS else 0
    return 0


def _first(node: Mapping[str, Any], *names: str) -> int:
    """Return the first of the members that is above 0."""
    for name in names:
        if number := _number(node, name):
            return number
    return 0


def _modality(details: Any, name: str) -> int:
    """Return the tokens of one modality in Gemini's list."""
    entries = details if isinstance(details, list) else ()
    return sum(_number(each, "tokenCount") for each in entries if isinstance(each, dict) and each.get("modality") == name)
