"""What servers write when a question is too long for the model, or is refused for its content.

Most say it in words only, each in its own way. An entry is a pattern of the message, with the server that writes it.
tests/unit/gateway/upstreams/test_failure_causes.py has a body of each, with its source.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

# `error.code`, `error.type` and the like that say it alone. Compared in lower case.
CONTEXT_WINDOW_CODES = frozenset(
    {
        "context_length_exceeded",  # OpenAI, Azure, Groq, LM Studio and many others
        "exceed_context_size_error",  # llama.cpp
        "string_above_max_length",  # OpenAI: one text is longer than any context
    }
)
CONTENT_POLICY_CODES = frozenset(
    {
        "content_filter",  # Azure OpenAI
        "content_policy_violation",  # OpenAI's images
        "moderation_blocked",  # OpenAI's gpt-image
        "responsibleaipolicyviolation",  # Azure OpenAI's inner error
        "invalid_prompt",  # OpenAI: flagged as potentially violating the usage policy
        "data_inspection_failed",  # Alibaba's DashScope
        "datainspectionfailed",
        "sensitivecontentdetected",  # Volcengine
        "inputtextsensitivecontentdetected",
        "outputtextsensitivecontentdetected",
        "1301",  # Z.ai (Zhipu)
        "flagged_input",  # OpenRouter: a member of its error's metadata
    }
)

CONTEXT_WINDOW_TEXTS = {
    "OpenAI, old; vLLM; DeepSeek; SGLang": r"maximum context length",
    "OpenAI, new": r"exceeds the context window",
    "Groq": r"please reduce the length of the (?:messages|prompt|input)",
    "Mistral": r"too large for model with \d+",
    "xAI": r"maximum prompt length is \d+",
    "Fireworks; Anthropic; Bedrock": r"prompt is too long",
    "Anthropic, with its output": r"input length and `?max_tokens`? exceed context limit",
    "Bedrock": r"input is too long for requested model",
    "Gemini": r"input token count.{0,40} exceeds the maximum",
    "vLLM, new": r"longer than the maximum model length",
    "SGLang": r"longer than the model's context length",
    "Text Generation Inference; Together": r"(?:inputs?|`inputs`) ?tokens? (?:count )?(?:\(\d+\) )?\+ `?max_new_tokens`?",
    "Text Generation Inference, input alone": r"`inputs` must have less than \d+ tokens",
    "llama.cpp": r"exceeds? the available context size",
    "llama-cpp-python": r"exceed context window of \d+",
    "LM Studio": r"greater than the context length",
    "LM Studio, older": r"loaded with context length of only \d+",
    "LM Studio, newer": r"cannot truncate prompt with n_keep",
    "Ollama": r"(?:input|prompt)(?: length)? exceeds (?:the )?(?:maximum )?context length",
    "Moonshot": r"exceeded model token limit",
    "MiniMax": r"context window exceeds limit",
    "GitHub Copilot": r"prompt token count of \d+ exceeds the limit of \d+",
    "DashScope": r"range of input length should be \[",
}
CONTENT_POLICY_TEXTS = {
    "Azure OpenAI": r"content management policy",
    "OpenAI": r"potentially violating our usage policy",
    "OpenAI, images": r"rejected as a result of our safety system",
    "Anthropic": r"output blocked by content filtering policy",
    "Vertex": r"violates? google's responsible ai practices",
    "xAI": r"content violates usage guidelines",
    "DeepSeek": r"content exists risk",
    "DashScope": r"(?:may contain|contains?) inappropriate content|datainspectionfailed",
    "Moonshot": r"considered high risk",
    "Z.ai": r"不安全或敏感内容",
}


def any_of(texts: Mapping[str, str]) -> re.Pattern[str]:
    """Return what finds any of some patterns in a message, in upper or lower case, over several lines."""
    return re.compile("|".join(f"(?:{pattern})" for pattern in texts.values()), re.IGNORECASE | re.DOTALL)


_CONTEXT_WINDOW = any_of(CONTEXT_WINDOW_TEXTS)
_CONTENT_POLICY = any_of(CONTENT_POLICY_TEXTS)


def says_too_long(message: str) -> bool:
    """Whether a message says that the question does not fit into the model's context window."""
    return _CONTEXT_WINDOW.search(message) is not None


def says_content_refused(message: str) -> bool:
    """Whether a message says that the question or the answer is refused for its content."""
    return _CONTENT_POLICY.search(message) is not None
