"""Which requests are equal."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from langop_model.contract.settings import Upstream
from langop_model.gateway.caching.keys import CacheControl, CacheKeys
from langop_model.gateway.upstreams.base import File, Route, UpstreamRequest
from tests.unit.gateway.caching.requests import group, request

KEYS = CacheKeys(group())


def key(request: UpstreamRequest) -> str:
    found = KEYS.key(request)
    assert found is not None
    return found


def test_the_order_of_members_makes_no_difference():
    one = request(temperature=1, tools=[{"type": "function", "function": {"name": "f", "parameters": {}}}])
    other = dataclasses.replace(one, body=_reversed(one.body))
    assert list(other.body) != list(one.body)
    assert key(one) == key(other)


def test_a_whole_number_is_the_same_however_it_is_written():
    assert key(request(temperature=1.0, thinking={"budget": 2e3})) == key(request(temperature=1, thinking={"budget": 2000}))


@pytest.mark.parametrize("other", [True, 1.5, "1", [1.0], 2.0**53 + 2, float("1e300")])
def test_another_value_is_another_request(other: Any):
    assert key(request(seed=other)) != key(request(seed=1))


def _reversed(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _reversed(value[name]) for name in reversed(value)}
    return [_reversed(each) for each in value] if isinstance(value, list) else value


def test_the_order_of_messages_makes_a_difference():
    first, second = {"role": "user", "content": "a"}, {"role": "user", "content": "b"}
    assert key(request(messages=[first, second])) != key(request(messages=[second, first]))


@pytest.mark.parametrize(
    "other",
    [
        request(temperature=0.5),
        request(user="somebody"),
        request(stream=True),
        request(guided_json={"type": "object"}),
        request(stream=True, stream_options={"include_usage": True}),
        request(Route.COMPLETIONS),
        dataclasses.replace(request(), model="another"),
        dataclasses.replace(request(), shown_model="an alias"),
        dataclasses.replace(request(), strips_usage=True),
        dataclasses.replace(request(), headers={"anthropic-beta": "new"}),
        dataclasses.replace(request(), files=(File("file", "a.wav", "audio/wav", b"sound"),)),
    ],
)
def test_whatever_changes_the_answer_is_part_of_the_key(other: UpstreamRequest):
    assert key(other) != key(request())


def test_another_file_is_another_request():
    files = [File("file", "a.wav", "audio/wav", content) for content in (b"one", b"two")]
    assert len({key(dataclasses.replace(request(Route.TRANSCRIPTIONS), files=(file,))) for file in files}) == 2


@pytest.mark.parametrize(
    "same",
    [request(cache={"no-cache": False}), dataclasses.replace(request(), agent="somebody", headers={"traceparent": "00-1"})],
)
def test_what_says_nothing_to_the_provider_is_no_part_of_the_key(same: UpstreamRequest):
    assert key(same) == key(request())


@pytest.mark.parametrize(
    "other",
    [
        CacheKeys(group("other", resource="m")),
        CacheKeys(group(resource="other")),
        CacheKeys(group(namespace="elsewhere")),
        CacheKeys(group(defaults={"temperature": 1})),
        CacheKeys(group(upstream=Upstream("gpt-5"))),
        CacheKeys(group(), revision="2"),
    ],
)
def test_another_model_or_configuration_has_other_keys(other: CacheKeys):
    assert other.key(request()) != key(request())


def test_a_key_names_its_model():
    """A cluster keeps all of a model in one slot."""
    assert key(request()).startswith("langop:{default/m}:answer:")


@pytest.mark.parametrize("route", [Route.IMAGES, Route.IMAGE_EDITS, Route.SPEECH])
def test_images_and_speech_are_not_cached(route: Route):
    assert KEYS.key(request(route)) is None


def test_an_answer_in_the_background_is_not_cached():
    assert KEYS.key(request(Route.RESPONSES, background=True)) is None


def test_a_client_may_refuse_an_answer_from_the_cache_or_that_it_is_kept():
    assert CacheControl.of({"cache": {"no-cache": True}}) == CacheControl(no_cache=True)
    assert CacheControl.of({"cache": {"no-store": True, "no-cache": False}}) == CacheControl(no_store=True)
    assert CacheControl.of({}) == CacheControl()
