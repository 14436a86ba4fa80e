"""Each protocol of clients with providers of other protocols: whole and streamed, whatever LiteLLM asks the provider in."""

from __future__ import annotations

from typing import Any

import pytest

from tests.live.laboratory import Laboratory, a_model, at

# What a specification says for all requests; `theirs` is a parameter that only the server knows.
CONFIGURATION: dict[str, Any] = {
    "temperature": 0.25,
    "maxTokens": 77,
    "stopSequences": ["END"],
    "frequencyPenalty": 0.5,
    "additionalParameters": {"seed": "4711", "theirs": "some", "custom_theirs": "other"},
}
MODELS = {
    "protocols-chat": a_model("protocols-chat", configuration=CONFIGURATION),
    "protocols-gemini": {"provider": "gemini", "modelName": "gemini-2.5-pro", "endpoint": at("protocols-gemini", "/v1beta")},
    "protocols-claude": {
        "provider": "bedrock",
        "modelName": "anthropic.claude-3-5-sonnet-20240620-v1:0",
        "endpoint": at("protocols-claude", ""),
        "region": "us-east-1",
    },
    "protocols-minimax": {"provider": "minimax", "modelName": "MiniMax-M2.1", "endpoint": at("protocols-minimax")},
    "protocols-deepseek": {"provider": "deepseek", "modelName": "deepseek-reasoner", "endpoint": at("protocols-deepseek")},
}
MESSAGES = [{"role": "user", "content": "Hello!"}]
CONTENTS = {"contents": [{"role": "user", "parts": [{"text": "Hello!"}]}]}
BODIES: dict[str, dict[str, Any]] = {
    "/v1/chat/completions": {"messages": MESSAGES},
    "/v1/responses": {"input": "Hello!"},
    "/v1/messages": {"messages": MESSAGES, "max_tokens": 9},
    "/v1beta/models/MODEL:generateContent": CONTENTS,
}


def served_as(model: str) -> str:
    return str(MODELS[model].get("modelName", model))


def answer(laboratory: Laboratory, model: str, path: str, *, stream: bool = False, **said: Any) -> str:
    """Return what the gateway answers to the route's body with what else is `said`, which must be a success."""
    body = {**BODIES[path], **said}
    if path.startswith("/v1beta"):
        path = path.replace("generateContent", "streamGenerateContent?alt=sse") if stream else path
    else:
        body = {**body, "model": served_as(model), "stream": stream}
    found = laboratory.post(path.replace("MODEL", served_as(model)), body)
    assert found.status_code == 200, found.text
    return found.text


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
@pytest.mark.parametrize("path", BODIES)
@pytest.mark.parametrize("model", MODELS)
def test_each_protocol_is_answered_by_each_provider(laboratory: Laboratory, model: str, path: str, stream: bool):
    text = answer(laboratory, model, path, stream=stream)
    assert "Hello" in text
    assert text.startswith(("data: ", "event: ")) is stream


def test_messages_are_asked_where_the_endpoint_is(laboratory: Laboratory):
    """LiteLLM asks MiniMax in Anthropic's protocol, at /v1/messages below an endpoint that may end in /v1."""
    before = len(laboratory.seen("protocols-minimax"))
    answer(laboratory, "protocols-minimax", "/v1/messages")
    assert [seen.path for seen in laboratory.seen("protocols-minimax")[before:]] == ["/v1/chat/completions"]


@pytest.mark.parametrize("path", BODIES)
def test_a_specifications_defaults_reach_a_server_whatever_the_protocol(laboratory: Laboratory, path: str):
    """The server speaks chat completions only: what that has a word for is sent."""
    answer(laboratory, "protocols-chat", path)
    asked = laboratory.seen("protocols-chat")[-1].body
    wanted = {
        "temperature": 0.25,
        "stop": ["END"],
        "frequency_penalty": 0.5,
        "seed": 4711,
        "theirs": "some",
        "custom_theirs": "other",
    }
    assert {name: asked.get(name) for name in wanted} == wanted
    assert asked["max_tokens"] == (9 if "max_tokens" in BODIES[path] else 77)


@pytest.mark.parametrize("path", BODIES)
def test_what_a_client_says_counts_more(laboratory: Laboratory, path: str):
    said: dict[str, Any] = {"temperature": 0.75}
    answer(laboratory, "protocols-chat", path, **({"generationConfig": said} if path.startswith("/v1beta") else said))
    assert laboratory.seen("protocols-chat")[-1].body["temperature"] == 0.75
