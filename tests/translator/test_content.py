"""Parts of a request that LiteLLM would lose or fetch are refused before it sees them."""

from __future__ import annotations

from typing import Any

import pytest

pytest.importorskip("litellm")

from langop_model.translator.content import check_contents, check_messages
from langop_model.translator.deployment import deployment_of
from langop_model.translator.failures import RefusedRequestError

INSIDE = "http://169.254.169.254/latest/meta-data"
FETCHING = ("bedrock/anthropic.claude-3-5-sonnet-20240620-v1:0", "ollama/llava")
TEXT_ONLY = ("deepseek/deepseek-chat",)


def contents(**part: Any) -> list[dict[str, Any]]:
    """Return one turn in Gemini's format."""
    return [{"role": "user", "parts": [{"text": f"see {INSIDE}"}, part]}]


@pytest.mark.parametrize("model", FETCHING)
@pytest.mark.parametrize("address", [INSIDE, "https://example.com/a.png", "file:///etc/passwd", "FTP://example.com/a"])
@pytest.mark.parametrize("name", ["fileUri", "file_uri"])
@pytest.mark.parametrize("member", ["fileData", "file_data"])
def test_an_address_in_geminis_format_is_refused_where_it_would_be_fetched(member: str, name: str, address: str, model: str):
    part = {member: {name: address, "mimeType": "image/png"}}
    with pytest.raises(RefusedRequestError, match="send them as inlineData"):
        check_contents(contents(**part), deployment_of({"model": model}))


@pytest.mark.parametrize("model", FETCHING)
def test_an_address_in_a_message_is_refused_where_it_would_be_fetched(model: str):
    message = {"role": "user", "content": [{"type": "image_url", "image_url": {"url": INSIDE}}]}
    with pytest.raises(RefusedRequestError, match="send them as a data: URL"):
        check_messages([message], deployment_of({"model": model}))


@pytest.mark.parametrize("kind", ["file", "input_file", "document"])
def test_a_file_is_refused_where_it_would_vanish(kind: str):
    """On each route its part has another type."""
    part = {"type": kind, "source": {"data": "aGVsbG8="}}
    with pytest.raises(RefusedRequestError, match=f"type {kind} is not supported"):
        check_messages([{"role": "user", "content": [part]}], deployment_of({"model": "ollama_chat/m"}))
    part = {"type": kind, "file_url": "https://example.com/a.pdf"}
    with pytest.raises(RefusedRequestError, match="send them as a data: URL"):
        check_messages([{"role": "user", "content": [part]}], deployment_of({"model": "azure_ai/m"}))
    check_messages([{"role": "user", "content": [part]}], deployment_of({"model": "azure/m"}))


@pytest.mark.parametrize("model", FETCHING)
def test_bytes_in_geminis_format_pass(model: str):
    check_contents(contents(inlineData={"mimeType": "image/png", "data": "aGVsbG8="}), deployment_of({"model": model}))


@pytest.mark.parametrize("model", TEXT_ONLY)
@pytest.mark.parametrize("part", [{"inlineData": {"data": "aGVsbG8="}}, {"fileData": {"fileUri": "files/1"}}], ids=str)
def test_what_is_no_text_is_refused_where_it_would_vanish(part: dict[str, Any], model: str):
    with pytest.raises(RefusedRequestError, match="is not supported"):
        check_contents(contents(**part), deployment_of({"model": model}))


@pytest.mark.parametrize("model", ["gemini/gemini-2.5-flash", "vertex_ai/gemini-2.5-flash"])
def test_google_gets_its_own_files(model: str):
    part = {"fileData": {"fileUri": "https://generativelanguage.googleapis.com/v1beta/files/1"}}
    check_contents(contents(**part), deployment_of({"model": model}))


def test_one_turn_that_is_not_in_a_list_is_looked_at_too():
    turn = contents(fileData={"fileUri": INSIDE})[0]
    with pytest.raises(RefusedRequestError):
        check_contents(turn, deployment_of({"model": FETCHING[0]}))
