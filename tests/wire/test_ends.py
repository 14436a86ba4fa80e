"""Why an answer has ended and what it used, in each provider's own words: a limit is `length`, and no usage is an estimate."""

from __future__ import annotations

import json

import pytest

from langop_model.gateway.upstreams.base import Route
from tests.wire.deployments import MESSAGE, answering
from tests.wire.wire import Wire
from tests.wire.words import ASKED, USED, WORDS, Said

TEXTS = ("Par", "is")
SAID = Said(TEXTS, is_cut=True)


@pytest.mark.parametrize("name", WORDS)
def test_a_whole_answer(name: str, wire: Wire):
    with answering(name, wire, WORDS[name](SAID).whole) as deployed:
        said = wire.ask(deployed, Route.CHAT, MESSAGE)
    (choice,) = said["choices"]
    assert (choice["message"]["content"], choice["finish_reason"]) == ("".join(TEXTS), "length")
    assert (said["usage"]["prompt_tokens"], said["usage"]["completion_tokens"]) == (ASKED, USED)


@pytest.mark.parametrize("name", WORDS)
def test_a_stream(name: str, wire: Wire):
    with answering(name, wire, WORDS[name](SAID).stream) as deployed:
        question = {**MESSAGE, "stream_options": {"include_usage": True}}
        parts = [json.loads(each.removeprefix(b"data: ")) for each in wire.stream(deployed, Route.CHAT, question)[:-1]]
    choices = [choice for part in parts for choice in part["choices"]]
    assert [text for choice in choices if (text := choice["delta"].get("content"))] == list(TEXTS)
    assert [choice["finish_reason"] for choice in choices if choice.get("finish_reason")] == ["length"]
    (usage,) = [part["usage"] for part in parts if part.get("usage")]
    assert (usage["prompt_tokens"], usage["completion_tokens"]) == (ASKED, USED)
