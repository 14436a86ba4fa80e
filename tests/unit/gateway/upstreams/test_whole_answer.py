"""What whole answers have used, from their bytes."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest

from langop_model.gateway.upstreams import whole_answer
from langop_model.gateway.upstreams.base import Answer, File, Route, UpstreamRequest, Usage
from langop_model.gateway.upstreams.stream_usage import StreamUsage
from langop_model.gateway.upstreams.whole_answer import LARGE, used


def asked(route: Route = Route.CHAT, *files: File, **body: Any) -> UpstreamRequest:
    return UpstreamRequest(route, "m", body, files=files)


def answer(**body: Any) -> bytes:
    return json.dumps(body).encode()


QUESTION: dict[str, Any] = {"messages": [{"role": "user", "content": "x" * 40}]}


def test_what_the_provider_reports_counts():
    body = answer(choices=[], usage={"prompt_tokens": 3, "completion_tokens": 4, "total_tokens": 7})
    assert used(asked(**QUESTION), body) == Usage(3, 4)


@pytest.mark.parametrize("usage", [None, {"prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 0}])
def test_what_no_provider_reports_is_estimated(usage: Any):
    body = answer(choices=[{"message": {"content": "y" * 20}}], usage=usage)
    assert used(asked(**QUESTION), body) == Usage(14, 5, estimated=True)


@pytest.mark.parametrize("body", [b"", b"<html>", b"[1]", b"null"])
def test_an_answer_that_is_no_object_has_a_question(body: bytes):
    assert used(asked(**QUESTION), body) == Usage(14, 0, estimated=True)


ZEROS = Usage()


@pytest.mark.parametrize("reported", [None, ZEROS])
def test_an_answer_whose_provider_reports_nothing_is_estimated(reported: Usage | None):
    body = answer(choices=[{"message": {"content": "y" * 20}}])
    assert whole_answer.of(asked(**QUESTION), Answer(body=body, usage=reported)) == Usage(14, 5, estimated=True)


def test_what_the_upstream_has_read_counts():
    assert whole_answer.of(asked(**QUESTION), Answer(body=answer(choices=[]), usage=Usage(3, 4))) == Usage(3, 4)


def test_a_stream_that_reports_nothing_is_estimated_by_what_it_holds():
    account = StreamUsage(Route.CHAT)
    account.feed(b'data: {"choices":[{"delta":{"content":"four"}}]}\n\n')
    assert whole_answer.of(asked(**QUESTION), Answer(account=account)).output_tokens == pytest.approx(1, abs=1)
    account.feed(b'data: {"choices":[],"usage":{"prompt_tokens":3,"completion_tokens":4}}\n\n')
    assert whole_answer.of(asked(**QUESTION), Answer(account=account)) == Usage(3, 4)


@pytest.mark.parametrize(
    ("route", "body", "usage"),
    [
        (Route.EMBEDDINGS, answer(data=[{"embedding": [0.25] * 1000}]), Usage(10, 0, estimated=True)),
        (Route.TRANSCRIPTIONS, answer(text="hello", duration=9), Usage(seconds=9.0)),
        (Route.IMAGES, answer(data=[{"b64_json": "aGVsbG8="}] * 2), Usage(images=2)),
        (Route.RERANK, answer(results=[]), Usage(queries=1)),
    ],
)
def test_a_translated_answer_has_the_units_of_its_route(route: Route, body: bytes, usage: Usage):
    assert whole_answer.of(asked(route, input="x" * 40), Answer(body=body)) == usage


def test_speech_that_comes_in_parts_has_characters_too():
    async def parts() -> AsyncIterator[bytes]:
        yield b"\xff\xf3"

    usage = whole_answer.of(asked(Route.SPEECH, input="x" * 40), Answer(events=parts(), is_binary=True))
    assert usage == Usage(10, 0, characters=40, estimated=True)


def test_speech_has_characters():
    assert used(asked(Route.SPEECH, input="x" * 40), b"\xff\xf3") == Usage(10, 0, characters=40, estimated=True)


def test_an_upload_is_part_of_the_question():
    file = File("file", "a.mp3", "audio/mpeg", b"x" * 5000)
    assert used(asked(Route.TRANSCRIPTIONS, file), b"some words, in plain text") == Usage(10, 6, estimated=True)


def test_a_count_of_tokens_uses_none():
    assert used(asked(Route.COUNT_TOKENS, **QUESTION), answer(input_tokens=14)) == Usage()


@pytest.mark.parametrize("spaces", [None, (",", ":")])
def test_of_long_vectors_only_the_usage_is_parsed(monkeypatch: pytest.MonkeyPatch, spaces: Any):
    monkeypatch.setattr(whole_answer, "_parsed", None)
    body = {"data": [{"embedding": [0.1] * LARGE}], "usage": {"prompt_tokens": 8, "total_tokens": 8}}
    assert used(asked(Route.EMBEDDINGS, input="x"), json.dumps(body, separators=spaces).encode()) == Usage(8)


def test_of_long_pictures_the_number_is_known():
    body = answer(data=[{"b64_json": "x" * LARGE, "revised_prompt": 'a "usage"'}, {"b64_json": "y"}])
    assert used(asked(Route.IMAGES, prompt="x"), body) == Usage(images=2)
