"""spec.rateLimits: what reaches the providers, what waits, and what is refused."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import wait
from contextlib import suppress
from typing import Any

import httpx
import pytest

from tests.live.laboratory import (
    NOBODY,
    Laboratory,
    a_model,
    at,
    balanced,
    most_in_flight,
    question,
    said,
    statuses,
)
from tests.support import plain_http

# What would have to wait for the window to move is refused at once: a minute is longer than this.
IMPATIENT = {"timeout": "20s"}
CACHE = {"enabled": True, "backend": "memory", "ttl": "10m", "maxSize": 1}


def _three(name: str, **fields: Any) -> dict[str, Any]:
    parts = zip(("a", "b", "c"), (50, 30, 20), strict=True)
    return balanced(*({"url": at(f"{name}-{part}"), "weight": weight} for part, weight in parts), **fields)


def _requests(limit: int) -> dict[str, Any]:
    return {"rateLimits": {"requestsPerMinute": limit}, **IMPATIENT}


def _tokens(limit: int) -> dict[str, Any]:
    return {"rateLimits": {"tokensPerMinute": limit}, **IMPATIENT}


def _at_once(limit: int) -> dict[str, Any]:
    return {"rateLimits": {"concurrentRequests": limit}}


KINDS: dict[str, tuple[str, Callable[[str], dict[str, Any]]]] = {
    "stream": ("/v1/chat/completions", lambda model: {**question(model), "stream": True}),
    "completions": ("/v1/completions", lambda model: {"model": model, "prompt": "Hi"}),
    "embeddings": ("/v1/embeddings", lambda model: {"model": model, "input": "Hi"}),
    "responses": ("/v1/responses", lambda model: {"model": model, "input": "Hi"}),
    "responses-stream": ("/v1/responses", lambda model: {"model": model, "input": "Hi", "stream": True}),
    "messages": ("/v1/messages", lambda model: {**question(model), "max_tokens": 9}),
    "messages-stream": ("/v1/messages", lambda model: {**question(model), "max_tokens": 9, "stream": True}),
}

MODELS = {
    "rpm-one": a_model("rpm-one", **_requests(10)),
    "rpm-one-burst": a_model("rpm-one-burst", **_requests(10)),
    "rpm-three": _three("rpm-three", **_requests(10)),
    "rpm-three-burst": _three("rpm-three-burst", strategy="random", **_requests(10)),
    "rpm-gone": balanced("rpm-gone-a", {"url": NOBODY}, "rpm-gone-c", **_requests(12)),
    "rpm-gone-burst": balanced("rpm-gone-burst-a", {"url": NOBODY}, "rpm-gone-burst-c", **_requests(12)),
    "rpm-cached": a_model("rpm-cached", caching=CACHE, **_requests(2)),
    "rpm-waits": a_model("rpm-waits", rateLimits={"requestsPerMinute": 3}, timeout="150s"),
    "rpm-client-retry": a_model("rpm-client-retry", retryPolicy={"maxAttempts": 3, "initialBackoff": "10s"}, **_requests(1)),
    **{f"rpm-{kind}": a_model(f"rpm-{kind}", **_requests(2)) for kind in KINDS},
    "tpm": a_model("tpm", **_tokens(100)),
    "tpm-three": _three("tpm-three", **_tokens(100)),
    "tpm-streams": a_model("tpm-streams", **_tokens(100)),
    **{f"tpm-{kind}": a_model(f"tpm-{kind}", **_tokens(100)) for kind in KINDS},
    "slots": a_model("slots", **_at_once(3)),
    "slots-three": _three("slots-three", **_at_once(4)),
    "slots-order": a_model("slots-order", **_at_once(1)),
    "slots-stream": a_model("slots-stream", **_at_once(1)),
    "slots-short": a_model("slots-short", timeout="300ms", **_at_once(1)),
    **{f"slots-left-{how}": a_model(f"slots-left-{how}", **_at_once(1)) for how in ("plain", "stream", "waiting", "failed")},
}


def _refused(answers: list[httpx.Response]) -> list[httpx.Response]:
    refused = [answer for answer in answers if answer.status_code != 200]
    assert {answer.status_code for answer in refused} == {429}
    assert all(1 <= int(answer.headers["retry-after"]) <= 60 for answer in refused)
    return refused


@pytest.mark.parametrize("model", ["rpm-one", "rpm-three"])
def test_one_after_the_other_the_first_n_are_served_and_the_next_refused(laboratory: Laboratory, model: str):
    answers = laboratory.ask_often(model, 13)
    assert [answer.status_code for answer in answers] == [200] * 10 + [429] * 3
    _refused(answers)
    assert len(laboratory.seen(model, f"{model}-a", f"{model}-b", f"{model}-c")) == 10


@pytest.mark.parametrize("model", ["rpm-one-burst", "rpm-three-burst"])
def test_of_fifty_at_once_exactly_n_reach_the_providers(laboratory: Laboratory, model: str):
    answers = laboratory.ask_often(model, 50, at_once=50)
    assert statuses(answers) == {200: 10, 429: 40}
    _refused(answers)
    assert len(laboratory.seen(model, f"{model}-a", f"{model}-b", f"{model}-c")) == 10


@pytest.mark.parametrize("model", ["rpm-three", "rpm-three-burst"])
def test_each_endpoint_gets_its_share_of_the_limit(laboratory: Laboratory, model: str):
    labels = [f"{model}-{part}" for part in "abc"]
    if not laboratory.seen(*labels):
        laboratory.ask_often(model, 10)
    assert laboratory.shares(*labels) == dict(zip(labels, (5, 3, 2), strict=True))


@pytest.mark.parametrize(("model", "at_once"), [("rpm-gone", 1), ("rpm-gone-burst", 30)])
def test_nothing_of_the_limit_is_lost_when_an_endpoint_is_down(laboratory: Laboratory, model: str, at_once: int):
    answers = laboratory.ask_often(model, 30 if at_once > 1 else 15, at_once)
    assert statuses(answers)[200] == 12
    assert len(laboratory.seen(f"{model}-a", f"{model}-c")) == 12
    _refused(answers)


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_request_counts(laboratory: Laboratory, kind: str):
    path, body = KINDS[kind]
    answers = [laboratory.post(path, body(f"rpm-{kind}")) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert int(answers[2].headers["retry-after"]) >= 1
    assert len(laboratory.seen(f"rpm-{kind}")) == 2


def test_an_answer_from_the_cache_does_not_count(laboratory: Laboratory):
    answers = [laboratory.ask("rpm-cached", "The same question") for _ in range(5)]
    assert statuses(answers) == {200: 5}
    assert len(laboratory.seen("rpm-cached")) == 1
    assert [laboratory.ask("rpm-cached").status_code for _ in range(2)] == [200, 429]
    assert laboratory.ask("rpm-cached", "The same question").status_code == 200


def test_a_refusal_is_not_retried(laboratory: Laboratory):
    laboratory.ask("rpm-client-retry")
    began = time.monotonic()
    assert laboratory.ask("rpm-client-retry").status_code == 429
    assert time.monotonic() - began < 10  # one backoff
    assert len(laboratory.seen("rpm-client-retry")) == 1


@pytest.mark.looked_at_last
def test_what_exceeds_the_limit_waits_and_is_served_when_there_is_room(laboratory: Laboratory):
    answers = laboratory.begun["test_what_exceeds_the_limit_waits_and_is_served_when_there_is_room"].result()
    assert statuses(answers) == {200: 5}
    arrived = [seen.arrived for seen in laboratory.seen("rpm-waits")]
    assert len(arrived) == 5
    # The stand-in's clock is the gateway's, but the first calls travelled before they arrived.
    assert arrived[3] - arrived[0] > 55
    assert arrived[4] - arrived[1] > 55


BEGIN = {
    "test_what_exceeds_the_limit_waits_and_is_served_when_there_is_room": lambda laboratory: laboratory.ask_often(
        "rpm-waits", 5, at_once=5
    )
}


@pytest.mark.parametrize("model", ["tpm", "tpm-three", "tpm-streams"])
def test_tokens_exceed_their_limit_by_one_request_at_most(laboratory: Laboratory, model: str):
    labels = [model, *(f"{model}-{part}" for part in "abc")]
    for label in labels:
        with suppress(ValueError):
            laboratory.provider.behave(label, usage=(10, 15), delay=0.1)
    answers = laboratory.ask_often(model, 30, at_once=30, stream=model == "tpm-streams")
    used = 25 * len(laboratory.seen(*labels))
    assert 100 <= used <= 100 + 25
    assert statuses(answers) == {200: used // 25, 429: 30 - used // 25}
    _refused(answers)


@pytest.mark.parametrize("kind", KINDS)
def test_tokens_of_every_kind_of_request_count(laboratory: Laboratory, kind: str):
    laboratory.provider.behave(f"tpm-{kind}", usage=(100, 0 if kind == "embeddings" else 20))
    path, body = KINDS[kind]
    answers = [laboratory.post(path, body(f"tpm-{kind}")) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [200, 429]


@pytest.mark.parametrize(("model", "limit"), [("slots", 3), ("slots-three", 4)])
def test_never_more_than_c_requests_are_at_the_providers(laboratory: Laboratory, model: str, limit: int):
    labels = [model, *(f"{model}-{part}" for part in "abc")]
    for label in labels:
        with suppress(ValueError):
            laboratory.provider.behave(label, delay=0.1)
    assert statuses(laboratory.ask_often(model, 24, at_once=24)) == {200: 24}
    assert most_in_flight(laboratory.seen(*labels)) == limit


def test_requests_that_wait_for_a_place_are_served_in_order(laboratory: Laboratory):
    laboratory.provider.behave("slots-order", hang=True)
    waiting = []
    for number in range(6):
        waiting.append(laboratory.ask_in_background("slots-order", f"In line: {number}"))
        _queued(laboratory, "slots-order", number)
    laboratory.provider.behave("slots-order")
    laboratory.provider.release()
    wait(waiting)
    order = [seen.body["messages"][0]["content"] for seen in laboratory.seen("slots-order")]
    assert order == [f"In line: {number}" for number in range(6)]


def _queued(laboratory: Laboratory, model: str, before: int) -> None:
    """Wait until a request that was just sent is in line: the first is seen by the provider, others are given a moment."""
    if before == 0:
        laboratory.wait_for(1, model)
    else:
        time.sleep(0.15)


def test_a_stream_holds_its_place_to_its_end(laboratory: Laboratory):
    laboratory.provider.behave("slots-stream", chunk_delay=0.05, text="one two three four five six")
    first = laboratory.ask_in_background("slots-stream", stream=True)
    laboratory.wait_for(1, "slots-stream")
    assert laboratory.ask("slots-stream").status_code == 200
    assert first.result().text.rstrip().endswith("data: [DONE]")
    streamed, after = laboratory.seen("slots-stream")
    assert streamed.finished is not None
    assert after.arrived >= streamed.finished


def test_who_finds_no_place_within_the_timeout_is_refused(laboratory: Laboratory):
    laboratory.provider.behave("slots-short", chunk_delay=0.2, text=" ".join("abcdefghij"))
    first = laboratory.ask_in_background("slots-short", stream=True)
    laboratory.wait_for(1, "slots-short")
    (refused,) = _refused([laboratory.ask("slots-short")])
    assert "concurrentRequests" in refused.text
    assert first.result().status_code == 200
    assert len(laboratory.seen("slots-short")) == 1


@pytest.mark.parametrize("how", ["plain", "stream"])
def test_a_client_that_leaves_gives_its_place_back(laboratory: Laboratory, how: str):
    label = f"slots-left-{how}"
    if how == "plain":
        laboratory.provider.behave(label, statuses=["hang"])
        with pytest.raises(httpx.ReadTimeout):
            plain_http.post(f"{laboratory.gateway.url}/v1/chat/completions", json=question(label), timeout=0.7)
    else:
        laboratory.provider.behave(label, chunk_delay=0.3, text=" ".join("x" * 600))
        body = {**question(label), "stream": True}
        with plain_http.stream("POST", f"{laboratory.gateway.url}/v1/chat/completions", json=body, timeout=20) as answer:
            next(answer.iter_lines())
        laboratory.provider.behave(label)
    assert laboratory.ask(label).status_code == 200
    assert len(laboratory.seen(label)) == 2


def test_a_client_that_leaves_while_it_waits_is_never_asked_for(laboratory: Laboratory):
    label = "slots-left-waiting"
    laboratory.provider.behave(label, statuses=["hang"])
    first = laboratory.ask_in_background(label, "First")
    laboratory.wait_for(1, label)
    with pytest.raises(httpx.ReadTimeout):
        plain_http.post(f"{laboratory.gateway.url}/v1/chat/completions", json=question(label, "Left"), timeout=0.7)
    third = laboratory.ask_in_background(label, "Third")
    laboratory.provider.release()
    assert said(first.result()) == "You said: First"
    assert said(third.result()) == "You said: Third"
    assert [seen.body["messages"][0]["content"] for seen in laboratory.seen(label)] == ["First", "Third"]


def test_failures_give_their_place_back(laboratory: Laboratory):
    label = "slots-left-failed"
    laboratory.provider.behave(label, statuses=[500, 400, 429, "disconnect", "context_length_exceeded", 401])
    answers = laboratory.ask_often(label, 7)
    assert answers[-1].status_code == 200
    assert 200 not in statuses(answers[:-1])
