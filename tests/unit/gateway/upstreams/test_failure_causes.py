"""Why an attempt failed: real error bodies, each with where it was seen."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import orjson
import pytest

from langop_model.contract.settings import Cause
from langop_model.gateway.upstreams import error_body, failure_causes, failure_texts
from langop_model.gateway.upstreams.base import CLIENT_ERROR


@dataclass(frozen=True)
class Seen:
    """An answer of a server, and where it was seen."""

    server: str
    status: int
    body: Any
    source: str


def _openai(message: str, **members: Any) -> dict[str, Any]:
    return {"error": {"message": message, "type": "invalid_request_error", "param": None, "code": None, **members}}


def _flat(message: str) -> dict[str, Any]:
    """As vLLM did until 0.10, and SGLang does."""
    return {"object": "error", "message": message, "type": "BadRequestError", "param": None, "code": 400}


TOO_LONG = [
    Seen(
        "OpenAI, by code",
        400,
        _openai("Please shorten it.", code="context_length_exceeded"),
        "https://github.com/Chanzhaoyu/chatgpt-web/issues/372",
    ),
    Seen(
        "OpenAI, old",
        400,
        _openai(
            "This model's maximum context length is 4097 tokens, however you requested 4226 tokens (3970 in your prompt; 256 "
            "for the completion)."
        ),
        "https://github.com/langchain-ai/langchain/issues/11001",
    ),
    Seen(
        "OpenAI, new",
        400,
        _openai("Your input exceeds the context window of this model. Please adjust your input and try again."),
        "https://github.com/james-6-23/codex2api/issues/415",
    ),
    Seen(
        "DeepSeek",
        400,
        _openai(
            "This model's maximum context length is 131072 tokens. However, you requested 131134 tokens (122942 in the "
            "messages, "
            "8192 in the completion).",
            code="invalid_request_error",
        ),
        "https://github.com/evalstate/fast-agent/issues/621",
    ),
    Seen(
        "Groq",
        400,
        _openai("Please reduce the length of the messages or completion.", param="messages"),
        "https://github.com/thepersonalaicompany/amurex-backend/issues/51",
    ),
    Seen(
        "Mistral",
        400,
        {
            "object": "error",
            "message": "Prompt contains 35000 tokens and 0 draft tokens, too large for model with 32768 maximum context length",
            "type": "invalid_request_prompt",
            "param": None,
            "code": "3051",
        },
        "https://github.com/badlogic/pi-mono/blob/main/packages/ai/src/utils/overflow.ts",
    ),
    Seen(
        "xAI",
        400,
        {
            "code": "Client specified an invalid argument",
            "error": "This model's maximum prompt length is 131072 but the request contains 136973 tokens.",
        },
        "https://github.com/cline/cline/issues/3120",
    ),
    Seen(
        "OpenRouter",
        400,
        {
            "error": {
                "message": "This endpoint's maximum context length is 32768 tokens. However, you requested about 42832 tokens "
                '(42832 of text input). Please reduce the length of either one, or use the "middle-out" transform to compress '
                "your prompt automatically.",
                "code": 400,
                "metadata": {"provider_name": None},
            }
        },
        "https://github.com/refly-ai/refly/issues/1177",
    ),
    Seen(
        "Fireworks",
        400,
        {
            "error": {
                "object": "error",
                "type": "invalid_request_error",
                "code": "invalid_request_error",
                "message": "The prompt is too long: 40177, model maximum context length: 32767",
            }
        },
        "https://github.com/fw-ai/cookbook/issues/134",
    ),
    Seen(
        "Together",
        422,
        _openai("Input validation error: `inputs` tokens + `max_new_tokens` must be <= 2048. Given: 2019 `inputs` tokens"),
        "https://github.com/stanford-crfm/helm/pull/2079",
    ),
    Seen(
        "vLLM, old",
        400,
        _flat(
            "This model's maximum context length is 6048 tokens. However, you requested 6616 tokens (568 in the messages, 6048 "
            "in "
            "the completion). Please reduce the length of the messages or completion."
        ),
        "https://github.com/ogx-ai/ogx/issues/4534",
    ),
    Seen(
        "vLLM, new",
        400,
        {
            "error": {
                "message": "This model's maximum context length is 262144 tokens. However, you requested 128000 output tokens "
                "and "
                "your prompt contains at least 134145 input tokens. (parameter=input_tokens, value=134145)",
                "type": "BadRequestError",
                "param": "input_tokens",
                "code": 400,
            }
        },
        "https://github.com/AIDotNet/OpenCowork/issues/82",
    ),
    Seen(
        "SGLang",
        400,
        _flat("The input (61709 tokens) is longer than the model's context length (40960 tokens)."),
        "https://github.com/QwenLM/Qwen3/issues/1321",
    ),
    Seen(
        "Text Generation Inference",
        422,
        {
            "error": "Input validation error: `inputs` tokens + `max_new_tokens` must be <= 1512. Given: 1000 `inputs` "
            "tokens and "
            "1024 `max_new_tokens`",
            "error_type": "validation",
        },
        "https://github.com/huggingface/chat-ui/issues/340",
    ),
    Seen(
        "Text Generation Inference, input alone",
        422,
        {"error": "Input validation error: `inputs` must have less than 1024 tokens. Given: 1872", "error_type": "validation"},
        "https://github.com/huggingface/text-generation-inference/issues/937",
    ),
    Seen(
        "llama.cpp, by type",
        400,
        {
            "error": {
                "code": 400,
                "message": "too long",
                "type": "exceed_context_size_error",
                "n_prompt_tokens": 1407,
                "n_ctx": 256,
            }
        },
        "https://github.com/ggml-org/llama.cpp/pull/15780",
    ),
    Seen(
        "llama.cpp, older, with status 500",
        500,
        {
            "error": {
                "code": 500,
                "message": "the request exceeds the available context size.",
                "type": "server_error",
            }
        },
        "https://github.com/ikawrakow/ik_llama.cpp/pull/2420",
    ),
    Seen(
        "llama-cpp-python",
        400,
        _openai("Requested tokens (2285) exceed context window of 2048"),
        "https://github.com/fedora-copr/logdetective-website/pull/193",
    ),
    Seen(
        "LM Studio",
        400,
        {
            "error": "Trying to keep the first 10136 tokens when context the overflows. However, the model is loaded with "
            "context "
            "length of only 7866 tokens, which is not enough."
        },
        "https://github.com/cline/cline/issues/3664",
    ),
    Seen(
        "LM Studio, newer",
        400,
        {
            "error": "The number of tokens to keep from the initial prompt is greater than the context length. Try to load the "
            "model with a larger context length, or provide a shorter input"
        },
        "https://github.com/lmstudio-ai/lmstudio-bug-tracker/issues/2205",
    ),
    Seen(
        "LM Studio, n_keep",
        400,
        {"error": "Cannot truncate prompt with n_keep (15028) >= n_ctx (7424)"},
        "https://github.com/anomalyco/opencode/issues/11141",
    ),
    Seen(
        "Ollama",
        500,
        {"error": {"message": "input exceeds context length", "type": "api_error", "param": None, "code": None}},
        "https://github.com/ITSpecialist111/ai_automation_suggester/issues/37",
    ),
    Seen(
        "Anthropic",
        400,
        {
            "type": "error",
            "error": {"type": "invalid_request_error", "message": "prompt is too long: 202095 tokens > 200000 maximum"},
        },
        "https://github.com/stackblitz/bolt.new/issues/2449",
    ),
    Seen(
        "Anthropic, with its output",
        400,
        {
            "type": "error",
            "error": {
                "type": "invalid_request_error",
                "message": "input length and `max_tokens` exceed context limit: 199759 + 8192 > 200000",
            },
        },
        "https://github.com/continuedev/continue/issues/6080",
    ),
    Seen(
        "Gemini",
        400,
        {
            "error": {
                "code": 400,
                "message": "The input token count (1200293) exceeds the maximum number of tokens allowed (1048576).",
                "status": "INVALID_ARGUMENT",
            }
        },
        "https://github.com/google-gemini/gemini-cli/issues/6678",
    ),
    Seen(
        "Bedrock",
        400,
        {"message": "Input is too long for requested model."},
        "https://github.com/badlogic/pi-mono/blob/main/packages/ai/src/utils/overflow.ts",
    ),
    Seen(
        "Moonshot",
        400,
        _openai("Invalid request: Your request exceeded model token limit: 131072 (requested: 140000)"),
        "https://github.com/badlogic/pi-mono/blob/main/packages/ai/src/utils/overflow.ts",
    ),
    Seen(
        "GitHub Copilot",
        400,
        _openai("prompt token count of 140000 exceeds the limit of 128000"),
        "https://github.com/badlogic/pi-mono/blob/main/packages/ai/src/utils/overflow.ts",
    ),
    Seen(
        "vLLM, pictures included",
        400,
        _flat("The decoder prompt (length 21535) is longer than the maximum model length of 16384."),
        "https://github.com/xorbitsai/inference/issues/3785",
    ),
    Seen(
        "DashScope",
        400,
        _openai("<400> InternalError.Algo.InvalidParameter: Range of input length should be [1, 204800]"),
        "https://github.com/QwenLM/qwen-code/issues/98",
    ),
    Seen(
        "MiniMax",
        400,
        {
            "type": "error",
            "error": {"type": "bad_request_error", "message": "invalid params, context window exceeds limit (2013)"},
        },
        "https://github.com/badlogic/pi-mono/blob/main/packages/ai/src/utils/overflow.ts",
    ),
]

REFUSED = [
    Seen(
        "Azure OpenAI, by code",
        400,
        _openai("refused", code="content_filter", innererror={"code": "ResponsibleAIPolicyViolation"}),
        "https://github.com/vibrantlabsai/ragas/issues/649",
    ),
    Seen(
        "Azure OpenAI, by inner error",
        400,
        _openai("refused", innererror={"code": "ResponsibleAIPolicyViolation"}),
        "https://github.com/simonw/research/issues/16",
    ),
    Seen(
        "Azure OpenAI, by its text",
        400,
        _openai(
            "The response was filtered due to the prompt triggering Azure OpenAI's content management policy. Please modify "
            "your "
            "prompt and retry."
        ),
        "https://github.com/openai/openai-python/issues/331",
    ),
    Seen(
        "OpenAI",
        400,
        _openai(
            "Invalid prompt: your prompt was flagged as potentially violating our usage policy. Please try again with a "
            "different "
            "prompt: https://platform.openai.com/docs/guides/reasoning#advice-on-prompting"
        ),
        "https://github.com/lobehub/lobehub/issues/5554",
    ),
    Seen(
        "Anthropic",
        400,
        {"type": "error", "error": {"type": "invalid_request_error", "message": "Output blocked by content filtering policy"}},
        "https://github.com/anthropics/claude-code/issues/6195",
    ),
    Seen(
        "DeepSeek",
        400,
        _openai("Content Exists Risk", code="invalid_request_error"),
        "https://github.com/666ghj/BettaFish/issues/108",
    ),
    Seen(
        "DeepSeek, with FastAPI's body",
        400,
        {"detail": "Content Exists Risk"},
        "https://github.com/deepseek-ai/DeepSeek-V2/issues/30",
    ),
    Seen(
        "DashScope, by code",
        400,
        {"error": {"code": "data_inspection_failed", "param": None, "message": "no", "type": "data_inspection_failed"}},
        "https://github.com/camel-ai/owl/issues/432",
    ),
    Seen(
        "DashScope, by its text",
        400,
        _openai("<400> InternalError.Algo.DataInspectionFailed: Input text data may contain inappropriate content."),
        "https://github.com/QwenLM/qwen-code/issues/2905",
    ),
    Seen(
        "Moonshot, by type",
        400,
        _openai("The request was rejected because it was considered high risk", type="content_filter", code=400),
        "https://github.com/MoonshotAI/kimi-cli/issues/1002",
    ),
    Seen(
        "Moonshot, by its text",
        400,
        _openai("The request was rejected because it was considered high risk"),
        "https://github.com/MoonshotAI/kimi-code/issues/242",
    ),
    Seen(
        "xAI",
        403,
        {
            "code": "The caller does not have permission to execute the specified operation",
            "error": "Content violates usage guidelines. Model: grok-4-0709, Failed check: SAFETY_CHECK_TYPE_BIO",
        },
        "https://github.com/UKGovernmentBEIS/inspect_ai/pull/2267",
    ),
    Seen(
        "OpenRouter",
        403,
        {"error": {"code": 403, "message": "no", "metadata": {"reasons": ["violence"], "flagged_input": "…"}}},
        "https://openrouter.ai/docs/api-reference/errors",
    ),
    Seen(
        "Z.ai, by code",
        400,
        {"error": {"code": "1301", "message": "no"}},
        "https://github.com/langchain4j/langchain4j/issues/1079",
    ),
    Seen(
        "Z.ai, by its text",
        400,
        {"error": {"message": "系统检测到输入或生成内容可能包含不安全或敏感内容"}},
        "https://github.com/zai-org/feedback/issues/516",
    ),
    Seen(
        "OpenAI, images",
        400,
        _openai("Your request was rejected as a result of our safety system. Image descriptions may contain text."),
        "https://github.com/TheoKanning/openai-java/issues/446",
    ),
    Seen(
        "Vertex",
        400,
        {
            "error": {
                "code": 400,
                "message": "The prompt could not be submitted. This prompt contains sensitive words that violate Google's "
                "Responsible AI practices.",
                "status": "INVALID_ARGUMENT",
            }
        },
        "https://github.com/HKUDS/ViMax/issues/20",
    ),
]


def cause(status: int, body: Any) -> str:
    return failure_causes.cause_of(status, error_body.details_of(orjson.dumps(body)))


def name(seen: Seen) -> str:
    return seen.server


@pytest.mark.parametrize("seen", TOO_LONG, ids=name)
def test_a_question_that_is_too_long(seen: Seen):
    assert cause(seen.status, seen.body) == Cause.CONTEXT_WINDOW


@pytest.mark.parametrize("seen", REFUSED, ids=name)
def test_refused_content(seen: Seen):
    assert cause(seen.status, seen.body) == Cause.CONTENT_POLICY


@pytest.mark.parametrize("seen", [*TOO_LONG, *REFUSED], ids=name)
def test_the_same_within_an_answer_is_the_clients_error_too(seen: Seen):
    details = error_body.details_of(orjson.dumps(seen.body))
    status = failure_causes.status_within_answer(details)
    assert failure_causes.cause_of(status, details) in (Cause.CONTEXT_WINDOW, Cause.CONTENT_POLICY)


@pytest.mark.parametrize("seen", [*TOO_LONG, *REFUSED], ids=name)
def test_the_translator_says_the_same(seen: Seen):
    assert failure_causes.classify(seen.status, orjson.dumps(seen.body)) == cause(seen.status, seen.body)


@pytest.mark.parametrize(
    ("status", "message", "expected"),
    [
        (429, "Rate limit reached for gpt-4o in organization on tokens per min (TPM): Limit 30000", Cause.RATE_LIMIT),
        (429, "This request would exceed the rate limit of 40,000 input tokens per minute", Cause.RATE_LIMIT),
        (400, "context_management: Extra inputs are not permitted", CLIENT_ERROR),
        (400, "Invalid value for 'context': expected an object", CLIENT_ERROR),
        (400, "max_tokens must be at least 1", CLIENT_ERROR),
        (400, "stop_sequences: too many values", CLIENT_ERROR),
        (400, "retention policy of this project does not allow store", CLIENT_ERROR),
        (403, "the policy of your organization does not allow this model", CLIENT_ERROR),
        (401, "Output blocked by content filtering policy", CLIENT_ERROR),
        (404, "maximum context length", CLIENT_ERROR),
        (500, "The server had an error while processing your request", Cause.SERVER_ERROR),
        (504, "the context window of the gateway has timed out", Cause.TIMEOUT),
        (413, "Request Entity Too Large", CLIENT_ERROR),
    ],
)
def test_other_errors_have_other_causes(status: int, message: str, expected: str):
    assert cause(status, _openai(message, type=None)) == expected


def test_a_used_up_quota_is_a_rate_limit():
    assert cause(429, _openai("You exceeded your current quota", type="insufficient_quota")) == Cause.RATE_LIMIT
    assert cause(403, _openai("You exceeded your current quota", code="insufficient_quota")) == Cause.RATE_LIMIT


@pytest.mark.parametrize(
    ("error", "status"),
    [
        ({"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}, 529),
        ({"type": "error", "error": {"type": "rate_limit_error", "message": "slow down"}}, 429),
        ({"error": {"message": "bad", "type": "BadRequestError", "code": 400}}, 400),
        ({"error": {"message": "bad", "type": "invalid_request_error"}}, 400),
        ({"error": {"message": "slow down", "code": "rate_limit_exceeded"}}, 429),
        ({"error": {"message": "upstream", "code": 503}}, 503),
        ({"error": {"message": "busy", "code": 1234}}, 502),
        *(
            ({"error": {"message": "no", "code": code}}, status)
            for code, status in ((399, 502), (400, 400), (599, 599), (600, 502))
        ),
        ({"error": {"message": "the prompt is too long"}}, 400),
        ({"error": {"message": "rejected as a result of our safety system"}}, 400),
        ({"error": "broken"}, 502),
        ({"type": "response.failed", "response": {"error": {"code": "rate_limit_exceeded", "message": "slow down"}}}, 429),
        ({"type": "response.failed", "response": {"error": {"code": "server_error", "message": "sorry"}}}, 500),
    ],
)
def test_an_error_within_an_answer_has_the_status_that_it_says(error: dict[str, Any], status: int):
    assert failure_causes.status_within_answer(error_body.of(error)) == status


@pytest.mark.parametrize(
    ("status", "body", "expected"),
    [
        (400, b"the prompt is too long", Cause.CONTEXT_WINDOW),
        (400, b"\xff the prompt is too long", Cause.CONTEXT_WINDOW),
        (400, b"<html>Bad Request</html>", CLIENT_ERROR),
        (503, b"<html>Service Unavailable</html>", Cause.SERVER_ERROR),
        (429, b"", Cause.RATE_LIMIT),
    ],
)
def test_an_error_that_is_no_json_has_the_cause_that_its_text_says(status: int, body: bytes, expected: str):
    assert failure_causes.classify(status, body) == expected


def test_a_text_is_found_in_any_case_and_over_lines():
    pattern = failure_texts.any_of({"one": "too.long", "two": "refused"})
    assert [bool(pattern.search(text)) for text in ("it is TOO\nlong", "Refused", "fine", "too")] == [True, True, False, False]


def test_no_text_of_one_cause_is_one_of_the_other():
    for seen in TOO_LONG:
        assert not failure_texts.says_content_refused(error_body.details_of(orjson.dumps(seen.body)).message), seen.server
    for seen in REFUSED:
        assert not failure_texts.says_too_long(error_body.details_of(orjson.dumps(seen.body)).message), seen.server


@pytest.mark.parametrize(
    ("texts", "cases"),
    [(failure_texts.CONTEXT_WINDOW_TEXTS, TOO_LONG), (failure_texts.CONTENT_POLICY_TEXTS, REFUSED)],
    ids=["context_window", "content_policy"],
)
def test_each_text_has_a_case(texts: dict[str, str], cases: list[Seen]):
    messages = [error_body.details_of(orjson.dumps(seen.body)).message for seen in cases]
    unproven = [name for name, text in texts.items() if not any(re.search(text, each, re.IGNORECASE) for each in messages)]
    assert unproven == []
