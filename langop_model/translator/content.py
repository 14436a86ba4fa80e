"""Parts of messages and tools that LiteLLM would lose, fetch or take for its own: refused by name before it sees them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from langop_model.translator.deployment import Deployment
from langop_model.translator.failures import RefusedRequestError

_TEXT = frozenset({"text", "input_text", "output_text", "refusal", "thinking", "redacted_thinking", "tool_result", "tool_use"})

# Providers whose messages LiteLLM makes plain text of: a part that is no text would vanish.
TEXT_ONLY = frozenset(
    {
        "a2a", "azure_text", "bytez", "custom", "deepseek", "docker_model_runner", "gigachat", "heroku", "langflow",
        "langgraph", "nlp_cloud", "petals", "predibase", "publicai", "replicate", "sagemaker", "sambanova",
        "text-completion-codestral",
        "text-completion-inception", "text-completion-openai", "triton",
    }
)  # fmt: skip
# Providers that take one message: the flows of Langflow keep a conversation themselves, and LiteLLM leaves out what was before.
ONE_MESSAGE = frozenset({"fal_ai", "langflow"})
# Providers for which it keeps pictures, but no sound.
WITHOUT_SOUND = frozenset(
    {"anthropic", "anthropic_text", "bedrock", "codestral", "fal_ai", "mistral", "oci", "ollama", "ollama_chat", "sap"}
)
# Providers whose models take no file, or to which LiteLLM does not hand it on.
WITHOUT_FILES = frozenset({"fal_ai", "fireworks_ai", "oci", "ollama", "ollama_chat", "sap"})
# Providers for which LiteLLM would download whatever a message refers to. For others it would download some addresses, and says
# that it may not (settings.BEFORE_IMPORT).
FETCHES = frozenset({"bedrock", "gemini", "ollama"})
LOSES_ADDRESSES_OF_FILES = frozenset({"azure_ai"})
_FILES = frozenset({"file", "input_file", "document"})
_WITHOUT = {"input_audio": WITHOUT_SOUND, **dict.fromkeys(_FILES, WITHOUT_FILES)}
GOOGLE = frozenset({"gemini", "vertex_ai", "vertex_ai_beta"})  # they speak Gemini's format themselves
_GEMINI_MEDIA = ("fileData", "file_data", "inlineData", "inline_data")
# Any scheme but data: an address of a scheme that LiteLLM does not know is one that it fails on.
_ADDRESS = re.compile(r"(?!data:)[a-z][a-z0-9+.-]*:/|file:", re.IGNORECASE)


def parts(messages: Any) -> Iterator[dict[str, Any]]:
    """Yield the parts of messages whose content is a list."""
    for message in messages if isinstance(messages, list) else []:
        inner = message.get("content") if isinstance(message, dict) else None
        for part in inner if isinstance(inner, list) else []:
            if isinstance(part, dict):
                yield part


def check_messages(messages: Any, deployment: Deployment) -> None:
    """Raise RefusedRequestError for a part that this provider's translation would lose or fetch."""
    if not isinstance(messages, list):
        raise RefusedRequestError("messages is not a list")
    if deployment.provider in ONE_MESSAGE and len(messages) > 1:
        raise RefusedRequestError("messages has more than one message, and this model's provider takes one")
    for part in parts(messages):
        kind = str(part.get("type", "text"))
        if kind in _TEXT:
            continue
        if deployment.provider in TEXT_ONLY or deployment.provider in _WITHOUT.get(kind, ()):
            raise RefusedRequestError(f"a part of the type {kind} is not supported by this model's provider")
        bytes_only = FETCHES | LOSES_ADDRESSES_OF_FILES if kind in _FILES else FETCHES
        if deployment.provider in bytes_only and (url := _remote(part)):
            raise RefusedRequestError(
                f"a part of the type {kind} refers to {url.partition(':')[0]}: this provider takes its bytes only; "
                "send them as a data: URL"
            )


def as_text(messages: Any, deployment: Deployment) -> Any:
    """Return messages with one text each, where LiteLLM makes one text of all of them and fails on parts of a text."""
    if deployment.provider not in TEXT_ONLY or not isinstance(messages, list):
        return messages
    return [
        {**message, "content": joined(message["content"], deployment)}
        if isinstance(message, dict) and "content" in message
        else message
        for message in messages
    ]


def joined(content: Any, deployment: Deployment) -> Any:
    """Return the parts of a text as one where that is needed; anything else as it is."""
    if deployment.provider not in TEXT_ONLY or not isinstance(content, list):
        return content
    if not all(isinstance(part, dict) and isinstance(part.get("text"), str) for part in content):
        return content
    return "".join(part["text"] for part in content)


def check_contents(contents: Any, deployment: Deployment) -> None:
    """Raise RefusedRequestError for a part of Gemini's format that this provider's translation would lose or fetch.

    Of Google's own providers, the messages that the parts become are looked at instead.
    """
    if deployment.provider in GOOGLE:
        return
    for part in _gemini_parts(contents):
        named = next((name for name in _GEMINI_MEDIA if part.get(name) is not None), None)
        if named is None:
            continue
        if deployment.provider in TEXT_ONLY:
            raise RefusedRequestError(f"a part with {named} is not supported by this model's provider")
        if deployment.provider in FETCHES and (url := _remote({named: part[named]})):
            raise RefusedRequestError(
                f"a part with {named} refers to {url.partition(':')[0]}: this provider takes its bytes only; "
                "send them as inlineData"
            )


def _gemini_parts(contents: Any) -> Iterator[dict[str, Any]]:
    """Yield the parts of contents in Gemini's format: a list of turns, or one turn."""
    for turn in contents if isinstance(contents, list) else [contents]:
        inner = turn.get("parts") if isinstance(turn, dict) else None
        for part in inner if isinstance(inner, list) else [inner]:
            if isinstance(part, dict):
                yield part


def _remote(part: dict[str, Any]) -> str:
    """Return the address that a part refers to, unless it holds its bytes."""
    for value in _texts(part):
        if _ADDRESS.match(value):
            return value
    return ""


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for name, inner in value.items():
            if name != "text":
                yield from _texts(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _texts(inner)


def check_tools(tools: Any) -> None:
    """Raise RefusedRequestError for tools that LiteLLM would serve by itself: its own MCP servers."""
    for tool in tools if isinstance(tools, list) else []:
        if isinstance(tool, dict) and str(tool.get("server_url", "")).lower().startswith("litellm"):
            raise RefusedRequestError("a tool of the type mcp with this server_url is not supported")
