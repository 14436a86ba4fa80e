"""What changes an answer arrives at the provider or is refused by name, for every provider; nothing of a body is fetched."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

from langop_model.gateway.upstreams.base import Route, UpstreamError
from tests.wire.cases import CASES, Case
from tests.wire.deployments import asked
from tests.wire.wire import QUESTION, Wire

if TYPE_CHECKING:
    from langop_model.translator.failures import RefusedRequestError  # imports LiteLLM

TOOL = {
    "type": "function",
    "function": {"name": "marked_tool", "parameters": {"type": "object", "properties": {"where": {"type": "string"}}}},
}
PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg=="
SOUND = "UklGRiQAAABXQVZFZm10IBAAAAABAAEAESsAACJWAAACABAAZGF0YQAAAAA="
FILE = "JVBERi0xLjQKbWFya2Vk"
PICTURE_HOST = "pictures.example.com"


def with_part(part: dict[str, Any]) -> dict[str, Any]:
    return {"messages": [{"role": "user", "content": [{"type": "text", "text": QUESTION}, part]}]}


# What is asked for, beside a question, and what shows that it arrived.
KINDS: dict[str, tuple[dict[str, Any], str]] = {
    "tools": ({"tools": [TOOL]}, "marked_tool"),
    "picture": (with_part({"type": "image_url", "image_url": {"url": f"data:image/png;base64,{PIXEL}"}}), PIXEL),
    "picture by address": (
        with_part({"type": "image_url", "image_url": {"url": f"https://{PICTURE_HOST}/marked.png"}}),
        "marked.png",
    ),
    "picture by plain http": (
        with_part({"type": "image_url", "image_url": {"url": f"http://{PICTURE_HOST}/marked.png"}}),
        "marked.png",
    ),
    "picture of an unknown type": (
        with_part({"type": "image_url", "image_url": {"url": f"https://{PICTURE_HOST}/marked"}}),
        f"{PICTURE_HOST}/marked",
    ),
    "file by address": (
        with_part({"type": "file", "file": {"file_id": f"https://{PICTURE_HOST}/marked.pdf"}}),
        "marked.pdf",
    ),
    "file": (
        with_part({"type": "file", "file": {"filename": "marked.pdf", "file_data": f"data:application/pdf;base64,{FILE}"}}),
        FILE,
    ),
    "sound": (with_part({"type": "input_audio", "input_audio": {"data": SOUND, "format": "wav"}}), SOUND),
    "n": ({"n": 7391}, "7391"),
    "stop": ({"stop": ["marked-end"]}, "marked-end"),
    "limit": ({"max_tokens": 7391}, "7391"),
    "newer limit": ({"max_completion_tokens": 7391}, "7391"),
    "logprobs": ({"logprobs": True, "top_logprobs": 17}, "17"),
    "format": (
        {
            "response_format": {
                "type": "json_schema",
                "json_schema": {
                    "name": "marked",
                    "schema": {"type": "object", "properties": {"marked_member": {"type": "string"}}},
                },
            }
        },
        "marked_member",
    ),
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_what_changes_an_answer_arrives_or_is_refused(case: Case, kind: str, wire: Wire):
    body, mark = KINDS[kind]
    with asked(case, wire) as (deployed, _):
        wire.provider.clear()
        question = {"messages": [{"role": "user", "content": case.question or QUESTION}], **body}
        refusal = refused(lambda: wire.ask(deployed, Route.CHAT, question))
    if refusal is None:
        assert mark in json.dumps([seen.body for seen in wire.seen])
        return
    assert refusal.status == 400
    assert any(name in str(refusal) for name in (*body, "part of the type"))
    assert not [seen for seen in wire.seen if QUESTION in json.dumps(seen.body)]  # a token may have been asked for


def refused(asking: Callable[[], object]) -> RefusedRequestError | UpstreamError | None:
    """Return why a request was refused; None if it was answered."""
    from langop_model.translator.failures import RefusedRequestError

    try:
        asking()
    except (RefusedRequestError, UpstreamError) as refusal:
        return refusal
    return None
