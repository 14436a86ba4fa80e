"""What a field of a request may hold, in words and as a test: the vocabulary of request_schemas.py."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

LONGEST_NAME = 256  # characters of a model's name


@dataclass(frozen=True, slots=True)
class FieldType:
    """What a field may hold, in words and as a test."""

    words: str
    holds: Callable[[Any], bool]


def every(kind: FieldType) -> Callable[[Any], bool]:
    """Return the test of an array whose members are all of one kind."""
    return lambda value: isinstance(value, list) and all(kind.holds(each) for each in value)


def either(*kinds: FieldType) -> FieldType:
    """Return the kind of what is of any of these kinds."""
    return FieldType(" or ".join(kind.words for kind in kinds), lambda value: any(kind.holds(value) for kind in kinds))


STRING = FieldType("a string", lambda value: isinstance(value, str))
NAME = FieldType(
    f"a string of 1 to {LONGEST_NAME} letters", lambda value: isinstance(value, str) and 0 < len(value) <= LONGEST_NAME
)
BOOLEAN = FieldType("true or false", lambda value: isinstance(value, bool))
INTEGER = FieldType("an integer", lambda value: isinstance(value, int) and not isinstance(value, bool))
COUNT = FieldType("an integer above 0", lambda value: INTEGER.holds(value) and 0 < value < 2**31)
RETRIES = FieldType("an integer from 0", lambda value: INTEGER.holds(value) and 0 <= value < 2**31)
NUMBER = FieldType("a number", lambda value: isinstance(value, int | float) and not isinstance(value, bool))
OBJECT = FieldType("an object", lambda value: isinstance(value, dict))
TYPED = FieldType("an object with a type", lambda value: isinstance(value, dict) and isinstance(value.get("type"), str))
STRINGS = FieldType("an array of strings", every(STRING))
OBJECTS = FieldType("an array of objects", every(OBJECT))
TYPED_OBJECTS = FieldType("an array of objects with a type each", every(TYPED))
TOKENS = FieldType("an array of integers", lambda value: bool(value) and every(INTEGER)(value))
TEXTS = FieldType(
    "a string, or an array of strings", lambda value: STRING.holds(value) or (bool(value) and STRINGS.holds(value))
)
TOKEN_LISTS = FieldType("an array of arrays of integers", lambda value: bool(value) and every(TOKENS)(value))
STRINGS_OF = FieldType("an object of strings", lambda value: isinstance(value, dict) and all(map(STRING.holds, value.values())))
NUMBERS_OF = FieldType("an object of numbers", lambda value: isinstance(value, dict) and all(map(NUMBER.holds, value.values())))
CHOICE = either(STRING, OBJECT)
CHOICES = FieldType("an array of strings or objects", every(CHOICE))
PROMPT = FieldType("a string, or an array of strings or of tokens", either(TEXTS, TOKENS, TOKEN_LISTS).holds)


def _content(value: Any, types: frozenset[str] | None = None) -> bool:
    """Text, or parts with a type each, one of `types`; a part holds what its type says."""
    return isinstance(value, str) or (TYPED_OBJECTS.holds(value) and all(_part(part, types) for part in value))


def _part(part: Mapping[str, Any], types: frozenset[str] | None) -> bool:
    kind = part["type"]
    if types is not None and kind not in types:
        return False
    if kind == "image_url":
        image = part.get("image_url")
        return STRING.holds(image) or (isinstance(image, dict) and STRING.holds(image.get("url")))
    if kind in ("input_audio", "file", "video_url", "audio_url") and types is not None:
        return CHOICE.holds(part.get(kind))
    return kind != "text" or STRING.holds(part.get("text"))


def _calls(value: Any) -> bool:
    """Calls of functions: a name, and arguments as text."""
    functions = [call.get("function") for call in value] if OBJECTS.holds(value) else [None]
    return all(
        isinstance(function, dict) and STRING.holds(function.get("name")) and STRING.holds(function.get("arguments", ""))
        for function in functions
    )


# What LiteLLM's validate_chat_completion_user_messages (litellm/utils.py) lets a user say, and what models answer.
_PARTS = frozenset(
    {
        "text", "image_url", "input_audio", "audio_url", "video_url", "file", "document", "guarded_text", "grounding_source",
        "query", "thinking", "redacted_thinking", "refusal",
    }
)  # fmt: skip


_CHAT_MESSAGE: dict[str, Callable[[Any], bool]] = {
    "content": functools.partial(_content, types=_PARTS),
    "tool_calls": _calls,
    "function_call": OBJECT.holds,
    "thinking_blocks": TYPED_OBJECTS.holds,
    "name": STRING.holds,
    "tool_call_id": STRING.holds,
    "reasoning_content": STRING.holds,
}


def _chat_message(message: Any) -> bool:
    if not isinstance(message, dict) or not isinstance(message.get("role"), str):
        return False
    for name, value in message.items():
        if value is not None and (holds := _CHAT_MESSAGE.get(name)) is not None and not holds(value):
            return False
    return True


def _anthropic_message(message: Any) -> bool:
    return (
        OBJECT.holds(message)
        and STRING.holds(message.get("role"))
        and _content(message.get("content"))
        and not any(part["type"] == "image_url" for part in message["content"] if isinstance(part, dict))
    )


def _function(tool: Any) -> bool:
    """A tool of /v1/chat/completions: a type, and for a function its name and the schema of its parameters."""
    if not TYPED.holds(tool) or tool["type"] != "function":
        return TYPED.holds(tool)
    function = tool.get("function")
    return (
        isinstance(function, dict)
        and STRING.holds(function.get("name"))
        and (function.get("parameters") is None or OBJECT.holds(function["parameters"]))
    )


def _messages(one: Callable[[Any], bool], words: str) -> FieldType:
    text = f"an array of at least one message, an object with a role and {words}"
    return FieldType(text, lambda value: isinstance(value, list) and bool(value) and all(map(one, value)))


MESSAGES = _messages(_chat_message, "a content that OpenAI's API knows")
ANTHROPIC_MESSAGES = _messages(_anthropic_message, "a content that Anthropic's API knows")
FUNCTIONS = FieldType(
    "an array of tools, objects with a type, and for a function its name",
    lambda value: isinstance(value, list) and all(map(_function, value)),
)
ANTHROPIC_TOOLS = FieldType(
    "an array of tools, objects with a name",
    lambda value: OBJECTS.holds(value) and all(STRING.holds(tool.get("name")) or TYPED.holds(tool) for tool in value),
)
CONTENT = FieldType("a string, or an array of parts with a type each", _content)
# What a caller may say to the cache of answers. `ttl` and `namespace` are the LanguageModel's to choose.
CACHE = FieldType(
    'an object of "no-cache" and "no-store", each true or false',
    lambda value: (
        isinstance(value, dict) and value.keys() <= {"no-cache", "no-store"} and all(map(BOOLEAN.holds, value.values()))
    ),
)
