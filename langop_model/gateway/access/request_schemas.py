"""The types of the members that the body of each open route has, as far as this gateway and LiteLLM rely on them.

Which members a model takes is another question: upstreams/route_plan.py, with schema/request-members.json. A member that no
schema here names has any type: what it may hold is the provider's business.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from langop_model.gateway.access.errors import APIError
from langop_model.gateway.access.field_types import (
    ANTHROPIC_MESSAGES,
    ANTHROPIC_TOOLS,
    BOOLEAN,
    CACHE,
    CHOICE,
    CHOICES,
    CONTENT,
    COUNT,
    FUNCTIONS,
    INTEGER,
    MESSAGES,
    NAME,
    NUMBER,
    NUMBERS_OF,
    OBJECT,
    OBJECTS,
    PROMPT,
    RETRIES,
    STRING,
    STRINGS,
    STRINGS_OF,
    TEXTS,
    TYPED,
    TYPED_OBJECTS,
    FieldType,
    either,
)


@dataclass(frozen=True, slots=True)
class RequestSchema:
    """The fields of a body that have a type, and those it must have. `is_form` for multipart/form-data, where all is text."""

    fields: Mapping[str, FieldType]
    required: tuple[str, ...] = ("model",)
    is_form: bool = False
    only_files: frozenset[str] = frozenset()


# `disable_fallbacks` and `num_retries` ask for less than the LanguageModel gives: so one model's proxy asks a sibling's
# (templates/siblings.yaml.j2).
_ANY = {"model": NAME, "user": STRING, "cache": CACHE, "disable_fallbacks": BOOLEAN, "num_retries": RETRIES}
_SAMPLING = {
    "temperature": NUMBER, "top_p": NUMBER, "stop": TEXTS, "stream": BOOLEAN, "stream_options": OBJECT,
    "frequency_penalty": NUMBER, "presence_penalty": NUMBER, "max_tokens": COUNT, "n": COUNT, "seed": INTEGER,
    "logit_bias": NUMBERS_OF, "metadata": STRINGS_OF,
    "top_k": INTEGER, "echo": BOOLEAN, "best_of": COUNT, "truncation": STRING,  # vLLM and others
}  # fmt: skip
_OPENAI = {
    "parallel_tool_calls": BOOLEAN, "tool_choice": CHOICE, "service_tier": STRING, "store": BOOLEAN,
    "safety_identifier": STRING, "prompt_cache_key": STRING, "prompt_cache_retention": STRING,
    "prompt_cache_options": OBJECT, "top_logprobs": INTEGER,
    "reasoning": OBJECT, "context_management": either(OBJECT, OBJECTS), "web_search_options": OBJECT, "moderation": OBJECT,
}  # fmt: skip
_IMAGE = {
    "prompt": STRING, "size": STRING, "quality": STRING, "response_format": STRING, "style": STRING, "n": COUNT,
    "background": STRING, "output_format": STRING, "stream": BOOLEAN,
}  # fmt: skip
_ANTHROPIC = {
    "messages": ANTHROPIC_MESSAGES, "system": CONTENT, "tools": ANTHROPIC_TOOLS, "tool_choice": TYPED, "thinking": TYPED,
    "context_management": OBJECT, "mcp_servers": OBJECTS, "output_config": OBJECT,
}  # fmt: skip

SCHEMAS = {
    "chat": RequestSchema(
        {
            **_ANY, **_SAMPLING, **_OPENAI,
            "messages": MESSAGES, "tools": FUNCTIONS, "max_completion_tokens": COUNT, "logprobs": BOOLEAN,
            "response_format": TYPED, "reasoning_effort": STRING, "modalities": STRINGS, "audio": OBJECT, "prediction": TYPED,
            "functions": OBJECTS, "function_call": CHOICE, "thinking": TYPED, "verbosity": STRING,
            "documents": CHOICES,
        },
        ("model", "messages"),
    ),
    "completion": RequestSchema(
        {
            **_ANY, **_SAMPLING,
            "prompt": PROMPT,
            "suffix": STRING, "logprobs": INTEGER,
        },
        ("model", "prompt"),
    ),
    "embedding": RequestSchema(
        {**_ANY, "input": PROMPT, "dimensions": COUNT, "encoding_format": STRING},
        ("model", "input"),
    ),
    "response": RequestSchema(
        {
            **_ANY, **_OPENAI,
            "input": either(STRING, OBJECTS), "instructions": either(STRING, OBJECTS), "tools": TYPED_OBJECTS,
            "temperature": NUMBER, "top_p": NUMBER, "max_output_tokens": COUNT, "max_tool_calls": COUNT, "include": STRINGS,
            "previous_response_id": STRING, "text": OBJECT, "truncation": STRING, "background": BOOLEAN, "stream": BOOLEAN,
            "stream_options": OBJECT, "metadata": STRINGS_OF, "prompt": OBJECT, "conversation": CHOICE, "container": CHOICE,
        },
        ("model", "input"),
    ),
    "message": RequestSchema(
        {
            **_ANY, **_ANTHROPIC,
            "max_tokens": COUNT, "stop_sequences": STRINGS, "temperature": NUMBER, "top_p": NUMBER, "top_k": INTEGER,
            "stream": BOOLEAN, "metadata": STRINGS_OF, "service_tier": STRING, "container": CHOICE,
        },
        ("model", "messages", "max_tokens"),
    ),
    "message_count": RequestSchema({"model": NAME, **_ANTHROPIC}, ("model", "messages")),
    "speech": RequestSchema(
        {"model": NAME, "input": STRING, "voice": CHOICE, "response_format": STRING, "speed": NUMBER, "instructions": STRING},
        ("model", "input", "voice"),
    ),
    "moderation": RequestSchema({**_ANY, "input": either(TEXTS, OBJECTS)}, ("model", "input")),
    "generate_content": RequestSchema(
        {
            "contents": either(OBJECTS, OBJECT), "systemInstruction": either(OBJECT, STRING), "tools": OBJECTS,
            "toolConfig": OBJECT, "safetySettings": OBJECTS, "generationConfig": OBJECT, "cachedContent": STRING,
            "labels": OBJECT,
        },
        ("contents",),
    ),
    "image": RequestSchema({**_ANY, **_IMAGE}, ("model", "prompt")),
    "rerank": RequestSchema(
        {
            "model": NAME, "query": STRING, "documents": CHOICES,
            "top_n": COUNT, "rank_fields": STRINGS, "return_documents": BOOLEAN, "max_chunks_per_doc": COUNT,
            "max_tokens_per_doc": COUNT,
        },
        ("model", "query", "documents"),
    ),
    "transcription": RequestSchema({"model": NAME}, ("model", "file"), is_form=True, only_files=frozenset({"file"})),
    "image_edit": RequestSchema(
        {"model": NAME}, ("model", "image", "prompt"), is_form=True, only_files=frozenset({"image", "mask"})
    ),
}  # fmt: skip
# The specification may have a default for these: they are looked for after the defaults (upstreams/route_plan.py).
DEFAULTED = frozenset({"voice", "max_tokens"})


def check(body: Mapping[str, Any], shape: RequestSchema) -> None:
    """Raise APIError with 400 for the first field that is missing, or has another type."""
    for name in shape.required:
        if body.get(name) is None and name not in DEFAULTED:
            raise APIError(400, f"the request has no {name}", "missing_required_parameter", name)
    for name, value in body.items():
        kind = shape.fields.get(name)
        if kind is not None and value is not None and not kind.holds(value):
            raise APIError(400, f"{name} must be {kind.words}", "invalid_type", name)
