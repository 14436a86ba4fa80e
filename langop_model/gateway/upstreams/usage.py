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

TOTALS = frozenset({"prompt_tokens", "completion_tokens", "total_tokens"})  # all that many servers report
WITH_UNITS = frozenset({Route.IMAGES, Route.IMAGE_EDITS, Route.TRANSCRIPTIONS, Route.RERANK})
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
    if route not in WITH_UNITS or not (units := _units(route, body)):
        return found
    return Usage(**units) if found is None else dataclasses.replace(found, **units)


def tier_of(reported: Any) -> str:
    """Return the service tier that an answer reports, empty for the standard one."""
    if not reported:
        return ""
    name = str(reported).lower()
    return "" if name in STANDARD_TIERS or len(name) > MAX_TIER_LENGTH or not name.isascii() else name


def _openai(body: Mapping[str, Any]) -> Usage | None:
    """Chat, completions, embeddings, moderations: `usage.prompt_tokens`. Groq's streams have it in `x_groq`."""
    usage = _member(body, "usage") or _member(_member(body, "x_groq"), "usage")
    if "prompt_tokens" in usage:
        read = usage["prompt_tokens"]
    elif "total_tokens" in usage and "input_tokens" not in usage:
        read = usage["total_tokens"]  # Jina and Voyage report it alone, and embeddings have no output
    else:
        return None
    found = Usage(_count(read), _count(usage.get("completion_tokens")))
    if tier := body.get("service_tier") or usage.get("service_tier"):
        found.tier = tier_of(tier)
    if not usage.keys() <= TOTALS:
        _add_details(found, usage, _counts(usage))
    return found


def _add_details(found: Usage, usage: Mapping[str, Any], counts: Mapping[str, int]) -> None:
    """Add what a usage of `_openai` says beside its totals."""
    details, output_details = _counts(usage.get("prompt_tokens_details")), _counts(usage.get("completion_tokens_details"))
    found.reasoning_tokens = output_details.get("reasoning_tokens") or counts.get("reasoning_tokens", 0)
    if found.reasoning_tokens and counts.get("total_tokens") == found.total + found.reasoning_tokens:
        found.output_tokens += found.reasoning_tokens  # xAI counts reasoning beside the output, not in it
    # DeepSeek names the hits of its cache otherwise, Moonshot puts them beside.
    found.cached_tokens = (
        details.get("cached_tokens") or counts.get("prompt_cache_hit_tokens") or counts.get("cached_tokens", 0)
    )
    if details:
        created = _counts(usage["prompt_tokens_details"].get("cache_creation_token_details"))
        found.cache_creation_tokens = details.get("cache_write_tokens") or details.get("cache_creation_tokens", 0)
        found.cache_creation_hour_tokens = created.get("ephemeral_1h_input_tokens", 0)
        found.audio_input_tokens = details.get("audio_tokens", 0)
        found.image_input_tokens = details.get("image_tokens", 0)
    if output_details:
        found.audio_output_tokens = output_details.get("audio_tokens", 0)
        found.image_output_tokens = output_details.get("image_tokens", 0)


def _anthropic_or_responses(body: Mapping[str, Any]) -> Usage | None:
    """Usages with `input_tokens`: Anthropic's, OpenAI's responses, images and transcriptions; in events one level deeper."""
    outer = _member(body, "response") or _member(body, "message") or body
    usage = _member(outer, "usage") or _member(body, "usage")
    if "input_tokens" not in usage and "output_tokens" not in usage:
        return None
    counts = _counts(usage)
    reported = _member(usage, "input_tokens_details") or _member(usage, "input_token_details")
    details = _counts(reported)
    output_details = _counts(_member(usage, "output_tokens_details") or _member(usage, "output_token_details"))
    cached, created = counts.get("cache_read_input_tokens", 0), counts.get("cache_creation_input_tokens", 0)
    # Anthropic counts the cached ones beside the input; OpenAI's details are of the input, which they are part of.
    beside = 0 if reported else cached + created
    # Beside the input, `cached_tokens` is of a server that speaks this protocol and counts as in chat completions.
    cached = cached or details.get("cached_tokens") or counts.get("cached_tokens", 0)
    return Usage(
        input_tokens=counts.get("input_tokens", 0) + beside,
        output_tokens=counts.get("output_tokens", 0),
        cached_tokens=cached,
        cache_creation_tokens=created or details.get("cache_write_tokens", 0),
        cache_creation_hour_tokens=_counts(usage.get("cache_creation")).get("ephemeral_1h_input_tokens", 0),
        reasoning_tokens=output_details.get("reasoning_tokens") or output_details.get("thinking_tokens", 0),
        audio_input_tokens=details.get("audio_tokens", 0),
        audio_output_tokens=output_details.get("audio_tokens", 0),
        image_input_tokens=details.get("image_tokens", 0),
        image_output_tokens=output_details.get("image_tokens", 0),
        tier=tier_of(outer.get("service_tier") or usage.get("service_tier")),
    )


def _gemini(body: Mapping[str, Any]) -> Usage | None:
    """`usageMetadata`: thoughts are counted beside the candidates, and tools' prompts beside the prompt."""
    usage = _member(body, "usageMetadata")
    if not usage:
        return None
    counts = _counts(usage)
    thoughts = counts.get("thoughtsTokenCount", 0)
    asked, answered = usage.get("promptTokensDetails"), usage.get("candidatesTokensDetails")
    return Usage(
        input_tokens=counts.get("promptTokenCount", 0) + counts.get("toolUsePromptTokenCount", 0),
        output_tokens=counts.get("candidatesTokenCount", 0) + thoughts,
        cached_tokens=counts.get("cachedContentTokenCount", 0),
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
    billed, tokens = _member(meta, "billed_units"), _member(meta, "tokens")
    if not billed and not tokens:
        return None
    units, counts = _counts(billed), _counts(tokens or billed)
    return Usage(
        input_tokens=counts.get("input_tokens", 0),
        output_tokens=counts.get("output_tokens", 0),
        queries=units.get("search_units", 0),
        images=units.get("images", 0),
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


def _counts(node: Any) -> Mapping[str, int]:
    """Return the members of an object that are numbers above 0; anything else that a provider may write is none."""
    if not isinstance(node, dict):
        return EMPTY
    return {name: count for name, value in node.items() if (count := _count(value))}


def _count(value: Any) -> int:
    """Return a number of tokens; 0 for what is none."""
    # Not bool, which is an int too.
    return int(value) if (type(value) is int or type(value) is float) and 0 < value < MAX_TOKENS else 0


def _modality(details: Any, name: str) -> int:
    """Return the tokens of one modality in Gemini's list."""
    entries = details if isinstance(details, list) else ()
    return sum(
        _counts(each).get("tokenCount", 0) for each in entries if isinstance(each, dict) and each.get("modality") == name
    )
