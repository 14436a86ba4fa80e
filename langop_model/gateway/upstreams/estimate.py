"""An approximate count of tokens, where a provider reports none: limits and metrics count it, marked as estimated.

A token is taken as four bytes of UTF-8. OpenAI and Google give four characters of English for a token
(https://help.openai.com/en/articles/4936856, https://ai.google.dev/gemini-api/docs/tokens); in bytes a Chinese or Japanese
character, three bytes, is about a token, as it is with today's tokenizers.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson

from langop_model.gateway.upstreams.base import Route, Usage

BYTES_PER_TOKEN = 4
# A picture of 1024 x 1024 in high detail, and any in low detail, for GPT-4o:
# https://platform.openai.com/docs/guides/images-vision
IMAGE_TOKENS, LOW_DETAIL_IMAGE_TOKENS = 765, 85
# Gemini counts 32 tokens for a second of audio (https://ai.google.dev/gemini-api/docs/tokens), and a second of MP3 at
# 128 kbit/s has 16,000 bytes, in base64 a third more.
AUDIO_BYTES_PER_TOKEN = 500
BASE64 = 4 / 3
# Anthropic counts 1,500 to 3,000 tokens for a page: https://docs.claude.com/en/docs/build-with-claude/pdf-support
DOCUMENT_TOKENS = 1500
MESSAGE_TOKENS = 4  # role and separators of a message, as OpenAI's cookbook counts them
DEPTH = 32  # deeper nesting is not counted

QUESTION = frozenset(
    {"messages", "prompt", "input", "contents", "system", "systemInstruction", "system_instruction", "instructions"}
    | {"tools", "query", "documents", "suffix", "functions"}
)
# Members of an answer that hold what a model wrote, in any of the protocols.
WRITTEN = frozenset(
    {"content", "text", "refusal", "reasoning", "reasoning_content", "thinking", "arguments", "partial_json", "delta"}
    | {"transcript", "partialArgs"}
)
SKIPPED = frozenset({"usage", "usageMetadata", "id", "object", "model", "type", "role", "logprobs", "obfuscation", "signature"})
PICTURES = frozenset({"image_url", "image", "input_image"})
DOCUMENTS = frozenset({"file", "document", "input_file"})


def estimated(question: int, answer: int) -> Usage:
    """Return a usage that says it is estimated."""
    return Usage(input_tokens=question, output_tokens=answer, estimated=True)


def question_tokens(body: Mapping[str, Any], files: int = 0) -> int:
    """Return about how many tokens a request's body asks; `files` is the number of bytes of its uploads."""
    tokens = sum(_asked(value, 0) for name, value in body.items() if name in QUESTION)
    return round(tokens + files / AUDIO_BYTES_PER_TOKEN)


def answer_tokens(route: Route, body: Mapping[str, Any]) -> int:
    """Return about how many tokens an answer holds. Vectors, verdicts and pictures have none."""
    if route in (Route.EMBEDDINGS, Route.MODERATIONS, Route.RERANK, Route.IMAGES, Route.IMAGE_EDITS, Route.COUNT_TOKENS):
        return 0
    return -(-written_bytes(body) // BYTES_PER_TOKEN)


def written_bytes(node: Any, depth: int = 0) -> int:
    """Return the bytes of text that a model wrote, in an answer or in one event of a stream."""
    if depth > DEPTH:
        return 0
    if isinstance(node, list):
        return sum(written_bytes(each, depth + 1) for each in node)
    if not isinstance(node, dict):
        return 0
    total = 0
    for name, value in node.items():
        if isinstance(value, str):
            total += len(value.encode(errors="replace")) if name in WRITTEN else 0
        elif name == "args" or (name == "input" and isinstance(value, dict)):
            total += len(orjson.dumps(value))  # a tool's arguments, in Gemini's and Anthropic's form
        elif name not in SKIPPED:
            total += written_bytes(value, depth + 1)
    return total


def _asked(node: Any, depth: int) -> float:
    """Return the tokens of a part of a question: its texts, and fixed amounts for what is no text."""
    if depth > DEPTH:
        return 0.0
    if isinstance(node, str):
        return len(node.encode(errors="replace")) / BYTES_PER_TOKEN
    if isinstance(node, list):
        if node and type(node[0]) is int:
            return len(node)  # a question in tokens
        return sum(_asked(each, depth + 1) for each in node)
    return _asked_object(node, depth) if isinstance(node, dict) else 0.0


def _asked_object(node: dict[str, Any], depth: int) -> float:
    media = _media(node)
    if media is not None:
        return media
    tokens = float(MESSAGE_TOKENS) if "role" in node else 0.0
    for name, value in node.items():
        if name not in ("role", "type", "id", "cache_control", "signature"):
            tokens += _asked(value, depth + 1)
    return tokens


def _media(part: Mapping[str, Any]) -> float | None:
    """Return the tokens of a part that is a picture, a sound or a document; None for any other."""
    kind = part.get("type")
    if kind in PICTURES:
        image = part.get("image_url")
        detail = image.get("detail") if isinstance(image, dict) else part.get("detail")
        return LOW_DETAIL_IMAGE_TOKENS if detail == "low" else IMAGE_TOKENS
    if kind == "input_audio":
        return _audio(part.get("input_audio"))
    if kind in DOCUMENTS:
        return DOCUMENT_TOKENS
    inline = part.get("inlineData") or part.get("inline_data") or part.get("fileData") or part.get("file_data")
    if not isinstance(inline, dict):
        return None
    media = str(inline.get("mimeType") or inline.get("mime_type") or "")
    if media.startswith("audio/"):
        return _audio(inline)
    return IMAGE_TOKENS if media.startswith("image/") else DOCUMENT_TOKENS


def _audio(part: Any) -> float:
    data = part.get("data") if isinstance(part, dict) else None
    return len(data) / BASE64 / AUDIO_BYTES_PER_TOKEN if isinstance(data, str) else 0.0
