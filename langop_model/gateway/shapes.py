"""What the body of each open route must look like: enough that LiteLLM, which answers 500 to many a wrong type, can read it.

A field that is not named here has any type: what it may hold is the provider's business. Every named field may be null.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from langop_model.gateway.refusals import Refusal

LONGEST_NAME = 256  # letters of a model's name


@dataclass(frozen=True, slots=True)
class Kind:
    """What a field may hold, in words and as a test."""

    words: str
    holds: Callable[[Any], bool]


@dataclass(frozen=True, slots=True)
class Shape:
    """The fields of a body that have a type, and those it must have. `is_form` for multipart/form-data, where all is text."""

    fields: Mapping[str, Kind]
    required: tuple[str, ...] = ("model",)
    is_form: bool = False
    only_files: frozenset[str] = field(default_factory=frozenset)


def _every(kind: Kind) -> Callable[[Any], bool]:
    return lambda value: isinstance(value, list) and all(kind.holds(each) for each in value)


def _either(*kinds: Kind) -> Kind:
    return Kind(" or ".join(kind.words for kind in kinds), lambda value: any(kind.holds(value) for kind in kinds))


STRING = Kind("a string", lambda value: isinstance(value, str))
NAME = Kind(f"a string of 1 to {LONGEST_NAME} letters", lambda value: isinstance(value, str) and 0 < len(value) <= LONGEST_NAME)
BOOLEAN = Kind("true or false", lambda value: isinstance(value, bool))
INTEGER = Kind("an integer", lambda value: isinstance(value, int) and not isinstance(value, bool))
COUNT = Kind("an integer above 0", lambda value: INTEGER.holds(value) and 0 < value < 2**31)
NUMBER = Kind("a number", lambda value: isinstance(value, int | float) and not isinstance(value, bool))
OBJECT = Kind("an object", lambda value: isinstance(value, dict))
STRINGS = Kind("an array of strings", _every(STRING))
OBJECTS = Kind("an array of objects", _every(OBJECT))
TOKENS = Kind("an array of integers", _every(INTEGER))
LABELS = Kind("an object of strings", lambda value: isinstance(value, dict) and all(map(STRING.holds, value.values())))
NUMBERS = Kind("an object of numbers", lambda value: isinstance(value, dict) and all(map(NUMBER.holds, value.values())))
TEXTS = _either(STRING, STRINGS)
TOKEN_LISTS = Kind("an array of arrays of integers", _every(TOKENS))
CHOICE = _either(STRING, OBJECT)


def _content(value: Any) -> bool:
    """Text, or parts with a type each; text parts hold text."""
    return STRING.holds(value) or (
        OBJECTS.holds(value)
        and all(STRING.holds(part.get("type")) and (part["type"] != "text" or STRING.holds(part.get("text"))) for part in value)
    )


def _calls(value: Any) -> bool:
    """Calls of functions: a name, and arguments as text."""
    return OBJECTS.holds(value) and all(
        "function" not in call
        or (
            OBJECT.holds(call["function"])
            and STRING.holds(call["function"].get("name"))
            and STRING.holds(call["function"].get("arguments", ""))
        )
        for call in value
    )


def _message(message: Any) -> bool:
    return (
        OBJECT.holds(message)
        and STRING.holds(message.get("role"))
        and (message.get("content") is None or _content(message["content"]))
        and (message.get("tool_calls") is None or _calls(message["tool_calls"]))
        and all(message.get(name) is None or STRING.holds(message[name]) for name in ("name", "tool_call_id"))
    )


def _tool(tool: Any) -> bool:
    if not OBJECT.holds(tool):
        return False
    function = tool.get("function", {})
    return (tool.get("type") is None or STRING.holds(tool["type"])) and (
        OBJECT.holds(function)
        and ("function" not in tool or STRING.holds(function.get("name")))
        and (function.get("parameters") is None or OBJECT.holds(function["parameters"]))
    )


MESSAGES = Kind(
    "an array of at least one message, an object with role and content",
    lambda value: isinstance(value, list) and bool(value) and all(map(_message, value)),
)
TOOLS = Kind("an array of tools, each an object with type", lambda value: isinstance(value, list) and all(map(_tool, value)))
CONTENT = Kind("a string, or an array of parts with a type each", _content)
# What a caller may say to the cache of answers. `ttl` and `namespace` are the LanguageModel's to choose.
CACHE = Kind(
    'an object of "no-cache" and "no-store", each true or false',
    lambda value: (
        isinstance(value, dict) and value.keys() <= {"no-cache", "no-store"} and all(map(BOOLEAN.holds, value.values()))
    ),
)

_COMMON = {"model": NAME, "user": STRING, "cache": CACHE, "metadata": LABELS, "stream": BOOLEAN, "n": COUNT, "seed": INTEGER}
_SAMPLING = {"temperature": NUMBER, "top_p": NUMBER, "stop": TEXTS, "stream_options": OBJECT, "logit_bias": NUMBERS}
_SAMPLING |= {"frequency_penalty": NUMBER, "presence_penalty": NUMBER, "max_tokens": COUNT}
_TOOLS = {"tools": TOOLS, "tool_choice": CHOICE, "parallel_tool_calls": BOOLEAN}
_IMAGE = {"prompt": STRING, "size": STRING, "quality": STRING, "response_format": STRING, "style": STRING}

SHAPES = {
    "chat": Shape(
        {
            **_COMMON, **_SAMPLING, **_TOOLS,
            "messages": MESSAGES,
            "max_completion_tokens": COUNT,
            "logprobs": BOOLEAN,
            "top_logprobs": INTEGER,
            "response_format": OBJECT,
            "reasoning_effort": STRING,
            "modalities": STRINGS,
            "audio": OBJECT,
            "prediction": OBJECT,
            "functions": OBJECTS,
            "function_call": CHOICE,
            "service_tier": STRING,
            "store": BOOLEAN,
            "thinking": OBJECT,
            "verbosity": STRING,
            "web_search_options": OBJECT,
        },
        ("model", "messages"),
    ),
    "completion": Shape(
        {
            **_COMMON, **_SAMPLING,
            "prompt": _either(TEXTS, TOKENS, TOKEN_LISTS),
            "echo": BOOLEAN,
            "best_of": COUNT,
            "suffix": STRING,
            "logprobs": INTEGER,
        },
        ("model", "prompt"),
    ),
    "embedding": Shape(
        {**_COMMON, "input": _either(TEXTS, TOKENS, TOKEN_LISTS), "dimensions": COUNT, "encoding_format": STRING},
        ("model", "input"),
    ),
    "response": Shape(
        {
            **_COMMON, **_TOOLS,
            "input": _either(STRING, OBJECTS),
            "instructions": _either(STRING, OBJECTS),
            "temperature": NUMBER,
            "top_p": NUMBER,
            "max_output_tokens": COUNT,
            "include": STRINGS,
            "previous_response_id": STRING,
            "reasoning": OBJECT,
            "text": OBJECT,
            "truncation": STRING,
            "store": BOOLEAN,
            "background": BOOLEAN,
        },
        ("model", "input"),
    ),
    "message": Shape(
        {
            **_COMMON,
            "messages": MESSAGES,
            "max_tokens": COUNT,
            "system": CONTENT,
            "stop_sequences": STRINGS,
            "temperature": NUMBER,
            "top_p": NUMBER,
            "top_k": INTEGER,
            "thinking": OBJECT,
            "tools": TOOLS,
            "tool_choice": OBJECT,
        },
        ("model", "messages", "max_tokens"),
    ),
    "message_count": Shape({"model": NAME, "messages": MESSAGES, "system": CONTENT, "tools": TOOLS}, ("model", "messages")),
    "speech": Shape(
        {"model": NAME, "input": STRING, "voice": CHOICE, "response_format": STRING, "speed": NUMBER, "instructions": STRING},
        ("model", "input", "voice"),
    ),
    "image": Shape({**_COMMON, **_IMAGE}, ("model", "prompt")),
    "rerank": Shape(
        {
            "model": NAME,
            "query": STRING,
            "documents": Kind("an array of strings or objects", _every(CHOICE)),
            "top_n": COUNT,
            "rank_fields": STRINGS,
            "return_documents": BOOLEAN,
            "max_chunks_per_doc": COUNT,
            "max_tokens_per_doc": COUNT,
        },
        ("model", "query", "documents"),
    ),
    "transcription": Shape({"model": NAME}, ("model", "file"), is_form=True, only_files=frozenset({"file"})),
    "image_edit": Shape({"model": NAME}, ("model", "image", "prompt"), is_form=True, only_files=frozenset({"image", "mask"})),
}  # fmt: skip


def check(body: Mapping[str, Any], shape: Shape) -> None:
    """Raise Refusal with 400 for the first field that is missing or has another type."""
    for name in shape.required:
        if body.get(name) is None:
            raise Refusal(400, f"the request has no {name}", "missing_required_parameter", name)
    for name, kind in shape.fields.items():
        if body.get(name) is not None and not kind.holds(body[name]):
            raise Refusal(400, f"{name} must be {kind.words}", "invalid_type", name)
